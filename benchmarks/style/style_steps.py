"""How long a step of style transfer takes, and whether it leads as far: `python -m benchmarks.style.style_steps`.

Limner's precisions and the plain way, each in a process of its own, take turns at 512x512: the same losses, the same
optimiser, the same start. The medians and the losses in the end, all judged in float32, are written to
results/style_steps.json and .md beside this file.
"""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import torch
import torch.nn.functional as F
import typer
from torch import Tensor, nn

from benchmarks.runtime.reports import publish
from benchmarks.runtime.workers import in_turns, medians, serve, started
from limner.cli.work.demo import PHOTO
from limner.features.vgg16 import EMBEDDED, VGG, mean_responses, read_weights
from limner.files.image import read_image, to_tensor
from limner.loops.optimize import Optimization, OptimizeConfig
from limner.loops.pictures import Pixels
from limner.ops.resample import imresize
from limner.systems.optimize.style import STYLE_MODERN, Reference, StyleObjective

PAINTING = PHOTO.with_name("starry_night_sky.jpg")
PLAIN, WAYS = "plain", ("plain", "exact", "fast")
CONFIG = STYLE_MODERN
RATE = CONFIG.passes[0].optimize.learning_rate
LAYERS = [*CONFIG.style_layers, *CONFIG.content_layers]
AIM, NEAR = 2.0, 0.05


def pictures(side: int, style: str) -> tuple[Tensor, Tensor]:
    """Content and style, (1, 3, side, side)."""
    found = []
    for path in (PHOTO, Path(style)):
        image = to_tensor(read_image(path))
        short = min(image.shape[-2:])
        found.append(imresize(image[..., :short, :short], size=(side, side)).clamp(0, 1))
    return found[0], found[1]


class PlainGram(nn.Module):
    """A style loss as it is commonly written: a module between the layers that keeps what it finds."""

    def __init__(self, weight: float) -> None:
        super().__init__()
        self.weight, self.target, self.loss = weight, torch.zeros(()), torch.zeros(())

    def forward(self, x: Tensor) -> Tensor:
        """(1, c, h, w), passed on."""
        _, channels, height, width = x.shape
        flat = x.view(channels, height * width)
        gram = torch.mm(flat, flat.t()) / (height * width)
        if not x.requires_grad:
            self.target = gram.detach()
        self.loss = self.weight * F.mse_loss(gram, self.target) / self.target.square().mean()
        return x


class PlainContent(nn.Module):
    """The same for content."""

    def __init__(self, weight: float) -> None:
        super().__init__()
        self.weight, self.target, self.loss = weight, torch.zeros(()), torch.zeros(())

    def forward(self, x: Tensor) -> Tensor:
        """(1, c, h, w), passed on."""
        if not x.requires_grad:
            self.target = x.detach()
        self.loss = self.weight * F.mse_loss(x, self.target) / self.target.square().mean() / 2
        return x


def plain_network() -> nn.Sequential:
    """The normalised VGG-16 with its losses among the layers."""
    read, means, before = read_weights(EMBEDDED), mean_responses(CONFIG.pooling), torch.ones(3)
    layers: list[nn.Module] = []
    for one, weight, bias in read.convolutions:
        if layers and one.name.endswith("_1"):
            layers.append(nn.AvgPool2d(2))
        convolution = nn.Conv2d(one.in_channels, one.out_channels, 3, padding=1)
        convolution.weight.data = weight * before[:, None, None] / means[one.name][:, None, None, None]
        convolution.bias = nn.Parameter(bias / means[one.name])
        layers += [convolution, nn.ReLU()]
        before = means[one.name]
        if (name := f"relu{one.name}") in CONFIG.content_layers:
            layers.append(PlainContent(CONFIG.content_weight * CONFIG.content_layers[name]))
        if name in CONFIG.style_layers:
            layers.append(PlainGram(CONFIG.style_weight * CONFIG.style_layers[name]))
        if one.name == "5_1":
            break
    return nn.Sequential(*layers).requires_grad_(False)


def plain_stepper(content: Tensor, style: Tensor) -> tuple[Callable[[], object], Tensor]:
    """What makes a step, and the picture that it changes."""
    network, vgg = plain_network(), VGG(["relu1_1"])
    contents = [layer for layer in network if isinstance(layer, PlainContent)]
    grams = [layer for layer in network if isinstance(layer, PlainGram)]
    network((content - vgg.mean) / vgg.deviation)
    kept = [layer.target for layer in contents]
    network((style - vgg.mean) / vgg.deviation)
    for layer, target in zip(contents, kept, strict=True):
        layer.target = target
    image = content.clone().requires_grad_()
    optimizer = torch.optim.Adam([image], RATE)

    def step() -> object:
        optimizer.zero_grad()
        network((image - vgg.mean) / vgg.deviation)
        across, down = image[..., :-1, 1:] - image[..., :-1, :-1], image[..., 1:, :-1] - image[..., :-1, :-1]
        variation = CONFIG.tv_weight * (across**2 + down**2).mean()
        loss = torch.stack([layer.loss for layer in contents] + [layer.loss for layer in grams]).sum() + variation
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            image.clamp_(0, 1)
        return loss.item()

    return step, image


def stepper(way: str, content: Tensor, style: Tensor) -> tuple[Callable[[], object], Tensor]:
    """What makes a step of a way, and the picture that it changes."""
    if way == PLAIN:
        return plain_stepper(content, style)
    from limner.runtime.allocator import keep_freed_memory

    keep_freed_memory()
    vgg = VGG(LAYERS, pooling=CONFIG.pooling, precision="fast" if way == "fast" else "exact")
    vgg.normalize(mean_responses(CONFIG.pooling))
    objective = StyleObjective(vgg, content, [Reference(style)], CONFIG)
    picture = Pixels(content)
    return Optimization(picture, objective, OptimizeConfig(learning_rate=RATE)).step, picture.image


def judged(image: Tensor, content: Tensor, style: Tensor) -> dict[str, float]:
    """The losses of a picture in float32."""
    vgg = VGG(LAYERS, pooling=CONFIG.pooling)
    vgg.normalize(mean_responses(CONFIG.pooling))
    with torch.no_grad():
        losses = StyleObjective(vgg, content, [Reference(style)], CONFIG)(image.detach().contiguous())
    return {name: loss.item() for name, loss in losses.items()}


def work(way: str, side: int, style: str) -> None:
    """Be the worker of a way: a step when it is asked for one, else the losses of the picture."""
    content, painting = pictures(side, style)
    step, image = stepper(way, content, painting)

    def answer(question: Any) -> Any:
        if question == "losses":
            return judged(image, content, painting)
        begun = time.perf_counter()
        step()
        return time.perf_counter() - begun

    serve(answer)


def report(found: dict[str, Any]) -> Iterator[str]:
    """The lines of the Markdown report."""
    yield f"# A step of style transfer at {found['side']}x{found['side']}"
    yield ""
    yield f"Made by `python -m benchmarks.style.style_steps`: {found['steps']} steps of each way, in turns, with"
    yield f"{found['threads']} CPU threads and torch {found['torch']}. *plain* is float32, channels first, losses as"
    yield "modules between the layers, malloc as it is. Losses in the end are judged in float32."
    yield ""
    yield "| way | seconds a step | times faster | loss in the end | beside plain |"
    yield "|---|---|---|---|---|"
    plain = sum(found["losses"][PLAIN].values())
    for way in WAYS:
        loss = sum(found["losses"][way].values())
        yield (
            f"| {way} | {found['seconds'][way]:.2f} | {found['times_faster'][way]:.2f} | {loss:.4f} "
            f"| {100 * (loss / plain - 1):+.1f} % |"
        )
    yield ""
    is_near = abs(sum(found["losses"]["fast"].values()) / plain - 1) <= NEAR
    met = found["times_faster"]["fast"] >= AIM and is_near
    verdict = "met" if met else "**missed**"
    yield f"Aim: fast at least {AIM:g} times faster with a loss within {100 * NEAR:g} %: {verdict}."


def main(
    style: Annotated[Path, typer.Option(help="A painting.")] = PAINTING,
    steps: Annotated[int, typer.Option(min=2, help="Of each way.")] = 60,
    side: Annotated[int, typer.Option(help="Pixels of a side.")] = 512,
    way: Annotated[str | None, typer.Option(hidden=True)] = None,
) -> None:
    """Measure and write the report."""
    if way:
        work(way, side, str(style))
        return
    with started(Path(__file__), WAYS, "--style", str(style), "--side", str(side)) as workers:
        rounds = in_turns(workers, steps - 1, "step")
        losses = {one: worker.ask("losses") for one, worker in workers.items()}
    found = {
        "side": side,
        "steps": steps,
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        **medians(rounds, PLAIN),
        "losses": losses,
    }
    publish("style_steps", found, report(found))


if __name__ == "__main__":
    typer.run(main)
