"""The running average of what a picture paints, and the step at which it varied least.

Wang, Li, Zhuang, Chen, Liang and Sun, "Early stopping for deep image prior", TMLR 2023, arXiv:2112.06074: ES-WMV
(algorithm 1). The outputs of a network that is fitted to a harmed picture vary less and less while it learns the
picture, and more again once it learns the harm.
Differs from the paper: the variance is taken over some of the pixels, on a regular grid, and what is given for the step
of least variance is the average up to it, not that step's output alone. Early averages forget faster, so that a short
run does not show its beginning.
"""

import torch
from pydantic import Field
from torch import Tensor, nn

from limner.config import Config
from limner.loops.pictures import NetworkPrior


class StoppingConfig(Config):
    """When a picture is as good as it gets."""

    window: int = Field(100, ge=2, description="W, outputs that a variance is of")
    patience: int = Field(1000, ge=1, description="P, steps without a smaller variance after which the run ends")
    side: int = Field(64, ge=1, description="pixels a side, or up to twice as many, that the variance is taken over")


class Smoothed(nn.Module):
    """A network prior that averages its outputs over the steps, and knows when they varied least.

    What it knows are buffers, so that a saved run goes on with them.

    Args of the constructor:
        prior: What is optimised.
        shape: Of its output.
        average: gamma of average = g average + (1 - g) output, g = min(gamma, (1 + n) / (10 + n)) after n steps; 0
            keeps the last output alone.
        stopping: When to stop; None is never.
    """

    average: Tensor
    best: Tensor
    window: Tensor
    steps: Tensor
    best_step: Tensor
    least_variance: Tensor

    def __init__(
        self, prior: NetworkPrior, shape: tuple[int, int, int, int], average: float, stopping: StoppingConfig | None
    ) -> None:
        super().__init__()
        self.prior, self.decay, self.stopping = prior, average, stopping
        self.register_buffer("average", torch.zeros(shape))
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))
        self.register_buffer("best_step", torch.zeros((), dtype=torch.int64))
        self.register_buffer("least_variance", torch.tensor(torch.inf, dtype=torch.float64))
        if stopping:
            self.register_buffer("best", torch.zeros(shape))
            self.register_buffer("window", self._grid(self.average).repeat(stopping.window, 1))

    def forward(self) -> Tensor:
        """What the prior paints."""
        return self.prior()

    @torch.no_grad()
    def constrain(self) -> None:
        """Take the output of the step that was made into the average and the window."""
        output = self.prior.latest()
        n = int(self.steps)
        self.average.lerp_(output, 1 - min(self.decay, (1 + n) / (10 + n)) if n else 1.0)
        self.steps += 1
        if self.stopping is None:
            return
        self.window[(self.steps - 1) % self.stopping.window] = self._grid(output)
        if self.steps >= self.stopping.window and (variance := self.variance()) < self.least_variance:
            self.least_variance.copy_(variance)
            self.best_step.copy_(self.steps)
            self.best.copy_(self.average)

    def latest(self) -> Tensor:
        """The average as it is now."""
        return self.average if self.steps else self.prior.latest()

    def result(self) -> Tensor:
        """The average at the step of least variance, or as it is now where none is looked for or found yet."""
        return self.best if self.stopping and self.best_step else self.latest()

    def variance(self) -> Tensor:
        """VAR = 1/W sum_w ||x_w - 1/W sum_i x_i||^2 over the last W outputs, the mean over the grid."""
        return self.window.double().var(dim=0, correction=0).mean()

    def is_past_best(self) -> bool:
        """Whether `patience` steps have brought no smaller variance."""
        if self.stopping is None or not self.best_step:
            return False
        return bool(self.steps - self.best_step >= self.stopping.patience)

    def _grid(self, output: Tensor) -> Tensor:
        assert self.stopping
        down, across = (max(1, side // self.stopping.side) for side in output.shape[-2:])
        return output[..., ::down, ::across].flatten()
