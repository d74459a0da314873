"""Small networks that predict styles, whose directions are not all nearly nought as in the beginning."""

import torch
from torch import nn

from limner.systems.feedforward.any_style import AnyStyle, AnyStyleConfig


def predictor(config: AnyStyleConfig) -> AnyStyle:
    """One by chance, as for use."""
    torch.manual_seed(0)
    made = AnyStyle(config)
    for norm in made.network.norms:
        for name in ("weight", "bias"):
            nn.init.normal_(norm.get_parameter(name)[7:], std=0.3)
    return made.eval().requires_grad_(False)
