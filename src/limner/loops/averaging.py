"""The exponential moving average of a system's weights: what is evaluated and shipped.

Polyak & Juditsky, "Acceleration of stochastic approximation by averaging", SIAM J. Control 30(4), 1992.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel


class Average:
    """Follows `system` with weights averaged over about 1 / (1 - decay) steps; buffers are copied.

    The first update copies the weights, so that those from before training never count. After n updates, the
    next one is

        average = d average + (1 - d) weights,  d = min(decay, (1 + n) / (10 + n)),

    so that early averages are over fewer steps and forget the start.
    """

    def __init__(self, system: nn.Module, decay: float) -> None:
        self.decay = decay
        self._model = AveragedModel(system, multi_avg_fn=self._blend)

    def _blend(self, averaged: Any, current: Any, count: Any) -> None:
        n = int(count)  # updates so far; torch asks from the second one on
        decay = min(self.decay, (1 + n) / (10 + n))
        torch._foreach_lerp_(list(averaged), list(current), 1 - decay)

    def update(self, system: nn.Module) -> None:
        """Take one step towards the weights of `system`."""
        self._model.update_parameters(system)

    @property
    def system(self) -> nn.Module:
        """The averaged copy of the system."""
        return self._model.module

    def state_dict(self) -> dict[str, Tensor]:
        """All that `load_state_dict` needs to go on exactly."""
        return dict(self._model.state_dict())

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Go on from a saved state."""
        self._model.load_state_dict(state)
