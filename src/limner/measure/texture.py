"""How good a texture network is: the loss of its samples beside the way of the optimisation that it saves."""

import statistics
import time
from typing import NamedTuple

import torch

from limner.features.vgg16 import VGG, mean_responses
from limner.loops.optimize import Optimization, OptimizeConfig
from limner.loops.pictures import Pixels
from limner.measure.report import CASE, Report, Row, Table, figure
from limner.systems.feedforward.texture_network import TextureNetwork
from limner.systems.optimize.texture import TextureConfig, TextureObjective
from limner.types import Image, Precision

ADAM = OptimizeConfig(method="adam", learning_rate=0.05, steps=300)
LBFGS = OptimizeConfig(method="lbfgs", steps=300)


class Step(NamedTuple):
    """Where an optimisation stands: seconds of its steps so far, and the texture loss before the last one."""

    seconds: float
    loss: float


def objective(network: TextureNetwork, source: Image, *, precision: Precision = "exact") -> TextureObjective:
    """The texture loss that a network was trained on, of any picture; on the device of the source."""
    config = network.config
    vgg = VGG(config.layers, pooling=config.pooling, precision=precision, device=source.device)
    vgg.normalize(mean_responses(config.pooling))
    wanted = TextureConfig(layers=config.layers, relative=config.relative, pooling=config.pooling)
    return TextureObjective(vgg, source, wanted)


@torch.no_grad()
def sample_loss(
    network: TextureNetwork, energy: TextureObjective, size: tuple[int, int], num_samples: int = 8
) -> float:
    """The mean texture loss of the samples of the first seeds."""
    samples = (network.sample(size, seed) for seed in range(num_samples))
    return statistics.mean(energy(one.float())["texture"].item() for one in samples)


def sample_seconds(network: TextureNetwork, size: tuple[int, int], repeats: int = 15) -> float:
    """The median time of one sample, noise and all, after one that does not count."""
    seconds = []
    for seed in range(repeats + 1):
        begun = time.perf_counter()
        network.sample(size, seed)[0, 0, 0, 0].item()  # item() waits for a GPU
        seconds.append(time.perf_counter() - begun)
    return statistics.median(seconds[1:])


def optimise(
    energy: TextureObjective, source: Image, size: tuple[int, int], config: OptimizeConfig, *, until: float = 0.0
) -> list[Step]:
    """A texture sought from noise, to the last step of the configuration or until its loss is at `until`."""
    noise = torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(0)).to(source.device)
    start = source.mean((2, 3), keepdim=True) + source.std((2, 3), keepdim=True) * (noise - 0.5)
    run, found = Optimization(Pixels(start.clamp(0, 1)), energy, config), [Step(0.0, float("inf"))]
    while run.step_count < config.steps and found[-1].loss > until:
        begun = time.perf_counter()
        progress = run.step()
        found.append(Step(found[-1].seconds + time.perf_counter() - begun, progress.losses["texture"]))
    return found[1:]


def seconds_to(steps: list[Step], loss: float) -> float | None:
    """When an optimisation came to a loss; None if it did not.

    A step tells the loss before it, so that the picture of a loss was there when the step before had been made.
    """
    for number, step in enumerate(steps):
        if step.loss <= loss:
            return steps[number - 1].seconds if number else 0.0
    return None


def samples_report(network: TextureNetwork, source: Image, side: int, config: OptimizeConfig = ADAM) -> Report:
    """The loss of a network's samples beside what an optimisation begins and ends with; the card keeps them."""
    loss_of = objective(network, source)
    found = optimise(loss_of, source, (side, side), config)
    figures = {
        "loss": sample_loss(network, loss_of, (side, side)),
        "optimised_loss": found[-1].loss,
        "noise_loss": found[0].loss,
    }
    columns = (
        CASE,
        figure("samples", "loss", ".4g"),
        figure("optimised pixels", "optimised_loss", ".4g"),
        figure("where these begin", "noise_loss", ".4g"),
    )
    what = f"Mean of 8 samples, beside {config.steps} steps of {config.method} on the pixels."
    row = Row(f"samples at {side}", "texture-network", figures)
    return Report.here(
        f"Samples of {side}x{side}", Table("texture loss", what, columns, (row,), dict.fromkeys(figures, ".4g"))
    )
