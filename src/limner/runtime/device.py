"""Which device there is, and whether bfloat16 pays on it."""

import os
from typing import Literal, TypeAlias

import torch

from limner.errors import LimnerError

Device: TypeAlias = Literal["auto", "cpu", "cuda", "mps"]


def choose_device(wanted: str = "auto") -> torch.device:
    """The device for `wanted`; `auto` takes a GPU where there is one.

    Raises:
        LimnerError: If it is not there.
    """
    available = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if wanted == "auto":
        return torch.device(next(name for name in ("cuda", "mps", "cpu") if available[name]))
    kind = wanted.partition(":")[0]
    if not available.get(kind, False):
        here = ", ".join(name for name, there in available.items() if there)
        raise LimnerError(f"device must be one that this machine has ({here}), got {wanted!r}: pass --device auto")
    return torch.device(wanted)


def bfloat16_pays(device: torch.device) -> bool:
    """Whether bfloat16 is faster than float32 there: a GPU since Ampere, a CPU with AVX-512 BF16 or AMX."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type == "cpu":
        return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return False


def usable_threads() -> int:
    """The CPU cores that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
