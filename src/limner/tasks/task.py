"""A kind of use: what a trained system, or one that optimises a picture, is good for."""

import shlex
from dataclasses import dataclass
from os import PathLike


@dataclass(frozen=True)
class Task:
    """One kind of use.

    Entries of the catalog name their tasks, and from these commands, hints, evaluation, lists and documents follow.
    """

    name: str
    command: str
    """Of `limner`, such as `upscale` or `restore denoise`."""
    arguments: tuple[str, ...] = ("photo.jpg",)
    """Of that command beside the model, as a hint shows them."""
    protocol: type | None = None
    """What a trained system that is used so offers beside `forward`; None: nothing."""
    evaluation: str | None = None
    """Of `limner evaluate`; None where the recipe alone measures."""

    def hint(self, model: str | PathLike[str]) -> str:
        """How a trained model is used, as a line for the shell.

        >>> Task("enlarge", "upscale").hint("a.safetensors")
        'limner upscale photo.jpg --model a.safetensors'
        """
        return shlex.join(["limner", *self.command.split(), *self.arguments, "--model", str(model)])
