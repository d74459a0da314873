"""The embedded `any-style`: a small predictor of the scales and shifts of the embedded `many-styles`, trained with it.

It begins with what is known: the styles of `many-styles` but those of the held-out paintings span the first directions,
and the predictor learns to find the mixture that a photo was painted in. Then all is trained on paintings.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
import typer
from PIL import Image as PillowImage
from rich.console import Console
from torch import Tensor, nn

from drawn_styles import STYLES
from limner.catalog.models import load
from limner.data.folder import find_images
from limner.data.style_pairs import StylePairs
from limner.files.image import Picture, from_tensor, write_image
from limner.files.weights import Header, save_weights
from limner.loops.step_report import Watcher
from limner.measure.report import Report
from limner.measure.stylize_like import HELD_OUT, compare, held_out_pairs, pairs_report
from limner.runtime.device import choose_device
from limner.systems.feedforward.any_style import ANY_SLIM, COLORS, AnyStyle
from limner.systems.feedforward.many_styles import ManyStyles
from limner.training.recipe import Recipe, Trained, make
from limner.training.train import is_begun
from limner.verbs.learn_style import one_style
from limner.verbs.stylize.any_painter import load_any
from limner.verbs.stylize.network_painter import EMBEDDED
from program import Device, Minutes, Resume, Run, Ship, run_recipe

_COPIES = ("starry_night_crop", "starry_night_google", "wave_crop")  # of held-out styles
_WITHOUT = ", ".join(f'"{name}"' for name in (*HELD_OUT, *HELD_OUT.values(), *_COPIES))
_LEARNT_OF_HELD_OUT = ("starry-night", "great-wave", "the-scream", "composition-vii", "shipwreck")

RECIPE = Recipe(
    model="any-style",
    system="any-style",
    preset="slim",
    data="T91, half of BSD200 and the photos that styles are learnt by as contents; as styles 24 paintings and "
    "drawings, each drawn twelve times as often as each of 89 textures, 84 drawn by numbers and 120 photos painted in "
    "known styles",
    data_licence="research",
    licence="Apache-2.0 for the weights; the training pictures are licensed for research",
    known_failures="Strokes are those of the network that it began with, and have one size in pixels; a painting's "
    "large shapes, as faces and flowers, are not found in what it paints; large bright flat parts show a weave.",
    file=Path(__file__),
    settings=(f"data.without=[{_WITHOUT}]",),
)

_DRAWN = range(100, 116)  # seeds of the pictures of each drawn style
_PAINTED, _FITTED, _BATCH = 800, 2000, 64
_OF_EACH = 4  # photos painted in each known style
_SIDE = 160  # of painted photos, in pixels
_JITTER = 0.15  # deviation of what is added to mixtures, whose numbers have one of 1
_FAINT = 0.1  # of the spread of known scales and shifts, for directions that none of them has


class Known(NamedTuple):
    """What the styles of a trained network say of styles.

    Attributes:
        mean: (p,), all scales and shifts but those of the last norm.
        directions: (k, p), times numbers of deviation 1.
        numbers: (styles, k), of each style.
        colors: (styles, 6), shifts and scales of the last norm.
        spread: (p,), deviations.
    """

    mean: Tensor
    directions: Tensor
    numbers: Tensor
    colors: Tensor
    spread: Tensor

    def mixture(self, numbers: Tensor, colors: Tensor, embedding: int) -> Tensor:
        """As the network takes it: a constant, the colours, the numbers, and zeros up to the embedding."""
        rest = torch.zeros(len(numbers), embedding - numbers.shape[1])
        return torch.cat([torch.ones(len(numbers), 1), colors, numbers, rest], 1)


def known_styles(trunk: ManyStyles, most: int) -> Known:
    """The principal directions, at most so many, of a network's styles without those of held-out paintings."""
    kept = [k for k, name in enumerate(trunk.config.styles) if not of_held_out(name)]
    *norms, last = trunk.norms
    values = torch.cat([part.detach()[kept] for norm in norms for part in _values(norm)], 1)
    mean, root = values.mean(0), len(kept) ** 0.5
    _, sizes, directions = torch.linalg.svd(values - mean, full_matrices=False)
    count = min(most, len(kept) - 1)
    numbers = (values - mean) @ directions[:count].mT / sizes[:count] * root
    weight, bias = _values(last)
    colors = torch.cat([bias.detach()[kept], weight.detach()[kept]], 1)
    return Known(mean, directions[:count] * sizes[:count, None] / root, numbers, colors, values.std(0))


def _values(norm: nn.Module) -> tuple[Tensor, Tensor]:
    """Scales and shifts."""
    return norm.get_parameter("weight"), norm.get_parameter("bias")


@torch.no_grad()
def spanned(system: AnyStyle, trunk: ManyStyles, known: Known) -> None:
    """Give a system the convolutions of the trunk, and the known directions."""
    own = {name: tensor for name, tensor in trunk.state_dict().items() if ".norm." not in name}
    system.network.load_state_dict(own, strict=False)
    count, size = len(known.directions), len(known.mean)
    faint = torch.randn(system.config.embedding - count, size) * known.spread * _FAINT
    rows = torch.cat([known.mean[None], torch.zeros(COLORS, size), known.directions, faint])
    *norms, last = system.network.norms
    parts = [part for norm in norms for part in _values(norm)]
    for part, columns in zip(parts, rows.split([part.shape[1] for part in parts], 1), strict=True):
        part.copy_(columns)
    for values in _values(last):
        values[1 + COLORS :] *= _FAINT


@torch.no_grad()
def painted_samples(
    system: AnyStyle, known: Known, photos: Sequence[Path], count: int, rng: torch.Generator
) -> tuple[Tensor, Tensor]:
    """What the reader sees of photos painted in one known style or between two, and the numbers of these."""
    pairs = StylePairs(photos, photos, patch=_SIDE, resize=_SIDE + 80, varied=True)
    seen, wanted = [], []
    for number in range(count):
        photo = pairs.draw(number % len(photos), rng).source[None]
        one, other = torch.randint(len(known.numbers), (2,), generator=rng)
        share = torch.rand((), generator=rng) if number % 2 else 1.0
        numbers = share * known.numbers[one] + (1 - share) * known.numbers[other]
        numbers = numbers + _JITTER * torch.randn(numbers.shape, generator=rng)
        shifts, scales = known.colors[one].chunk(2)
        shifts = shifts + 0.5 * torch.randn(3, generator=rng)
        scales = scales * (0.3 * torch.randn(3, generator=rng)).exp()
        mixture = known.mixture(numbers[None], torch.cat([shifts, scales])[None], system.config.embedding)
        seen.append(system.reader.seen(system.network.paint(photo, mixture)))
        wanted.append(mixture[:, 1 + COLORS :])
    return torch.cat(seen), torch.cat(wanted)


def fit_reader(system: AnyStyle, seen: Tensor, wanted: Tensor, steps: int, rng: torch.Generator) -> float:
    """Teach the predictor to find the numbers again; the mean square error on an eighth that it has not learnt from."""
    held = len(seen) // 8
    reader, spread = system.reader, seen.std(0) + 0.1 / seen.shape[1] ** 0.5
    with torch.no_grad():  # as if what is seen were of mean 0 and deviation 1
        reader.first.weight *= 1 / spread
        reader.first.bias.sub_(reader.first.weight @ seen.mean(0))
    optimizer = torch.optim.AdamW(reader.parameters(), 1e-3, weight_decay=0.05)
    for _ in range(steps):
        chosen = torch.randint(held, len(seen), (_BATCH,), generator=rng)
        noisy = seen[chosen] + 0.1 * spread * torch.randn(_BATCH, seen.shape[1], generator=rng)
        loss = F.mse_loss(reader.embedded(noisy), wanted[chosen])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        return F.mse_loss(reader.embedded(seen[:held]), wanted[:held]).item()


def begun(target: Path, photos: Sequence[Path], *, painted: int = _PAINTED, steps: int = _FITTED) -> None:
    """Write a system that has learnt from the known styles alone, and beside it a folder of photos painted in them."""
    torch.manual_seed(0)
    rng = torch.Generator().manual_seed(0)
    trunk, _ = load(EMBEDDED)
    assert isinstance(trunk, ManyStyles)
    write_painted(target.with_name("painted"), trunk, photos)
    system, known = AnyStyle(ANY_SLIM), known_styles(trunk, ANY_SLIM.embedding)
    spanned(system, trunk, known)
    error = fit_reader(system, *painted_samples(system, known, photos, painted, rng), steps, rng)
    provenance = f"{Path(__file__).name} of Limner, from {painted} paintings in known styles; error {error:.3f}"
    header = Header(system="any-style", config=ANY_SLIM.model_dump(mode="json"), provenance=provenance)
    save_weights(target, system.state_dict(), header)


@torch.no_grad()
def write_painted(folder: Path, trunk: ManyStyles, photos: Sequence[Path]) -> None:
    """Write photos that the trunk paints in its styles but those of held-out paintings."""
    folder.mkdir(exist_ok=True)
    rng = torch.Generator().manual_seed(1)
    pairs = StylePairs(photos, photos, patch=2 * _SIDE, resize=2 * _SIDE)
    blank = Picture(np.zeros((1, 1, 3), np.uint8))
    for number, name in enumerate([name for name in trunk.config.styles if not of_held_out(name)] * _OF_EACH):
        photo = pairs.draw(int(torch.randint(len(photos), (), generator=rng)), rng).source[None]
        result = trunk.at(one_style(trunk, name)).paint(photo, None)
        write_image(folder / f"{name}_{number}.png", from_tensor(result, like=blank))


def of_held_out(name: str) -> bool:
    """Whether a style was learnt from a painting that is held out."""
    return name.removesuffix("-broad") in _LEARNT_OF_HELD_OUT


def drawn(folder: Path) -> Path:
    """Pictures in drawn styles, drawn once."""
    if not folder.exists():
        folder.mkdir(parents=True)
        for seed in _DRAWN:
            for number, (name, (make_one, _)) in enumerate(sorted(STYLES.items())):
                picture = make_one(np.random.default_rng(10 * seed + number)).clip(0, 1)
                PillowImage.fromarray((255 * picture).round().astype(np.uint8)).save(folder / f"{name}_{seed}.png")
    return folder


def made(
    recipe: Recipe,
    *,
    data: Path,
    styles: Sequence[Path],
    held_out: Mapping[str, str],
    pictures: Sequence[Path],
    minutes: float,
    device: str,
    run: Path,
    resume: bool = False,
    ship: bool = False,
    side: int = 256,
    iterations: int = 300,
    kept: Path | None = None,
    watchers: Sequence[Watcher] = (),
    on_pair: Callable[[int, int], None] | None = None,
) -> Report | None:
    """A predictor that knows the styles of `many-styles`, trained on paintings, and measured on pairs unseen by it."""
    pairs = held_out_pairs(held_out, pictures, side)
    start = run / "start.safetensors"
    if not start.exists():
        run.mkdir(parents=True, exist_ok=True)
        begun(start, [path for path in find_images(data) if path.stem not in held_out])
    folders = [*styles, drawn(run / "drawn"), run / "painted"]
    own = [f"data.styles={json.dumps([str(one.resolve()) for one in folders])}"]

    def measure(trained: Trained) -> Report:
        found = compare(
            load_any(str(trained.weights)), pairs, iterations=iterations, device=device,
            kept=kept or run / "gatys.json", on_pair=on_pair,
        )  # fmt: skip
        return pairs_report(recipe.model, found, side, iterations)

    return make(
        replace(recipe, start_from=str(start)), measure, data=data, minutes=minutes, device=device, run=run,
        resume=resume and is_begun(run), ship=ship, settings=own, watchers=watchers,
    )  # fmt: skip


def main(
    data: Annotated[Path, typer.Option(help="Folder of training contents.")],
    styles: Annotated[
        list[Path], typer.Option(help="Folder of training styles; repeatable, also to draw its own more often.")
    ],
    held_out: Annotated[list[Path], typer.Option(help="Folder of the pairs that it is measured on; repeatable.")],
    minutes: Minutes = 60.0,
    device: Device = "auto",
    run: Run = None,
    resume: Resume = False,
    ship: Ship = False,
    kept: Annotated[Path | None, typer.Option(help="A file that keeps what the optimisation came to.")] = None,
) -> None:
    """Train, measure and write the model."""
    console, folder = Console(stderr=True), run or Path("runs") / RECIPE.model

    def work(watchers: Sequence[Watcher]) -> Report | None:
        return made(
            RECIPE,
            data=data,
            styles=styles,
            held_out=HELD_OUT,
            pictures=held_out,
            minutes=minutes,
            device=str(choose_device(device)),
            run=folder,
            resume=resume,
            ship=ship,
            kept=kept,
            watchers=watchers,
            on_pair=lambda done, total: console.print(f"measured {done} of {total} pairs", highlight=False),
        )

    run_recipe(folder, work, console)


if __name__ == "__main__":
    typer.run(main)
