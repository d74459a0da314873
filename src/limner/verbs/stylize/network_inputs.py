"""What painters give to their networks: photos and noise as their ports say, the same for a part as for the whole."""

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from limner.ops.noise import noise_at
from limner.ports import Port
from limner.types import Image


@dataclass(frozen=True)
class NetworkInput:
    """One input of a network that a photo, a seed, or both make."""

    port: Port
    seed: int
    """Of its noise."""

    @property
    def shrink(self) -> int:
        """How many times smaller its sides are than those of the photo."""
        return round(1 / self.port.scale)

    def part(self, top: int, left: int, height: int, width: int, photo: Image | None = None) -> Tensor:
        """A part of it (n, c, height, width).

        Args:
            top: Its first row in the input.
            left: Its first column in the input.
            height: Its rows.
            width: Its columns.
            photo: The same part of the photo; only a photo port needs it. All pictures get the same noise.
        """
        if self.port.kind == "noise":
            kind = "uniform" if self.port.uniform else "normal"
            return noise_at(top, left, height, width, channels=self.port.channels, kind=kind, seed=self.seed)  # type: ignore[arg-type]
        assert photo is not None
        if not self.port.noise:
            return photo
        return photo + noise_at(top, left, height, width, seed=self.seed).mul_(self.port.noise)


def network_inputs(ports: Sequence[Port], seed: int) -> list[NetworkInput]:
    """What a photo and a seed make of some ports: photos, and noise; no two of them get the same noise."""
    noisy = [port for port in ports if port.kind == "noise" or port.noise]
    seeds = {port: seed * len(noisy) + number for number, port in enumerate(noisy)}
    return [NetworkInput(port, seeds.get(port, seed)) for port in ports if port.kind in ("photo", "noise")]


def whole_inputs(inputs: Sequence[NetworkInput], photo: Image) -> list[Tensor]:
    """All of them for a photo of a size that the network takes."""
    height, width = photo.shape[-2:]
    made = [one.part(0, 0, height // one.shrink, width // one.shrink, photo) for one in inputs]
    return [one.expand(len(photo), *(-1,) * 3) for one in made]
