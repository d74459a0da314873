"""The latents of a generator by what users name: seeds, and pictures where it has an encoder."""

import re
from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import TypeAlias

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from limner.arguments import check_seed, whole_numbers
from limner.data.folder import find_images
from limner.data.small_pictures import colours_of, read_small, squeezed
from limner.errors import LimnerError
from limner.ops.latents import lerp, slerp, truncated_normal
from limner.ports import Port, Ported
from limner.tasks.draw_inputs import with_drawn
from limner.tasks.generate import Encoder

_STANDING_BATCHES, _STANDING_SIZE = 16, 50  # of which statistics are taken
_STANDING_SEED = 2**31  # their first: far from those that users name
_AT_ONCE = 100  # pictures whose latents are found together

Place: TypeAlias = int | str | PathLike[str]
"""A seed, a picture, or a folder of pictures, which means their average."""


class Latents:
    """The latents that a system takes."""

    def __init__(self, name: str, system: nn.Module, truncation: float | None = None) -> None:
        """Take a system, how it is called in errors, and how far from the mean latents may be.

        Raises:
            LimnerError: If latents are not normal, and so cannot be truncated.
        """
        assert isinstance(system, Ported)
        self.name, self.system, self.truncation = name, system, truncation
        self.ports: Sequence[Port] = system.inputs
        self.port, *self.noises = (port for port in system.inputs if port.kind == "latent")
        if truncation is not None and self.port.uniform:
            raise LimnerError(f"{name} takes uniform latents, which are not truncated: leave out truncation")

    @property
    def num_classes(self) -> int | None:
        """That the system knows; None: it is not asked for any."""
        return next((port.channels for port in self.ports if port.kind == "class"), None)

    @property
    def device(self) -> torch.device:
        """Where the system is."""
        return next(self.system.parameters()).device

    @property
    def unit(self) -> tuple[Tensor, Tensor]:
        """The mean of latents, (z,) or a scalar, and how far their numbers deviate from it, a scalar."""
        return torch.zeros(()), torch.ones(())

    def of_seed(self, seed: int) -> Float[Tensor, " z"]:
        """What that seed draws; truncated, numbers that are beyond it are drawn again."""
        rng = torch.Generator().manual_seed(seed)
        if self.truncation is not None:
            return truncated_normal(self.port.channels, self.truncation, rng)
        (latent,) = with_drawn([self.port], [], number=1, rng=rng)
        return latent[0]

    def noise_of(self, seed: int) -> list[Float[Tensor, " m"]]:
        """What a seed draws beside the latent, for a system that is given noise of its layers."""
        rng = torch.Generator().manual_seed(seed)
        return [noise[0] for noise in with_drawn([self.port, *self.noises], [], number=1, rng=rng)[1:]]

    @torch.no_grad()
    def pictures_of(
        self,
        latents: Float[Tensor, "n z"],
        noises: Sequence[Float[Tensor, "n m"]],
        label: Int[Tensor, " n"] | None = None,
    ) -> Float[Tensor, "n c h w"]:
        """Latents, noise of the layers and classes, as far as the system takes these -> pictures in [0, 1]."""
        return self.made_of(latents, noises, label).cpu().clamp(0, 1)

    def made_of(
        self, latents: Float[Tensor, "n z"], noises: Sequence[Float[Tensor, "n m"]], label: Tensor | None = None
    ) -> Float[Tensor, "n c h w"]:
        """The same where the system is, as it makes them."""
        given = {self.port.name: latents} | {port.name: noise for port, noise in zip(self.noises, noises, strict=True)}
        given |= {} if label is None else {port.name: label for port in self.ports if port.kind == "class"}
        made: Tensor = self.system(*(given[port.name].to(self.device) for port in self.ports))
        return made.float()

    def of(self, place: Place) -> Float[Tensor, " z"]:
        """That of a seed, of a picture, or the average over the pictures of a folder.

        Raises:
            LimnerError: If it is none of these, or there is no encoder for pictures.
        """
        if isinstance(place, int) or (isinstance(place, str) and place.isdecimal()):
            check_seed(int(place))
            return self.of_seed(int(place))
        path = Path(place)
        if not path.exists():
            raise LimnerError(f"a latent is that of a seed, a picture or a folder of pictures, got {str(place)!r}")
        return self._of_pictures(find_images(path) if path.is_dir() else [path]).mean(0)

    @torch.no_grad()
    def _of_pictures(self, paths: Sequence[Path]) -> Float[Tensor, "n z"]:
        if not isinstance(self.system, Encoder):
            raise LimnerError(
                f"{self.name} finds no latents of pictures, a vae or a stylegan does: name seeds, or project it, got "
                f"{paths[0]}"
            )
        read = self.pictures(paths)
        return torch.cat([self.system.latents(some.to(self.device)).cpu() for some in read.split(_AT_ONCE)])

    def pictures(self, paths: Sequence[Path]) -> Float[Tensor, "n c s s"]:
        """Pictures of files in [0, 1], squeezed to what the system makes.

        Raises:
            LimnerError: If one cannot be read.
        """
        assert isinstance(self.system, Ported)
        (made,) = self.system.outputs
        colours, side = colours_of(made.channels), round(made.scale)
        return torch.stack([squeezed(read_small(path, colours=colours), side) for path in paths]) / 255

    def way(self, first: Place, last: Place, count: int) -> Float[Tensor, "n z"]:
        """So many latents from one to the other, both included: straight if uniform, else on a great circle."""
        shares = torch.linspace(0, 1, count)
        return (lerp if self.port.uniform else slerp)(self.of(first), self.of(last), shares)

    def sum_of(self, text: str) -> Float[Tensor, "n z"]:
        """The terms of a sum, each the average of what it names, and at last the sum: `3,7 - 4-6 + face.png`.

        Raises:
            LimnerError: If it is no sum.
        """
        signs, names = terms_of(text)
        terms = torch.stack([self._average(name) for name in names])
        return torch.cat([terms, (torch.tensor(signs)[:, None] * terms).sum(0, keepdim=True)])

    def _average(self, text: str) -> Float[Tensor, " z"]:
        """Of seeds with commas between, or of pictures."""
        seeds: list[int] = [] if Path(text).exists() and not text.isdecimal() else whole_numbers("a term", text)
        return torch.stack([self.of_seed(seed) for seed in seeds]).mean(0) if seeds else self.of(text)


def terms_of(text: str) -> tuple[list[float], list[str]]:
    """The signs of the terms of a sum, and what these name.

    >>> terms_of("3,7 - 4 + 9")
    ([1.0, -1.0, 1.0], ['3,7', '4', '9'])

    Raises:
        LimnerError: If it is no sum.
    """
    parts = re.split(r"\s+([+-])\s+", text.strip())
    if not all(parts[::2]):
        raise LimnerError(f"arithmetic is terms with ' + ' and ' - ' between them, got {text!r}: as '3,7 - 4 + 9'")
    return [1.0, *(1.0 if sign == "+" else -1.0 for sign in parts[1::2])], parts[::2]


@torch.inference_mode()
def with_standing_statistics(latents: Latents) -> None:
    """Let batch norms keep the statistics of what is drawn now: those of training are of latents without truncation.

    Brock et al. 2018, arXiv:1809.11096, appendix B. Models without batch norm, and latents without truncation, stay.
    """
    norms = [module for module in latents.system.modules() if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d)]
    if latents.truncation is None or not norms:
        return
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the mean of all batches
        norm.train()
    for batch in range(_STANDING_BATCHES):
        seeds = range(_STANDING_SEED + batch * _STANDING_SIZE, _STANDING_SEED + (batch + 1) * _STANDING_SIZE)
        drawn = torch.stack([latents.of_seed(seed) for seed in seeds])
        label = None if latents.num_classes is None else torch.tensor(seeds) % latents.num_classes
        latents.pictures_of(drawn, [torch.stack(one) for one in zip(*map(latents.noise_of, seeds), strict=True)], label)
    for norm in norms:
        norm.eval()
