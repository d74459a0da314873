"""Why pixel losses blur: the best answer to targets that are a little off each other is their mean.

`python -m limner.experiments.pixel_loss --output sheet.png` shows a photo, two of its shifted copies, what is nearest
to all copies in pixels, and what is nearest to all in the activations of VGG-16 (Gatys et al. 2016; Johnson, Alahi and
Fei-Fei, "Perceptual losses for real-time style transfer and super-resolution", 2016, arXiv:1603.08155).
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import torch
import typer
from jaxtyping import Float
from torch import Tensor

from limner.experiments.command import begin, finish, image_of, opened, run_program, tell
from limner.experiments.options import PHOTO, Output, Photo, Seed, Size, Steps, Threads
from limner.features.vgg16 import VGG
from limner.loops.optimize import Objective, OptimizeConfig, optimize
from limner.loops.optimizers import ScheduleConfig
from limner.loops.pictures import Pixels
from limner.losses.total_variation import total_variation
from limner.media.contact_sheet import Panel
from limner.systems.optimize.inversion import relative_distance
from limner.types import Image

LAYERS = ("relu3_1", "relu4_1")
_TV_WEIGHT = 1.0


def shifted_copies(photo: Image, count: int, most: int, seed: int) -> Float[Tensor, "count 3 H W"]:
    """So many copies (n, 3, h, w), each moved by up to so many pixels in each direction and cut alike on all sides."""
    generator = torch.Generator().manual_seed(seed)
    height, width = (side - 2 * most for side in photo.shape[-2:])
    places = torch.randint(0, 2 * most + 1, (count, 2), generator=generator).tolist()
    return torch.cat([photo[..., top : top + height, left : left + width] for top, left in places])


def pixel_loss(targets: Image) -> Objective:
    """The mean of ||x - y_i||^2 over the targets and pixels."""
    return lambda image: {"pixels": (image - targets).square().mean()}


def perceptual_loss(targets: Image, layers: Sequence[str] = LAYERS) -> Objective:
    """The mean of ||F(x) - F(y_i)||^2 over the targets, up to a constant.

    That is ||F(x) - mean F(y_i)||^2, for every layer relative to the norm of the mean.
    """
    vgg = VGG(layers, precision="fast", device=targets.device)
    with torch.no_grad():
        means = _means(vgg, targets)

    def objective(image: Tensor) -> Mapping[str, Tensor]:
        distances = [relative_distance(map, means[layer]) for layer, map in vgg(image).items()]
        return {"features": torch.stack(distances).mean(), "variation": _TV_WEIGHT * total_variation(image)}

    return objective


def _means(vgg: Callable[[Tensor], Mapping[str, Tensor]], targets: Image) -> dict[str, Tensor]:
    total: dict[str, Tensor] = {}
    for target in targets.split(1):
        for layer, map in vgg(target).items():
            total[layer] = total.get(layer, torch.zeros(())) + map.float() / len(targets)
    return total


def sharpness(image: Image) -> float:
    """The mean size of the gradient, in gray levels of 1 a pixel."""
    return total_variation(image, beta=1.0).item()


def best_answer(start: Image, objective: Objective, steps: int) -> Image:
    """What lowers a loss most, from a picture on."""
    config = OptimizeConfig(steps=steps, learning_rate=0.05, schedule=ScheduleConfig(kind="cosine", final=0.02))
    return image_of(optimize(Pixels(start), objective, config))


def sheet(photo: Image, *, copies: int, most: int, steps: int, seed: int) -> list[Panel]:
    """The panels: the photo, two targets, and the two answers."""
    targets = shifted_copies(photo, copies, most, seed)
    middle = photo[..., most:-most, most:-most]
    start = torch.full_like(middle, 0.5)
    answers = {
        "least pixel loss": best_answer(start, pixel_loss(targets), steps),
        "least perceptual loss": best_answer(start, perceptual_loss(targets), steps),
    }
    whole = sharpness(middle)
    panels = [Panel("photo", middle), Panel("a target", targets[:1]), Panel("another", targets[1:2])]
    return panels + [Panel(f"{name} ({100 * sharpness(x) / whole:.0f} % sharp)", x) for name, x in answers.items()]


def main(
    output: Output = Path("pixel_loss.png"),
    photo: Photo = PHOTO,
    size: Size = 288,
    copies: int = typer.Option(16, min=2, help="Targets."),
    most: int = typer.Option(5, min=1, help="Pixels that a target is moved by at most."),
    steps: Steps = 150,
    seed: Seed = 0,
    threads: Threads = None,
) -> None:
    """Show what the least pixel loss and the least perceptual loss over shifted targets look like."""
    begin(threads)
    tell(f"two pictures of {steps} steps")
    finish(output, sheet(opened(photo, size), copies=copies, most=most, steps=steps or 150, seed=seed), 5)


if __name__ == "__main__":
    run_program(main)
