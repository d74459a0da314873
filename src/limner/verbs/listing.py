"""`models`, `styles` and `load`: what comes with Limner, and a trained network to be used by hand."""

from os import PathLike
from typing import NamedTuple

from torch import nn

from limner.catalog.models import embedded, tasks_of
from limner.catalog.models import load as load_with_header
from limner.files.weights import read_header
from limner.verbs.stylize.named_styles import named_styles
from limner.verbs.stylize.network_painter import EMBEDDED, known_styles


class Model(NamedTuple):
    """A model that comes with Limner.

    Attributes:
        name: As `model=` takes it.
        system: What it is of.
        commands: What it is for, as the command line calls it; the functions are called alike.
    """

    name: str
    system: str
    commands: tuple[str, ...]


def models() -> list[Model]:
    """The models that come with Limner.

    Example:
        >>> import limner
        >>> next(one for one in limner.models() if one.name == "edsr-x2").commands
        ('upscale',)
    """
    headers = {name: read_header(path) for name, path in embedded().items()}
    return [
        Model(name, header.system, tuple(dict.fromkeys(task.command for task in tasks_of(header))))
        for name, header in headers.items()
    ]


def styles() -> list[str]:
    """The names of the styles that `stylize` knows without a picture, sorted.

    Example:
        >>> import limner
        >>> "great-wave" in limner.styles()
        True
    """
    of_network = known_styles() if EMBEDDED in embedded() else ()
    return sorted({*named_styles(), *of_network})


def load(model: str | PathLike[str]) -> nn.Module:
    """A trained network in evaluation mode, on the CPU.

    Args:
        model: The name of one of `models` or of one that `pull` has fetched, a .safetensors file, or a run's folder.

    Raises:
        LimnerError: If there is no such model, or its file is damaged.

    Example:
        >>> import limner, torch
        >>> network = limner.load("edsr-x2")
        >>> network.enlarge(torch.zeros(1, 3, 8, 8), 2).shape
        torch.Size([1, 3, 16, 16])
    """
    return load_with_header(model)[0]
