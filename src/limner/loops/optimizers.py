"""How a player moves: its optimiser, its learning rate over the run, its gradient clip."""

import math
from collections.abc import Callable, Iterable
from typing import Annotated, Any, Literal, Self

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn

from limner.config import Config

_Beta = Annotated[float, Field(ge=0, lt=1)]


class Adam(torch.optim.Adam):
    """Kingma and Ba 2015, arXiv:1412.6980, which goes through weights as they lie.

    torch's fused step makes contiguous copies of what lies in channels last, which takes twice as long as the step.
    What is remembered keeps the shapes of the weights.
    """

    def _init_group(
        self, group: dict[str, Any], params_with_grad: list[Tensor], grads: list[Tensor], *remembered: list[Tensor]
    ) -> Any:
        found = super()._init_group(group, params_with_grad, grads, *remembered)  # type: ignore[no-untyped-call, misc, unused-ignore]
        for number, weights in enumerate(params_with_grad):
            order = memory_order(weights)
            grads[number] = grads[number].permute(order).contiguous()
            for tensors in (params_with_grad, *remembered):
                if number < len(tensors) and tensors[number].dim() == len(order):
                    tensors[number] = tensors[number].permute(order)
        return found


class AdamW(Adam, torch.optim.AdamW):
    """Loshchilov and Hutter 2019, arXiv:1711.05101, likewise."""


def memory_order(tensor: Tensor) -> list[int]:
    """Its axes from the one whose neighbours lie farthest apart.

    >>> memory_order(torch.empty(2, 3, 4, 5).contiguous(memory_format=torch.channels_last))
    [0, 2, 3, 1]
    """
    strides = tensor.stride()
    return sorted(range(tensor.dim()), key=lambda axis: (-strides[axis], axis))


class OptimizerConfig(Config):
    """One player's optimiser."""

    kind: Literal["adam", "adamw", "sgd", "adagrad"] = "adam"
    learning_rate: float = Field(1e-4, gt=0, description="at its highest, before the schedule")
    betas: tuple[_Beta, _Beta] = Field((0.9, 0.999), description="Adam's beta_1, beta_2")
    momentum: float = Field(0.0, ge=0, lt=1, description="of SGD")
    weight_decay: float = Field(0.0, ge=0)

    def build(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        """The torch optimiser over `parameters`; fused where the device has it."""
        parameters = list(parameters)
        fused = all(parameter.device.type in ("cpu", "cuda") for parameter in parameters)
        if self.kind == "sgd":
            return torch.optim.SGD(
                parameters, self.learning_rate, self.momentum, weight_decay=self.weight_decay, fused=fused
            )
        if self.kind == "adagrad":
            return torch.optim.Adagrad(parameters, self.learning_rate, weight_decay=self.weight_decay)
        kind = Adam if self.kind == "adam" else AdamW
        return kind(parameters, self.learning_rate, self.betas, weight_decay=self.weight_decay, fused=fused)


class ScheduleConfig(Config):
    """The factor on the learning rate over the progress of a run, from 0 (start) to 1 (end).

    It stays 1 over the share `hold`, then falls as `kind` says until the end.
    """

    kind: Literal["constant", "step", "cosine", "linear", "inverse"] = "constant"
    warmup_steps: int = Field(0, ge=0, description="steps over which the factor rises from 0 to 1")
    hold: float = Field(0.0, ge=0, lt=1, description="share of the run before the factor begins to fall")
    every: float = Field(0.25, gt=0, le=1, description="step: the share of the run after which the rate falls")
    factor: float = Field(0.1, gt=0, le=1, description="step: what it falls by")
    final: float = Field(0.0, ge=0, le=1, description="cosine, linear, inverse: the factor at the end")

    @model_validator(mode="after")
    def _ends_above_zero(self) -> Self:
        if self.kind == "inverse" and not self.final:
            raise ValueError("a schedule of kind inverse never comes to 0: give it a final above 0")
        return self

    def factor_at(self, step: int, progress: float) -> float:
        """The factor for the step that is about to be made (0-based), in [0, 1]."""
        warmup = min(1.0, (step + 1) / self.warmup_steps) if self.warmup_steps else 1.0
        return warmup * self._fallen(min(max(progress - self.hold, 0.0), 1.0 - self.hold))

    def _fallen(self, past: float) -> float:
        """The factor after a share of the run has passed since `hold`."""
        if self.kind == "step":
            return self.factor ** math.floor(past / self.every + 1e-9)
        past /= 1 - self.hold
        if self.kind == "cosine":
            return self.final + (1 - self.final) * (1 + math.cos(math.pi * past)) / 2
        if self.kind == "linear":
            return 1 - (1 - self.final) * past
        if self.kind == "inverse":
            return 1 / (1 + (1 / self.final - 1) * past)
        return 1.0


class ClipConfig(Config):
    """What is done to large gradients before a move."""

    kind: Literal["none", "norm", "value", "adjustable"] = "none"
    threshold: float = Field(
        1.0,
        gt=0,
        description="norm: of all gradients; value: of each; adjustable: theta of [-theta / rate, theta / rate]",
    )

    def apply(
        self, parameters: list[nn.Parameter], learning_rate: float, norm: Callable[[list[nn.Parameter]], Tensor]
    ) -> None:
        """Clip the gradients in place. `adjustable` follows Kim et al. 2016 (VDSR), section 3.2.

        Args:
            parameters: Those that have gradients.
            learning_rate: Of this step.
            norm: Gives that of all their gradients, of which other processes may hold parts.
        """
        if self.kind == "norm":
            nn.utils.clip_grads_with_norm_(parameters, self.threshold, norm(parameters))
        elif self.kind == "value":
            nn.utils.clip_grad_value_(parameters, self.threshold)
        elif self.kind == "adjustable":
            nn.utils.clip_grad_value_(parameters, self.threshold / max(learning_rate, 1e-12))


def restore_optimizer(optimizer: torch.optim.Optimizer, state: dict[str, Any]) -> None:
    """Bring back an optimiser's memory, but keep its settings: the configuration may have changed them."""
    memory = ("params", "lr")  # each step sets the rate
    settings = [{key: value for key, value in group.items() if key not in memory} for group in optimizer.param_groups]
    optimizer.load_state_dict(state)
    for group, own in zip(optimizer.param_groups, settings, strict=True):
        group.update(own)
    _lay_out_like_weights(optimizer)


def _lay_out_like_weights(optimizer: torch.optim.Optimizer) -> None:
    """Give what an optimiser remembers the layout of its weights, which another processor may have saved in another.

    torch's fused steps on a CPU go through memory as it lies, and would mix up what belongs to different weights.
    """
    for parameter, memory in optimizer.state.items():
        for name, value in memory.items():
            if isinstance(value, Tensor) and value.shape == parameter.shape and value.stride() != parameter.stride():
                memory[name] = torch.empty_like(parameter, dtype=value.dtype).copy_(value)
