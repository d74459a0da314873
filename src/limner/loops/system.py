"""What the training loop asks of a system."""

from collections.abc import Iterator, Mapping
from typing import Any, Protocol, runtime_checkable

import torch
from torch import nn

from limner.ports import Port
from limner.processor import layout_on
from limner.types import Progress, Turn


class System(Protocol):
    """What `loops.fit` trains: an `nn.Module` that names its players and plays their turns."""

    @property
    def players(self) -> Mapping[str, nn.Module]:
        """Who is trained, by name, in turn order."""

    @property
    def inputs(self) -> tuple[Port, ...]:
        """What `forward` is given, in order."""

    @property
    def outputs(self) -> tuple[Port, ...]:
        """What `forward` gives."""

    def turns(self, batch: Any, progress: Progress) -> Iterator[Turn]:
        """Play one training step: each yield hands one player its losses and goes on once it has moved.

        Args:
            batch: Of the system's data.
            progress: What has been done before this step. Whatever changes over a run, such as a penalty of every 16th
                step or a layer that fades in, is a function of it alone, so that it survives a resume.
        """


@runtime_checkable
class LaidOut(Protocol):
    """A system that knows in which layout it learns fastest on a CPU; others have that of `processor.layout_on`."""

    @property
    def training_layout(self) -> torch.memory_format:
        """Of weights and pictures."""


def layout_of(system: nn.Module, device: torch.device) -> torch.memory_format:
    """The layout in which a system learns on a device."""
    if isinstance(system, LaidOut) and device.type == "cpu":
        return system.training_layout
    return layout_on(device, "weights")
