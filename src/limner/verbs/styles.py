"""What is done with styles: Karras et al. 2019, arXiv:1812.04948, figures 3 and 4 and appendix B.

The style of a picture, of all layers or of each, is sought as by Abdal, Qin and Wonka, "Image2StyleGAN", ICCV 2019,
arXiv:1904.03189; it is counted from the mean style, in deviations, as Karras et al. 2020, arXiv:1912.04958, appendix D.
"""

import math
from collections.abc import Sequence
from functools import cached_property
from os import PathLike
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor, nn

from limner.arguments import check_word
from limner.errors import LimnerError
from limner.ops.latents import lerp, truncated
from limner.systems.optimize.projection import USUAL, ProjectionConfig
from limner.tasks.generate import Styled
from limner.verbs.latents import Latents, Place, terms_of
from limner.verbs.project import projected

_FIRST_SIDE = {"coarse": 4, "middle": 16, "fine": 64}
"""Of the maps of each scale of layers."""

_TRUNCATED_SIDE = 32  # up to which styles are: the first eight layers
_SAMPLES = 10_000  # of which the directions are found
_AT_ONCE = 50
_BRIEF = USUAL.model_copy(update={"optimize": USUAL.optimize.model_copy(update={"steps": 100})})
"""How the styles of pictures are sought that are averaged, or stand at the ends of a way."""


class Styles(Latents):
    """Latents that are styles: ways between them are straight, and truncation draws them to the mean one."""

    def __init__(self, name: str, system: nn.Module, truncation: float | None = None) -> None:
        """Take a system of styles, and the factor on what the first styles have beside the mean."""
        super().__init__(name, system, truncation)
        assert isinstance(system, Styled)
        self.styled: Styled = system

    @cached_property
    def unit(self) -> tuple[Tensor, Tensor]:
        """The mean style, and how far the numbers of styles deviate from it."""
        center = self.styled.center.cpu()
        return center, (_sample(self) - center).square().mean().sqrt()

    def of_seed(self, seed: int) -> Float[Tensor, " z"]:
        """The style of what that seed draws."""
        latent = Latents(self.name, self.system).of_seed(seed)
        return self.of_latents(latent[None])[0]

    def of_latents(self, latent: Float[Tensor, "n z"]) -> Float[Tensor, "n z"]:
        """The styles of normal latents."""
        with torch.no_grad():
            return self.styled.styles_of(latent.to(self.device))[:, 0].cpu()

    def _of_pictures(self, paths: Sequence[Path]) -> Float[Tensor, "n z"]:
        found = [projected(self, one, config=_BRIEF).latent for one in self.pictures(paths)]
        return torch.stack(found)

    def way(self, first: Place, last: Place, count: int) -> Float[Tensor, "n z"]:
        """So many styles from one to the other, both included."""
        return lerp(self.of(first), self.of(last), torch.linspace(0, 1, count))

    @torch.no_grad()
    def pictures_of(
        self, latents: Tensor, noises: Sequence[Float[Tensor, "n m"]], label: Tensor | None = None
    ) -> Float[Tensor, "n c h w"]:
        """Styles (n, z) of all layers, or (n, l, z) of each, and noise -> pictures in [0, 1]."""
        parts = [slice(first, first + _AT_ONCE) for first in range(0, len(latents), _AT_ONCE)]
        made = [self.made_of(latents[part], [noise[part] for noise in noises]).cpu() for part in parts]
        return torch.cat(made).clamp(0, 1)

    def made_of(
        self, latents: Tensor, noises: Sequence[Float[Tensor, "n m"]], label: Tensor | None = None
    ) -> Float[Tensor, "n c h w"]:
        """The same where the system is, all at once."""
        num_layers = len(self.styled.layer_sides)
        styles = latents if latents.dim() == 3 else latents[:, None].expand(-1, num_layers, -1)
        if self.truncation is not None:
            early = sum(side <= _TRUNCATED_SIDE for side in self.styled.layer_sides)
            styles = truncated(styles, self.styled.center.to(styles.device), self.truncation, early)
        given = [noise.to(self.device) for noise in noises]
        return self.styled.picture_of(styles.to(self.device), *given).float()

    def noises_of(self, seeds: Sequence[int]) -> list[Float[Tensor, "n m"]]:
        """What each seed draws beside its latent."""
        drawn = [self.noise_of(seed) for seed in seeds]
        return [torch.stack(one) for one in zip(*drawn, strict=True)]


def latents_of(name: str, system: nn.Module, truncation: float | None = None) -> Latents:
    """The latents of a system, or its styles where it has any."""
    has_styles = isinstance(system, Styled) and system.has_styles
    return (Styles if has_styles else Latents)(name, system, truncation)


@torch.inference_mode()
def mixture(styles: Styles, seeds: Sequence[int], others: Sequence[int], scale: str) -> Float[Tensor, "n c h w"]:
    """Figure 3: a row of pictures, then for each of the others a row: itself, and each of the first with its styles.

    Args:
        styles: Of a system.
        seeds: Of the pictures in the first row, of which all other styles and the noise are.
        others: Of those in the first column, which give the layers of the scale.
        scale: `coarse` layers have up to 8 pixels a side, `middle` ones 16 and 32, `fine` ones more.
    """
    columns = torch.stack([styles.of_seed(seed) for seed in seeds])
    rows = torch.stack([styles.of_seed(seed) for seed in others])
    taken = layers_of(scale, styles.styled.layer_sides)
    noise = styles.noises_of(seeds)
    top = styles.pictures_of(columns, noise)
    made = [torch.ones_like(top[:1]), top]
    for row, own in zip(rows, styles.pictures_of(rows, styles.noises_of(others)), strict=True):
        mixed = torch.where(taken[:, None], row, columns[:, None])
        made += [own[None], styles.pictures_of(mixed, noise)]
    return torch.cat(made)


def layers_of(scale: str, sides: Sequence[int]) -> Tensor:
    """Which layers are of a scale, given the sides of their maps.

    Raises:
        LimnerError: If there are none, or no such scale.

    >>> layers_of("middle", [4, 8, 16, 32, 64])
    tensor([False, False,  True,  True, False])
    """
    check_word("mix", scale, _FIRST_SIDE)
    bounds = [*_FIRST_SIDE.values(), math.inf]
    number = list(_FIRST_SIDE).index(scale)
    taken = torch.tensor([bounds[number] <= side < bounds[number + 1] for side in sides])
    if not taken.any():
        raise LimnerError(f"pictures of {max(sides)} pixels have no layers that are {scale}: take coarse or middle")
    return taken


@torch.inference_mode()
def noise_variation(styles: Styles, seeds: Sequence[int], draws: int) -> Float[Tensor, "n c h w"]:
    """Figure 4: for each seed its picture by so many draws of noise, then how much each pixel deviates, 1 at most.

    Raises:
        LimnerError: If the model has no noise.
    """
    rows = []
    for seed in seeds:
        noise = styles.noises_of(range(seed, seed + draws))
        if not noise:
            raise LimnerError(f"{styles.name} was trained without noise of its layers: leave out noise_draws")
        made = styles.pictures_of(styles.of_seed(seed).expand(draws, -1), noise)
        deviation = made.std(0, keepdim=True, unbiased=False).mean(1, keepdim=True).expand_as(made[:1])
        rows += [made, deviation / deviation.max().clamp(min=1e-6)]
    return torch.cat(rows)


@torch.inference_mode()
def along(
    styles: Styles,
    middle: Float[Tensor, " k *z"],
    noises: Sequence[Float[Tensor, "k numbers"]],
    line: Float[Tensor, "n z"],
) -> Float[Tensor, "m c h w"]:
    """For each of some styles, or styles of all layers, a picture at each place of a line that is laid through it.

    Args:
        styles: Of a system.
        middle: Where the lines are laid.
        noises: Of their pictures.
        line: Differences from there, as `line_of` gives them.
    """
    rows = []
    for number, one in enumerate(middle):
        places = one + (line if one.dim() == 1 else line[:, None])
        rows.append(styles.pictures_of(places, [noise[number].expand(len(line), -1) for noise in noises]))
    return torch.cat(rows)


def line_of(styles: Styles, direction: int | str, count: int, most: float = 2.0) -> Float[Tensor, "n z"]:
    """So many places on a line through 0.

    Args:
        styles: Of a system.
        direction: The number of a principal direction, whose ends are `most` deviations away: Harkonen, Hertzmann,
            Lehtinen and Paris, "GANSpace", NeurIPS 2020, arXiv:2004.02546, section 3.1. Or a difference of means such
            as `3,7 - 4,9`, of seeds, pictures or folders of pictures, which is as far away as it is long.
        count: Of places.
        most: Deviations.

    Raises:
        LimnerError: If there are fewer directions, or it is no difference.
    """
    if isinstance(direction, str) and not direction.isdecimal():
        signs, _ = terms_of(direction)
        if sum(signs):
            raise LimnerError(f"a direction is a number, or a difference such as '3,7 - 4', got {direction!r}")
        return torch.linspace(-1, 1, count)[:, None] * styles.sum_of(direction)[-1]
    found = directions(styles)
    if not 1 <= int(direction) <= len(found):
        raise LimnerError(f"a direction is one from 1 to {len(found)}, got {direction}")
    return torch.linspace(-most, most, count)[:, None] * found[int(direction) - 1]


def edited(
    styles: Styles,
    photos: Sequence[str | PathLike[str]],
    line: Float[Tensor, "n z"],
    *,
    seed: int = 0,
    num_layers: int | None = None,
    config: ProjectionConfig = USUAL,
) -> Float[Tensor, "m c h w"]:
    """For each photo a row: itself, and what it becomes along a line through the style that is sought for it.

    Args:
        styles: Of a system.
        photos: Their files.
        line: As `line_of` gives it.
        seed: As for `projections`.
        num_layers: As there.
        config: As there.

    Raises:
        LimnerError: If a photo cannot be read.
    """
    rows, noises = [], [noise[None] for noise in styles.noise_of(seed)]
    for photo in styles.pictures([Path(one) for one in photos]):
        found = projected(styles, photo, seed=seed, num_layers=num_layers, config=config)
        rows += [photo[None], along(styles, found.latent[None], noises, line)]
    return torch.cat(rows)


def directions(styles: Styles) -> Float[Tensor, "z z"]:
    """The principal directions of styles, the one of most variance first, each as long as the deviation along it."""
    sample = _sample(styles)
    sample = sample - sample.mean(0)
    _, lengths, rows = torch.linalg.svd(sample, full_matrices=False)
    signs = rows[torch.arange(len(rows)), rows.abs().argmax(1)].sign()  # or else each library chooses
    return rows * (signs * lengths / math.sqrt(_SAMPLES))[:, None]


def _sample(styles: Styles) -> Float[Tensor, "n z"]:
    """Styles of chance, always the same."""
    latent = torch.randn(_SAMPLES, styles.port.channels, generator=torch.Generator().manual_seed(0))
    return styles.of_latents(latent)
