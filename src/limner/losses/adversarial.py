"""The game of two networks, from the discriminator's logits: its losses, and what keeps the discriminator smooth.

| kind | the discriminator lowers | the generator lowers | paper |
|---|---|---|---|
| minimax | -log D(x) - log(1 - D(G)) | log(1 - D(G)) | Goodfellow et al. 2014, arXiv:1406.2661, equation 1 |
| non_saturating | the same | -log D(G) | the same, section 3 |
| least_squares | (l(x) - 1)^2 + l(G)^2 | (l(G) - 1)^2 | Mao et al. 2017, arXiv:1611.04076, without their 1/2 |
| hinge | max(0, 1 - l(x)) + max(0, 1 + l(G)) | -l(G) | Lim and Ye 2017, arXiv:1705.02894 |
| wasserstein | l(G) - l(x) | -l(G) | Arjovsky et al. 2017, arXiv:1701.07875, equation 3 |

l is a logit, D its sigmoid, x a real picture and G a fake one; each term is the mean over all logits.
"""

from collections.abc import Callable
from typing import Literal, Self, TypeAlias

import torch
import torch.nn.functional as F
from jaxtyping import Float
from pydantic import Field, model_validator
from torch import Tensor

from limner.config import Config
from limner.types import Progress

GameKind: TypeAlias = Literal["minimax", "non_saturating", "least_squares", "hinge", "wasserstein"]
"""Which of the games of the module's table is played."""

Discriminate: TypeAlias = Callable[[Tensor], Tensor]
"""From pictures to logits: a discriminator, with what else it is given bound to it."""

_LABELLED = ("minimax", "non_saturating", "least_squares")


class GameConfig(Config):
    """Which game is played, and what is added to it."""

    kind: GameKind = Field("non_saturating", description="minimax saturates where the discriminator is sure")
    label_smoothing: float = Field(
        0.0, ge=0, lt=0.5, description="what the label of real pictures lacks of 1: Salimans et al. 2016, section 3.4"
    )
    instance_noise: float = Field(
        0.0, ge=0, description="deviation of noise on all that is judged; it falls to 0 over the run"
    )
    gradient_penalty: float = Field(0.0, ge=0, description="lambda of WGAN-GP; 10 there")
    r1: float = Field(0.0, ge=0, description="gamma of the penalty on real pictures")
    r2: float = Field(0.0, ge=0, description="gamma of the penalty on fake pictures")
    penalty_every: int = Field(1, ge=1, description="steps from one penalty to the next, which weighs as many times")

    @model_validator(mode="after")
    def _smooths_labels(self) -> Self:
        if self.label_smoothing and self.kind not in _LABELLED:
            raise ValueError(f"label_smoothing needs labels, and {self.kind} has none: take {', '.join(_LABELLED)}")
        return self

    def discriminator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        """What the discriminator lowers, a scalar."""
        return discriminator_loss(real_logits, fake_logits, self.kind, label_smoothing=self.label_smoothing)

    def generator(self, fake_logits: Tensor) -> Tensor:
        """What the generator lowers, a scalar."""
        return generator_loss(fake_logits, self.kind)

    def noisy(self, image: Tensor, progress: Progress) -> Tensor:
        """A picture as it is judged: with the instance noise of this step."""
        return with_instance_noise(image, self.instance_noise * (1 - progress.share))

    def penalties(
        self, discriminate: Discriminate, real: Tensor, fake: Tensor, progress: Progress
    ) -> dict[str, Tensor]:
        """The penalties on the discriminator that are due in this step, already weighted, by their names."""
        if progress.step % self.penalty_every:
            return {}
        found: dict[str, Tensor] = {}
        if self.gradient_penalty:
            found["gradient_penalty"] = self.gradient_penalty * gradient_penalty(discriminate, real, fake)
        if self.r1:
            found["r1"] = self.r1 / 2 * squared_gradient(discriminate, real)
        if self.r2:
            found["r2"] = self.r2 / 2 * squared_gradient(discriminate, fake)
        return {name: self.penalty_every * penalty for name, penalty in found.items()}


def discriminator_loss(
    real_logits: Tensor, fake_logits: Tensor, kind: GameKind = "non_saturating", *, label_smoothing: float = 0.0
) -> Tensor:
    """What the discriminator lowers, a scalar.

    Args:
        real_logits: Of real pictures, of any shape.
        fake_logits: Of generated ones.
        kind: Which game.
        label_smoothing: Real pictures have the label 1 minus this, fake ones keep 0 (Salimans et al. 2016,
            arXiv:1606.03498, section 3.4); hinge and wasserstein have no labels.
    """
    real, fake = real_logits.float(), fake_logits.float()
    if kind == "least_squares":
        return (real - 1 + label_smoothing).square().mean() + fake.square().mean()
    if kind == "hinge":
        return F.relu(1 - real).mean() + F.relu(1 + fake).mean()
    if kind == "wasserstein":
        return fake.mean() - real.mean()
    # -t log D - (1 - t) log(1 - D) = softplus(-l) + (1 - t) l for a label t
    return F.softplus(-real).mean() + label_smoothing * real.mean() + F.softplus(fake).mean()


def generator_loss(fake_logits: Tensor, kind: GameKind = "non_saturating") -> Tensor:
    """What the generator lowers, a scalar; minimax alone has next to no gradient where the discriminator is sure."""
    fake = fake_logits.float()
    if kind == "minimax":
        return -F.softplus(fake).mean()
    if kind == "non_saturating":
        return F.softplus(-fake).mean()
    if kind == "least_squares":
        return (fake - 1).square().mean()
    return -fake.mean()


def gradient_penalty(discriminate: Discriminate, real: Tensor, fake: Tensor) -> Tensor:
    """The mean of (|gradient| - 1)^2 at points between real and fake pictures, a scalar: it keeps slopes near 1.

    Gulrajani et al. 2017, arXiv:1704.00028, equation 3, without lambda. The points are drawn from the global random
    numbers.
    """
    share = torch.rand(len(real), *[1] * (real.dim() - 1), device=real.device)
    between = torch.lerp(real.detach().float(), fake.detach().float(), share)
    return (_gradient(discriminate, between).norm(dim=1) - 1).square().mean()


def squared_gradient(discriminate: Discriminate, image: Tensor) -> Tensor:
    """The mean over pictures of |gradient|^2, a scalar: R1 at real pictures, R2 at fake ones, without gamma / 2.

    Mescheder, Geiger and Nowozin 2018, arXiv:1801.04406, equations 9 and 10.
    """
    return _gradient(discriminate, image.detach().float()).square().sum(1).mean()


def with_instance_noise(image: Tensor, deviation: float) -> Tensor:
    """A picture with normal noise on it, so that real and fake ones overlap.

    Sønderby et al. 2017, arXiv:1610.04490, section 3.2. The noise is drawn from the global random numbers.
    """
    return image + deviation * torch.randn_like(image) if deviation else image


def _gradient(discriminate: Discriminate, image: Tensor) -> Float[Tensor, "n d"]:
    """Of the logit of each picture with respect to it; of several logits, as of a PatchGAN, of their mean."""
    place = image.clone().requires_grad_()
    logits = discriminate(place).float()
    (gradient,) = torch.autograd.grad(logits.flatten(1).mean(1).sum(), place, create_graph=True)
    return gradient.float().flatten(1)
