"""How presets train: what they share, and so only say what differs."""

import math

from limner.loops.fit import FitConfig
from limner.loops.optimizers import ClipConfig, OptimizerConfig, ScheduleConfig


def modern_fit(
    steps: int,
    batch_size: int,
    learning_rate: float,
    *,
    warmup_steps: int = 200,
    clip_norm: float | None = None,
    ema_decay: float = 0.999,
) -> FitConfig:
    """Adam whose rate rises, then falls to 0 as a cosine; bfloat16; averaged weights.

    Args:
        steps: Of the whole run.
        batch_size: Samples of a step.
        learning_rate: At its highest.
        warmup_steps: Over which it rises.
        clip_norm: The largest norm of a player's gradient; None leaves it.
        ema_decay: Of the average.
    """
    return FitConfig(
        steps=steps,
        batch_size=batch_size,
        optimizer=OptimizerConfig(kind="adam", learning_rate=learning_rate),
        schedule=ScheduleConfig(kind="cosine", warmup_steps=warmup_steps),
        clip=ClipConfig() if clip_norm is None else ClipConfig(kind="norm", threshold=clip_norm),
        precision="bfloat16",
        ema_decay=ema_decay,
    )


def falling_fit(divisor: float) -> FitConfig:
    """How the first GANs were trained: SGD whose rate is divided by `divisor` at each step, from 0.1 down to 1e-6.

    The rate falls in a thousand steps, not in every one.
    """
    fall = math.log(1e-6 / 0.1)
    return FitConfig(
        steps=round(-fall / math.log(divisor)),
        batch_size=100,
        optimizer=OptimizerConfig(kind="sgd", learning_rate=0.1, momentum=0.5),
        schedule=ScheduleConfig(kind="step", every=1e-3, factor=math.exp(fall / 1000)),
    )
