"""What is said of a foreign format: how it is recognised, and how its network becomes one of Limner's."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from limner.config import Config
from limner.errors import LimnerError
from limner.importers.checkpoint import Arrays


class Source:
    """The arrays of one file as a format takes them: each by its name, with the shape that it must have.

    Args of the constructor:
        path: Of the file, for errors.
        found: In it.
        title: Of the format, for errors.
    """

    def __init__(self, path: Path, found: Arrays, title: str) -> None:
        self.path, self.found, self.title = path, found, title
        self._left = set(found.arrays)

    @property
    def names(self) -> Iterable[str]:
        """Of all arrays."""
        return self.found.arrays

    def has(self, name: str) -> bool:
        """Whether there is one of that name."""
        return name in self.found.arrays

    def shape(self, name: str) -> tuple[int, ...]:
        """Of an array.

        Raises:
            LimnerError: If there is none of that name.
        """
        if not self.has(name):
            raise LimnerError(f"{self.path} is read as {self.title}, which must have {name}, and has none: see --as")
        return self.found.arrays[name].shape

    def width(self, name: str, axis: int = 0) -> int:
        """One side of an array.

        Raises:
            LimnerError: If there is none, or it has fewer sides.
        """
        shape = self.shape(name)
        if len(shape) <= axis:
            self.refuse(f"{name} must have {axis + 1} sides or more, got {len(shape)}")
        return shape[axis]

    def take(self, name: str, *shape: int) -> Tensor:
        """An array in float32.

        Args:
            name: As the file has it.
            shape: That it must have; none means any.

        Raises:
            LimnerError: If there is none, it has another shape, or holds what is no finite number.
        """
        came = self.shape(name)
        if shape and came != shape:
            self.refuse(f"{name} must be {_by(shape)}, got {_by(came)}")
        self._left.discard(name)
        try:
            tensor = self.found.arrays[name].tensor().float()
        except LimnerError as error:
            raise LimnerError(f"{self.path}: {name}: {error}") from None
        if not bool(tensor.isfinite().all()):
            self.refuse(f"{name} holds what are no finite numbers: get the file once more")
        return tensor

    def drop(self, pattern: str) -> None:
        """Leave out arrays whose names end so: what counts in training alone."""
        self._left = {name for name in self._left if not re.search(f"(?:{pattern})$", name)}

    def check_all_taken(self) -> None:
        """Refuse a file that holds more than what was taken or dropped.

        Raises:
            LimnerError: If it does.
        """
        if self._left:
            first = min(self._left)
            raise LimnerError(
                f"{self.path} is read as {self.title}, and holds {len(self._left)} arrays that this has no place for, "
                f"such as {first} ({_by(self.shape(first))}): it is of another network or of other flags"
            )

    def refuse(self, what: str) -> None:
        """Say that the file does not fit.

        Raises:
            LimnerError: Always.
        """
        raise LimnerError(f"{self.path} is read as {self.title}, but {what}")


@dataclass(frozen=True)
class Format:
    """One kind of files.

    Attributes:
        name: In errors and reports.
        title: Whose network it is.
        system: Of Limner's, that it becomes.
        matches: Whether arrays are of this kind, by their names.
        configure: The configuration of the system.
        convert: Its weights by that configuration.
        notes: What the file does not say and was taken as usual.
        most: Files that make one model.
        part: The player of the system that it becomes, of one that counts in training alone.
    """

    name: str
    title: str
    system: str
    matches: Callable[[Arrays], bool]
    configure: Callable[[Sequence[Source]], Config]
    convert: Callable[[Sequence[Source], Any], dict[str, Tensor]]
    notes: Callable[[Any], Sequence[str]] = field(default=lambda config: ())
    most: int = 1
    part: str = ""


def has(*patterns: str) -> Callable[[Arrays], bool]:
    r"""Whether arrays have a name of each of some patterns.

    >>> has(r"conv\d")(Arrays("", {}))
    False
    """
    compiled = [re.compile(pattern) for pattern in patterns]
    return lambda found: all(any(one.fullmatch(name) for name in found.arrays) for one in compiled)


def count(source: Source, pattern: str) -> int:
    """How many of a row of parts there are: one more than the largest number in names that begin so."""
    numbers = [int(match[1]) for name in source.names if (match := re.match(pattern, name))]
    return max(numbers, default=-1) + 1


def convolution(
    source: Source, name: str, out_channels: int, in_channels: int, kernel: int, *, bias: bool = True
) -> dict[str, Tensor]:
    """Weight and bias of one; without `bias` it has none in the file, and 0 here."""
    weight = source.take(f"{name}.weight", out_channels, in_channels, kernel, kernel)
    return {"weight": weight, "bias": source.take(f"{name}.bias", out_channels) if bias else torch.zeros(out_channels)}


def bias_of(source: Source, name: str, channels: int) -> Tensor:
    """The bias of a layer before a norm, which some have and some have not; then it is 0."""
    return source.take(f"{name}.bias", channels) if source.has(f"{name}.bias") else torch.zeros(channels)


def batch_norm(source: Source, name: str, channels: int, bias: Tensor | None = None) -> dict[str, Tensor]:
    """One with what it has seen; the bias of a layer before it becomes part of the mean that it takes away."""
    found = {
        part: source.take(f"{name}.{part}", channels) for part in ("weight", "bias", "running_mean", "running_var")
    }
    if bias is not None:
        found["running_mean"] = found["running_mean"] - bias
    source.drop(r"\.num_batches_tracked")
    return found | {"num_batches_tracked": torch.tensor(0)}


def instance_norm(source: Source, name: str, channels: int) -> dict[str, Tensor]:
    """Scale and shift of one; statistics that old files hold do not count."""
    source.drop(r"\.running_mean|\.running_var|\.num_batches_tracked")
    return {part: source.take(f"{name}.{part}", channels) for part in ("weight", "bias")}


def below(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The same with a prefix before the names.

    >>> below("down.0", {"bias": torch.zeros(1)})
    {'down.0.bias': tensor([0.])}
    """
    return {f"{prefix}.{name}": tensor for name, tensor in tensors.items()}


def _by(shape: Sequence[int]) -> str:
    return "x".join(map(str, shape)) or "one number"
