"""Changes of what a discriminator sees that are the more frequent the surer it is of the pictures that it learns from.

Karras, Aittala, Hellsten, Laine, Lehtinen and Aila, "Training generative adversarial networks with limited data",
NeurIPS 2020, arXiv:2006.06676, section 3.
"""

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from limner import processes
from limner.config import Config
from limner.ops.random_changes import random_changes

_EVERY = 4  # steps from one change of the probability to the next


class AdaptiveConfig(Config):
    """When what the discriminator sees is changed."""

    target: float = Field(0.0, ge=0, lt=1, description="mean sign of the logits of real pictures; 0.6 there; 0: never")
    thousands: int = Field(
        500, ge=1, description="of pictures, in which the probability of a change comes from 0 to 1 at most"
    )


class AdaptiveAugment(nn.Module):
    """Keeps the probability, which is part of what a resumed run goes on from."""

    probability: Tensor
    """Of each change, in [0, 1]."""
    seen: Tensor
    """Since the probability changed: steps, logits of real pictures, and the sum of their signs."""

    def __init__(self, config: AdaptiveConfig) -> None:
        super().__init__()
        self.config = config
        self.register_buffer("probability", torch.zeros(()))
        self.register_buffer("seen", torch.zeros(3))

    def forward(self, image: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        """Pictures about [-1, 1], each changed in its own way."""
        return random_changes(image, self.probability.item()) if self.config.target else image

    @torch.no_grad()
    def observe(self, real_logits: Tensor) -> None:
        """Count a step; each fourth one moves the probability, up if real pictures are known too well."""
        logits = real_logits.detach().float()
        told = processes.total(torch.stack([logits.new_tensor(logits.numel()), logits.sign().sum()]))
        self.seen += torch.cat([told.new_ones(1), told])
        steps, number, signs = self.seen.tolist()
        if steps < _EVERY:
            return
        move = number / (1000 * self.config.thousands) * (1 if signs / number > self.config.target else -1)
        self.probability.add_(move).clamp_(0, 1)
        self.seen.zero_()
