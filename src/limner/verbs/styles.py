"""What is done with styles: Karras et al. 2019, arXiv:1812.04948, figures 3 and 4 and appendix B."""

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from limner.arguments import check_word
from limner.errors import LimnerError
from limner.ops.latents import lerp, truncated
from limner.tasks.generate import Styled
from limner.verbs.latents import Latents, Place

_FIRST_SIDE = {"coarse": 4, "middle": 16, "fine": 64}
"""Of the maps of each scale of layers."""

_TRUNCATED_SIDE = 32  # up to which styles are: the first eight layers
_SAMPLES = 10_000  # of which the directions are found
_AT_ONCE = 50


class Styles(Latents):
    """Latents that are styles: ways between them are straight, and truncation draws them to the mean one."""

    def __init__(self, name: str, system: nn.Module, truncation: float | None = None) -> None:
        """Take a system of styles, and the factor on what the first styles have beside the mean."""
        super().__init__(name, system, truncation)
        assert isinstance(system, Styled)
        self.styled: Styled = system

    def of_seed(self, seed: int) -> Float[Tensor, " z"]:
        """The style of what that seed draws."""
        latent = Latents(self.name, self.system).of_seed(seed)
        return self.of_latents(latent[None])[0]

    def of_latents(self, latent: Float[Tensor, "n z"]) -> Float[Tensor, "n z"]:
        """The styles of normal latents."""
        with torch.inference_mode():
            return self.styled.styles_of(latent.to(self.device))[:, 0].cpu()

    def way(self, first: Place, last: Place, count: int) -> Float[Tensor, "n z"]:
        """So many styles from one to the other, both included."""
        return lerp(self.of(first), self.of(last), torch.linspace(0, 1, count))

    def pictures_of(
        self, latents: Tensor, noises: Sequence[Float[Tensor, "n m"]], label: Tensor | None = None
    ) -> Float[Tensor, "n c h w"]:
        """Styles (n, z) of all layers, or (n, l, z) of each, and noise -> pictures in [0, 1]."""
        num_layers = len(self.styled.layer_sides)
        styles = latents if latents.dim() == 3 else latents[:, None].expand(-1, num_layers, -1)
        if self.truncation is not None:
            early = sum(side <= _TRUNCATED_SIDE for side in self.styled.layer_sides)
            styles = truncated(styles, self.styled.center.cpu(), self.truncation, early)
        made = []
        for first in range(0, len(styles), _AT_ONCE):
            part = slice(first, first + _AT_ONCE)
            given = [noise[part].to(self.device) for noise in noises]
            made.append(self.styled.picture_of(styles[part].to(self.device), *given).float().cpu())
        return torch.cat(made).clamp(0, 1)

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
def along(styles: Styles, seeds: Sequence[int], number: int, count: int, most: float = 2.0) -> Float[Tensor, "n c h w"]:
    """For each seed so many pictures on a line through its style, along a principal direction of all styles.

    Harkonen, Hertzmann, Lehtinen and Paris, "GANSpace", NeurIPS 2020, arXiv:2004.02546, section 3.1.

    Args:
        styles: Of a system.
        seeds: Of the pictures in the middle.
        number: Of the direction; along the first one styles differ most.
        count: Of pictures.
        most: How far the line goes each way, in deviations of the styles along it.

    Raises:
        LimnerError: If there are fewer directions.
    """
    found = directions(styles)
    if not 1 <= number <= len(found):
        raise LimnerError(f"a direction is one from 1 to {len(found)}, got {number}")
    line = torch.linspace(-most, most, count)[:, None] * found[number - 1]
    rows = []
    for seed in seeds:
        noise = [one.expand(count, -1) for one in styles.noises_of([seed])]
        rows.append(styles.pictures_of(styles.of_seed(seed) + line, noise))
    return torch.cat(rows)


def directions(styles: Styles) -> Float[Tensor, "z z"]:
    """The principal directions of styles, the one of most variance first, each as long as the deviation along it."""
    latent = torch.randn(_SAMPLES, styles.port.channels, generator=torch.Generator().manual_seed(0))
    sample = styles.of_latents(latent)
    sample = sample - sample.mean(0)
    _, lengths, rows = torch.linalg.svd(sample, full_matrices=False)
    signs = rows[torch.arange(len(rows)), rows.abs().argmax(1)].sign()  # or else each library chooses
    return rows * (signs * lengths / math.sqrt(_SAMPLES))[:, None]
