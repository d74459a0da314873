"""`generate`: new pictures from chance, by a trained generator."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from limner.catalog.models import load
from limner.errors import LimnerError
from limner.ports import Port, Ported
from limner.runtime.device import choose_device
from limner.tasks.draw_inputs import with_drawn
from limner.tasks.generate import GENERATE


def generate(
    model: str, classes: int | Sequence[int] | None = None, *, count: int = 16, seed: int = 0, device: str = "auto"
) -> Float[Tensor, "n c h w"]:
    """New pictures, in [0, 1]; picture k is made by the seed `seed + k`, however many there are.

    Args:
        model: The name of an embedded model, or a path to a weight file.
        classes: The class of all pictures, or several that come in turn; None takes all that the model knows.
        count: Of pictures.
        seed: Of their latents.
        device: `auto`, `cpu`, `cuda` or `mps`.

    Raises:
        LimnerError: If there is no such model, it makes no pictures, or it knows no such class.
    """
    if count < 1:
        raise LimnerError(f"--count must be at least 1 picture, got {count}")
    system, _ = load(model, GENERATE)
    chosen = choose_device(device)
    assert isinstance(system, Ported)
    ports = system.inputs
    wanted = _classes(model, ports, classes, count)
    system.to(chosen)
    made = []
    with torch.inference_mode():
        for number in range(count):
            labels = [] if wanted is None else [wanted[number : number + 1]]
            rng = torch.Generator().manual_seed(seed + number)
            inputs = with_drawn(ports, labels, number=1, rng=rng)
            made.append(system(*(one.to(chosen) for one in inputs)).float().cpu())
    return torch.cat(made).clamp(0, 1)


def _classes(model: str, ports: Sequence[Port], asked: int | Sequence[int] | None, count: int) -> Tensor | None:
    """The class of each picture; None where the model knows none."""
    known = next((port.channels for port in ports if port.kind == "class"), None)
    if known is None:
        if asked is not None:
            raise LimnerError(f"{model} knows no classes: leave out --class")
        return None
    several = list(range(known)) if asked is None else [asked] if isinstance(asked, int) else list(asked)
    for one in several:
        if not 0 <= one < known:
            raise LimnerError(f"a class of {model} is a number from 0 to {known - 1}, got {one}: name one of them")
    return torch.tensor([several[number % len(several)] for number in range(count)])
