"""Which device there is, and how many threads it may have."""

import os
from typing import Literal, TypeAlias

import torch

from limner.arguments import shown
from limner.errors import LimnerError

Device: TypeAlias = Literal["auto", "cpu", "cuda", "mps"]


def choose_device(wanted: str = "auto") -> torch.device:
    """The device for `wanted`; `auto` takes a GPU where there is one.

    Raises:
        LimnerError: If it is not there.
    """
    available = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not isinstance(wanted, str):
        raise LimnerError(f"device must be auto, cpu, cuda or mps, got {shown(wanted)}: give one of these words")
    if wanted == "auto":
        return torch.device(next(name for name in ("cuda", "mps", "cpu") if available[name]))
    kind = wanted.partition(":")[0]
    if not available.get(kind, False):
        here = ", ".join(name for name, there in available.items() if there)
        raise LimnerError(
            f"device must be one that this machine has ({here}), got {wanted!r}: choose one of them, or auto"
        )
    return torch.device(wanted)


def usable_threads() -> int:
    """The CPU cores that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
