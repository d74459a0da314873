"""How a player moves: its optimiser, its learning rate over the run, its gradient clip."""

import math
from collections.abc import Iterable
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import nn

from limner.config import Config

_Beta = Annotated[float, Field(ge=0, lt=1)]


class OptimizerConfig(Config):
    """One player's optimiser."""

    kind: Literal["adam", "adamw", "sgd"] = "adam"
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
        kind = torch.optim.Adam if self.kind == "adam" else torch.optim.AdamW
        return kind(parameters, self.learning_rate, self.betas, weight_decay=self.weight_decay, fused=fused)


class ScheduleConfig(Config):
    """The factor on the learning rate over the progress of a run, from 0 (start) to 1 (end)."""

    kind: Literal["constant", "step", "cosine", "linear"] = "constant"
    warmup_steps: int = Field(0, ge=0, description="steps over which the factor rises from 0 to 1")
    every: float = Field(0.25, gt=0, le=1, description="step: the share of the run after which the rate falls")
    factor: float = Field(0.1, gt=0, le=1, description="step: what it falls by")
    final: float = Field(0.0, ge=0, le=1, description="cosine, linear: the factor at the end")

    def factor_at(self, step: int, progress: float) -> float:
        """The factor for the step that is about to be made (0-based), in [0, 1]."""
        warmup = min(1.0, (step + 1) / self.warmup_steps) if self.warmup_steps else 1.0
        progress = min(max(progress, 0.0), 1.0)
        if self.kind == "step":
            return warmup * self.factor ** math.floor(progress / self.every + 1e-9)
        if self.kind == "cosine":
            return warmup * (self.final + (1 - self.final) * (1 + math.cos(math.pi * progress)) / 2)
        if self.kind == "linear":
            return warmup * (1 - (1 - self.final) * progress)
        return warmup


class ClipConfig(Config):
    """What is done to large gradients before a move."""

    kind: Literal["none", "norm", "value", "adjustable"] = "none"
    threshold: float = Field(
        1.0,
        gt=0,
        description="norm: of all gradients; value: of each; adjustable: theta of [-theta / rate, theta / rate]",
    )

    def apply(self, parameters: list[nn.Parameter], learning_rate: float) -> None:
        """Clip the gradients in place. `adjustable` follows Kim et al. 2016 (VDSR), section 3.2."""
        if self.kind == "norm":
            nn.utils.clip_grad_norm_(parameters, self.threshold)
        elif self.kind == "value":
            nn.utils.clip_grad_value_(parameters, self.threshold)
        elif self.kind == "adjustable":
            nn.utils.clip_grad_value_(parameters, self.threshold / max(learning_rate, 1e-12))
