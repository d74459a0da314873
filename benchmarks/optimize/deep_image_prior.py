"""Deep image prior beside its paper: `python -m benchmarks.optimize.deep_image_prior --data FOLDER`.

It brings back pictures that it has harmed itself and writes PSNR, steps and seconds to results/deep_image_prior.json
and .md beside this file, case by case; a run that was stopped goes on where it was.
"""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from torch import Tensor

from limner.files.image import read_image, to_tensor, write_image
from limner.files.picture import Picture, from_tensor
from limner.loops.optimize import Objective, Optimization
from limner.loops.smoothing import StoppingConfig
from limner.metrics.quality import psnr
from limner.ops.color import luminance
from limner.systems.optimize import deep_image_prior as dip

HERE = Path(__file__).parents[1]
RESULTS = HERE / "results"
LOOK_EVERY = 20  # steps
_MULTIPLE = 32  # pixels; the authors crop the sides of what they enlarge to it
_SHAVED = 4  # pixels off each side before enlargements are compared, in luminance, as in the authors' script


@dataclass(frozen=True)
class Case:
    """One picture, how it is harmed, and what the paper says.

    Attributes:
        picture: Below the folder of data.
        harm: `noise` (sigma 25), `half` (of the pixels), `text` or `hole` (a mask), `x4`.
        config: Its name in the system's module.
        published: PSNR in decibels, and of what it is.
    """

    name: str
    picture: str
    harm: str
    config: str
    published: tuple[float, str] | None = None
    mask: str | None = None
    crop: tuple[int, int, int, int] | None = None
    steps: int | None = None


_DENOISED = (29.22, "mean of 9 colour pictures, 1800 steps; 30.43 averaged")
_SET5 = (29.90, "mean of Set5")
_F16, _SMALL = "dip_images/denoising/F16_GT.png", (128, 128, 256, 256)
_BUTTERFLY = "sr_test/Set5/HR/butterfly.webp"
CASES = (
    Case("F16 middle sigma 25", _F16, "noise", "DENOISE", _DENOISED, crop=_SMALL),
    Case("butterfly x4", _BUTTERFLY, "x4", "UPSCALE", _SET5),
    Case("F16 middle sigma 25", _F16, "noise", "DENOISE_2018", _DENOISED, crop=_SMALL),
    Case("butterfly x4", _BUTTERFLY, "x4", "UPSCALE_X4", _SET5),
    Case("vase hole", "dip_images/inpainting/vase.png", "hole", "INPAINT", mask="dip_images/inpainting/vase_mask.png"),
    Case("Barbara half", "dip_images/restoration/barbara.png", "half", "INPAINT", (32.22, "this picture")),
    Case("kate text", "dip_images/inpainting/kate.png", "text", "INPAINT", mask="dip_images/inpainting/kate_mask.png"),
    Case("woman x4", "sr_test/Set5/HR/woman.webp", "x4", "UPSCALE", _SET5),
    Case("bird x4", "sr_test/Set5/HR/bird.webp", "x4", "UPSCALE", _SET5),
    Case("head x4", "sr_test/Set5/HR/head.webp", "x4", "UPSCALE", _SET5),
    Case("F16 sigma 25", _F16, "noise", "DENOISE", _DENOISED),
    Case("zebra x4", "dip_images/sr/zebra_GT.png", "x4", "UPSCALE", (27.00, "mean of Set14")),
    Case(
        "library", "dip_images/inpainting/library.png", "hole", "INPAINT", mask="dip_images/inpainting/library_mask.png"
    ),
    Case("baby x4", "sr_test/Set5/HR/baby.webp", "x4", "UPSCALE", _SET5),
    Case("F16 sigma 25", _F16, "noise", "DENOISE_2018", _DENOISED),
)


@dataclass(frozen=True)
class Task:
    """A harmed picture: what is minimised, its size, what was observed, and how good a picture is."""

    energy: Objective
    size: tuple[int, int]
    observed: Tensor
    score: Callable[[Tensor], float]
    config: dip.DeepImagePriorConfig

    def score_finished(self, found: Tensor) -> float:
        """Of what the network paints, finished as `limner restore` does."""
        is_enlarged = self.observed.shape[-2:] != found.shape[-2:]
        return self.score(dip.enlargement(found, self.observed, self.config) if is_enlarged else found)


def task(case: Case, data: Path) -> Task:
    """Harm the picture as the authors' notebooks do, from a fixed seed."""
    image = picture_of(case, data)
    config: dip.DeepImagePriorConfig = getattr(dip, case.config)
    network = config.network.model_copy(update={"out_channels": image.shape[1]})
    optimizing = config.optimize.model_copy(update={"steps": case.steps or config.optimize.steps})
    config = config.model_copy(
        update={"network": network, "optimize": optimizing, "stopping": config.stopping or StoppingConfig()}
    )
    generator = torch.Generator().manual_seed(0)
    if case.harm == "x4":
        return enlargement(image, config)
    if case.harm == "noise":
        noisy = (image + 25 / 255 * torch.randn(image.shape, generator=generator)).clamp(0, 1)
        return Task(dip.denoising(noisy), sides(image), noisy, lambda x: decibels(x, image), config)
    if case.mask:
        known = (to_tensor(read_image(data / case.mask))[:, :1] > 0.5).float()
    else:
        known = (torch.rand(1, 1, *sides(image), generator=generator) > 0.5).float()
    return Task(dip.inpainting(image, known), sides(image), image * known, lambda x: decibels(x, image), config)


def picture_of(case: Case, data: Path) -> Tensor:
    """The picture before it is harmed; of a gray file one channel."""
    picture = read_image(data / case.picture)
    image = to_tensor(picture)[:, : 1 if picture.is_gray else 3]
    if case.crop:
        top, left, height, width = case.crop
        image = image[..., top : top + height, left : left + width]
    return image


def enlargement(image: Tensor, config: dip.DeepImagePriorConfig) -> Task:
    """Four times: the middle whose sides 32 divides, shrunk by Pillow's Lanczos filter to 8 bits."""
    from PIL.Image import Resampling, fromarray

    height, width = (side - side % _MULTIPLE for side in sides(image))
    top, left = ((whole - side) // 2 for whole, side in zip(sides(image), (height, width), strict=True))
    sharp = image[..., top : top + height, left : left + width]
    pixels = (sharp[0].permute(1, 2, 0) * 255).round().byte().numpy()
    small = torch.tensor(_array(fromarray(pixels).resize((width // 4, height // 4), Resampling.LANCZOS)))
    observed = small.permute(2, 0, 1)[None].float() / 255

    def score(found: Tensor) -> float:
        y, wanted = (luminance(x)[..., _SHAVED:-_SHAVED, _SHAVED:-_SHAVED] for x in (found.clamp(0, 1), sharp))
        return decibels(y, wanted)

    return Task(dip.super_resolution(observed), (height, width), observed, score, config)


def _array(picture: Any) -> Any:
    import numpy as np

    return np.array(picture)


def sides(image: Tensor) -> tuple[int, int]:
    """Height and width."""
    return image.shape[-2], image.shape[-1]


def decibels(found: Tensor, wanted: Tensor) -> float:
    """PSNR."""
    return float(psnr(found, wanted)[0])


def measure(case: Case, data: Path, row: dict[str, Any], folder: Path, keep: Callable[[], None]) -> None:
    """Run a case to its count of steps, and note on the way where it would have stopped by itself.

    Args:
        case: What.
        data: Folder of the data.
        row: Filled; what an earlier run, that was stopped, has left is taken up.
        folder: For the states and the pictures.
        keep: Writes all rows.
    """
    found = task(case, data)
    picture = dip.painter(found.size, found.config, "fast")
    run = Optimization(picture, found.energy, found.config.optimize)
    state = folder / f"{slug(case)}.state"
    if state.exists():
        run.resume(state)
    row.setdefault("curve", []), row.setdefault("seconds", 0.0)
    row |= {"size": list(found.size), "steps": found.config.optimize.steps, "harmed": harmed(case, found)}
    while run.step_count < found.config.optimize.steps:
        begun = time.monotonic()
        run.step()
        row["seconds"] += time.monotonic() - begun
        if "stopped" not in row and picture.is_past_best():
            row["stopped"] = {
                "step": int(picture.best_step),
                "psnr": found.score_finished(picture.result()),
                "steps": run.step_count,
                "seconds": row["seconds"],
            }
            write(folder / f"{slug(case)}_stopped.png", picture.result())
        if run.step_count % LOOK_EVERY == 0:
            look = [
                found.score_finished(picture.prior.latest()),
                found.score_finished(picture.latest()),
                picture.variance().item(),
            ]
            row["curve"].append([run.step_count, *(round(value, 8) for value in look)])
        if run.step_count % (10 * LOOK_EVERY) == 0:
            run.save(state)
            keep()
    last, average = found.score_finished(picture.prior.latest()), found.score_finished(picture.latest())
    row["fixed"] = {"last": last, "psnr": average, "steps": run.step_count, "seconds": row["seconds"]}
    row.setdefault(
        "stopped", {"step": int(picture.best_step), "psnr": found.score_finished(picture.result()), **_made(row)}
    )
    write(folder / f"{slug(case)}.png", picture.latest())
    write(folder / f"{slug(case)}_observed.png", found.observed)
    state.unlink(missing_ok=True)
    keep()


def _made(row: dict[str, Any]) -> dict[str, Any]:
    return {name: row["fixed"][name] for name in ("steps", "seconds")}


def harmed(case: Case, found: Task) -> float:
    """PSNR before anything is done: bicubic enlargement for x4."""
    if case.harm != "x4":
        return found.score(found.observed)
    from limner.ops.resample import imresize

    return found.score(imresize(found.observed, size=found.size).clamp(0, 1))


def slug(case: Case) -> str:
    """A name for files."""
    return f"{case.name}_{case.config}".replace(" ", "_").lower()


def write(path: Path, image: Tensor) -> None:
    """As 8 bits."""
    import numpy as np

    like = Picture(np.zeros((*sides(image), 3), np.uint8))
    write_image(path, from_tensor(image.expand(-1, 3, -1, -1), like), overwrite=True)


def table(rows: dict[str, Any], threads: int) -> Iterator[str]:
    """The lines of the report."""
    yield "# Deep image prior beside its paper"
    yield ""
    yield f"Written by `python -m benchmarks.optimize.deep_image_prior`, in bfloat16, with {threads} CPU threads,"
    yield "on a machine that others used as well, so that the seconds are upper bounds. PSNR in decibels: of"
    yield "RGB for noise and missing pixels (of gray for Barbara), over the whole picture; of luminance, 4"
    yield "pixels off each side, for x4. *Harmed* is the picture before anything is done, for x4 enlarged"
    yield "bicubically; *stopped* what the automatic stop gives, of the step that it goes back to; *average*"
    yield "that of the outputs at the end; *last* the last output alone. Ours are `DENOISE`, `INPAINT` and"
    yield "`UPSCALE`, the last one with bicubic interpolation where that is right, and back-projection; the other"
    yield "settings are the authors'."
    yield ""
    yield "| picture | size | settings | harmed | stopped | at step | average | last | steps made | s | paper | of |"
    yield "|---|---|---|---|---|---|---|---|---|---|---|---|"
    for row in rows.values():
        if not row.get("curve"):
            continue
        reached = row.get("fixed") or unfinished(row)
        stopped = row.get("stopped")
        paper, of = row["published"] or (None, "")
        cells = [row["name"], f"{row['size'][1]}x{row['size'][0]}", f"`{row['config']}`", f"{row['harmed']:.2f}"]
        cells += [f"**{stopped['psnr']:.2f}**", f"{stopped['step']}"] if stopped else ["", ""]
        cells += [f"**{reached['psnr']:.2f}**", f"{reached['last']:.2f}", f"{reached['steps']} of {row['steps']}"]
        cells += [f"{reached['seconds']:.0f}", f"{paper:.2f}" if paper else "", of]
        yield "| " + " | ".join(cells) + " |"


def unfinished(row: dict[str, Any]) -> dict[str, Any]:
    """Where a run is that has not made all its steps."""
    step, last, average, _ = row["curve"][-1]
    return {"psnr": average, "last": last, "steps": step, "seconds": row["seconds"]}


def main(
    data: Annotated[Path, typer.Option(help="The folder that holds dip_images and sr_test.")],
    out: Annotated[Path, typer.Option(help="Folder of the report.")] = RESULTS,
    pictures: Annotated[Path, typer.Option(help="Folder of the pictures and states.")] = Path("build/deep_image_prior"),
    only: Annotated[str, typer.Option(help="Cases whose name or settings hold this.")] = "",
    threads: Annotated[int, typer.Option(min=1)] = 2,
) -> None:
    """Restore harmed pictures and compare with the paper's figures."""
    from limner.runtime.allocator import keep_freed_memory

    keep_freed_memory()
    torch.set_num_threads(threads)
    out.mkdir(parents=True, exist_ok=True)
    pictures.mkdir(parents=True, exist_ok=True)
    file = out / "deep_image_prior.json"
    rows: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}

    def keep() -> None:
        file.write_text(json.dumps(rows) + "\n", encoding="utf-8")
        (out / "deep_image_prior.md").write_text("\n".join(table(rows, threads)) + "\n", encoding="utf-8")

    for case in CASES:
        row = rows.setdefault(slug(case), asdict(case))
        if "fixed" not in row and (only in case.name or only in case.config):
            measure(case, data, row, pictures, keep)
            print(case.name, case.config, row["stopped"], row["fixed"], flush=True)


if __name__ == "__main__":
    typer.run(main)
