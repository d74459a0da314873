"""How long a step of each training takes beside the usual eager loop: `python -m benchmarks.training.steps`.

Three processes take turns on one thread: the usual loop, in float32, channels first, with torch's own Adam and malloc
as it is; the same with freed memory kept, so that the allocator's share is seen apart; and Limner's. What counts is the
CPU time of a step, so that a busy machine does little harm. The tables are written to results/ as
training-<class of processor>.md and .json.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import torch
import torch.nn.functional as F
import typer
from torch import Tensor, nn

from benchmarks.optimize import deep_image_prior_steps
from benchmarks.runtime.reports import RESULTS, made_by, of_class, publish
from benchmarks.runtime.workers import in_turns, medians, serve, started
from benchmarks.segmentation import unet_training
from benchmarks.style import fast_style_training
from benchmarks.style.plain_adain import PlainTraining as PlainAdaIN
from benchmarks.style.plain_style import PlainTraining as PlainStyle
from benchmarks.translation import game_training, pix2pix_training
from limner.cli.work.demo import PHOTO
from limner.data.pairs import Pair
from limner.data.style_pairs import Styled
from limner.loops.checkpoint import seed_everything
from limner.loops.fit import Fit, FitConfig
from limner.loops.optimize import Optimization
from limner.processor import Machine
from limner.runtime.allocator import keep_freed_memory
from limner.systems.adversarial.pix2pix import Pix2Pix
from limner.systems.feedforward import adain
from limner.systems.feedforward.adain import AdaIN
from limner.systems.feedforward.srresnet import SRResNet, SRResNetConfig
from limner.systems.feedforward.vdsr import VDSR
from limner.systems.optimize import deep_image_prior as dip
from limner.systems.segmentation.unet import FIT_MODERN, UNet
from limner.types import Precision

PLAIN, KEPT, LIMNER = "plain", "plain, memory kept", "limner"
WAYS = (PLAIN, KEPT, LIMNER)

Step = Callable[[], Any]
"""Makes one step."""


@dataclass(frozen=True)
class Case:
    """A training: what makes one step of the usual loop, and of Limner's in a precision on a device, and any aim."""

    plain: Callable[[], Step]
    limner: Callable[[Precision, str], Step]
    aim: float | None


def _plain_enlarging(system: nn.Module, batch: Pair) -> Step:
    optimizer = torch.optim.Adam(system.train().parameters(), 1e-4)

    def step() -> object:
        optimizer.zero_grad(set_to_none=True)
        loss = F.mse_loss(system(batch.source), batch.target)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def _fit(system: nn.Module, fit: FitConfig, batch: Any, precision: Precision, device: str) -> Step:
    wanted = {"precision": "bfloat16" if precision == "fast" else "float32"}
    training = Fit(system, fit.model_copy(update=wanted), device=device)
    return lambda: training.step([batch])


def _drawn(number: int, channels: int, side: int) -> Tensor:
    return torch.rand(number, channels, side, side, generator=torch.Generator().manual_seed(0))


def _vdsr() -> tuple[nn.Module, Pair]:
    return VDSR(), Pair(_drawn(8, 1, 64), _drawn(8, 1, 64))


def _srresnet() -> tuple[nn.Module, Pair]:
    return SRResNet(SRResNetConfig(num_blocks=16, channels=64)), Pair(_drawn(8, 3, 24), _drawn(8, 3, 96))


def _pix2pix() -> tuple[Any, Pair]:
    return Pix2Pix(pix2pix_training.PRESETS["paper"][0]), pix2pix_training.pair(256)


def _plain_pix2pix() -> Step:
    system, batch = _pix2pix()
    training = pix2pix_training.PlainTraining(system)
    return lambda: training.step(batch)


def _unet() -> UNet:
    return UNet(unet_training.NETWORKS["64 channels"])


def _plain_unet() -> Step:
    training, batch = unet_training.PlainTraining(_unet()), unet_training.batch_of(128, 2)
    return lambda: training.step(batch)


def _style() -> fast_style_training.Task:
    photos = str(PHOTO.parent)
    return fast_style_training.Task("johnson", "starry-night", photos, 128, 2, "cpu")


def _plain_style() -> Step:
    task = _style()
    batch = next(task.batches())
    rate, cpu = fast_style_training.FIT.optimizer.learning_rate, torch.device("cpu")
    training = PlainStyle(task.system(), batch.style_crops[0], rate, cpu)
    return lambda: training.step(batch)


def _limner_style(precision: Precision, device: str) -> Step:
    task = _style()
    return _fit(task.system(), fast_style_training.FIT, next(task.batches()), precision, device)


def _plain_prior() -> Step:
    return deep_image_prior_steps.plain_stepper(_drawn(1, 3, 256))


def _limner_prior(precision: Precision, device: str) -> Step:
    config, noisy = dip.DENOISE_2018, _drawn(1, 3, 256).to(device)
    return Optimization(dip.painter((256, 256), config, precision, device), dip.denoising(noisy), config.optimize).step


def _adain() -> tuple[AdaIN, Styled]:
    return AdaIN(), Styled(_drawn(2, 3, 128), _drawn(2, 3, 128).flip(0, 3))


def _plain_adain() -> Step:
    system, batch = _adain()
    training = PlainAdaIN(system, 1e-4)
    return lambda: training.step(batch)


def _game(name: str, aim: float) -> Case:
    def fitted(precision: Precision, device: str) -> Step:
        system, batch, fit = game_training.game_of(name)
        return _fit(system, fit, batch, precision, device)

    return Case(lambda: game_training.plain_step(name), fitted, aim)


CASES = {
    "deep image prior, 256x256": Case(_plain_prior, _limner_prior, 1.6),
    "VDSR, 8 x 64x64": Case(
        lambda: _plain_enlarging(*_vdsr()),
        lambda *where: _fit(_vdsr()[0], FitConfig(), _vdsr()[1], *where),
        1.15,
    ),
    "SRResNet x4, 8 x 24x24": Case(
        lambda: _plain_enlarging(*_srresnet()),
        lambda *where: _fit(_srresnet()[0], FitConfig(), _srresnet()[1], *where),
        1.2,
    ),
    "U-Net, 64 channels, 2 x 128x128": Case(
        _plain_unet,
        lambda *where: _fit(_unet(), FIT_MODERN, unet_training.batch_of(128, 2), *where),
        1.4,
    ),
    "fast style, Johnson, 2 x 128x128": Case(_plain_style, _limner_style, 1.6),
    "pix2pix, paper, 256x256": Case(
        _plain_pix2pix,
        lambda *where: _fit(_pix2pix()[0], pix2pix_training.PRESETS["paper"][1], _pix2pix()[1], *where),
        1.6,
    ),
    "AdaIN, 2 x 128x128": Case(
        _plain_adain, lambda *where: _fit(_adain()[0], adain.FIT_2017, _adain()[1], *where), None
    ),
    "CycleGAN, ResNet-9, 128x128": _game("cyclegan", 1.7),
    "DCGAN, 32 x 64x64": _game("dcgan", 1.2),
    "SPADE, 128x128": _game("spade", 1.5),
    "StyleGAN, 24 x 64x64": _game("stylegan", 1.4),
}
"""At the networks' own widths; pictures and batches are small, so that all of it takes minutes."""


def work(way: str, case: str, precision: Precision) -> None:
    """Be the worker of a way: the CPU seconds of a step each time that it is asked."""
    torch.set_num_threads(1)
    if way != PLAIN:
        keep_freed_memory()
    seed_everything(0)
    step = CASES[case].limner(precision, "cpu") if way == LIMNER else CASES[case].plain()

    def answer(question: Any) -> float:
        begun = time.process_time()
        step()
        return time.process_time() - begun

    serve(answer)


def measure(case: str, precision: Precision, steps: int) -> dict[str, Any]:
    """The figures of a training."""
    with started(Path(__file__), WAYS, "--case", case, "--precision", precision) as workers:
        turns = in_turns(workers, steps)
    return medians(turns, PLAIN) | {"at_equal_memory": medians(turns, KEPT)["times_faster"][LIMNER]}


def report(found: dict[str, Any]) -> Iterator[str]:
    """The lines of the Markdown report."""
    yield "# Steps of trainings beside the usual loop"
    yield from ("", made_by(found), "")
    yield f"CPU seconds of a step, medians of {found['steps']} in turns, one thread, {found['precision']} precision."
    yield "*plain* is the usual loop: float32, channels first, torch's own Adam. *Times faster* is Limner's step over"
    yield "that with malloc as it is; *at equal memory* over that with freed memory kept, as Limner keeps it."
    yield from ("", "| training | plain | plain, memory kept | limner | times faster | at equal memory | aim | |")
    yield "|---|---|---|---|---|---|---|---|"
    for case, one in found["trainings"].items():
        seconds, ratio = one["seconds"], one["times_faster"][LIMNER]
        times = " | ".join(f"{seconds[way]:.3f}" for way in WAYS)
        yield f"| {case} | {times} | {ratio:.2f} | {one['at_equal_memory']:.2f} | {_verdict(CASES[case].aim, ratio)} |"


def _verdict(aim: float | None, ratio: float) -> str:
    if aim is None:
        return " | "
    return f"{aim:g} | {'met' if ratio >= aim else '**missed**'}"


def main(
    case: Annotated[list[str] | None, typer.Option(help="One of them; again for several.")] = None,
    precision: Annotated[str, typer.Option(help="Of Limner's loop: exact or fast.")] = "exact",
    steps: Annotated[int, typer.Option(min=1, help="Of each way, after one that does not count.")] = 5,
    out: Annotated[Path, typer.Option(help="Folder of the report.")] = RESULTS,
    way: Annotated[str | None, typer.Option(hidden=True)] = None,
) -> None:
    """Measure and write the report."""
    wanted: Precision = "fast" if precision == "fast" else "exact"
    cases = case or [*CASES]
    if way:
        work(way, cases[0], wanted)
        return
    torch.set_num_threads(1)
    machine = Machine.here()
    found = {
        "machine": asdict(machine),
        "command": "python -m benchmarks.training.steps" + " --precision fast" * (wanted == "fast"),
        "precision": wanted,
        "steps": steps,
        "trainings": {name: measure(name, wanted, steps) for name in cases},
    }
    publish(of_class("training", machine), found, report(found), out)


if __name__ == "__main__":
    typer.run(main)
