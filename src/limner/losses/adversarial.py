"""The game of two networks, from the discriminator's logits: the generator's loss is the one that does not saturate.

Goodfellow et al., "Generative adversarial nets", NeurIPS 2014, arXiv:1406.2661, section 3.
"""

import torch.nn.functional as F
from torch import Tensor


def discriminator_loss(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """-log D(real) - log(1 - D(fake)), each the mean over all logits; D is their sigmoid (equation 1)."""
    return F.softplus(-real_logits.float()).mean() + F.softplus(fake_logits.float()).mean()


def generator_loss(fake_logits: Tensor) -> Tensor:
    """-log D(fake), the mean over all logits: the loss whose gradient stays large where D is sure."""
    return F.softplus(-fake_logits.float()).mean()
