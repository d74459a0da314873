"""What the processor does well: whether bfloat16 is faster on it than float32."""

import platform
from pathlib import Path

import torch

from limner.types import Precision

_CPUINFO = Path("/proc/cpuinfo")


def bfloat16_pays(device: torch.device) -> bool:
    """Whether bfloat16 is faster than float32 there: a GPU since Ampere; a CPU with AMX, or AMD's with AVX-512 BF16.

    On the one Intel processor that was measured, a Xeon of model 207 whose virtual machine hides AMX, a convolution
    took about twice as long by AVX-512 BF16 as in float32. Others of Intel are taken to be like it.
    """
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type == "cpu":
        return torch.cpu._is_amx_tile_supported() or (torch.cpu._is_avx512_bf16_supported() and _is_amd())
    return False


def precision_on(device: torch.device, wanted: Precision) -> Precision:
    """What is wanted, but `exact` where `fast` is no faster."""
    return wanted if bfloat16_pays(device) else "exact"


def _is_amd() -> bool:
    """Whether the CPU says so; Linux tells it in a file alone."""
    told = _CPUINFO.read_text(errors="replace") if _CPUINFO.exists() else platform.processor()
    return "AuthenticAMD" in told
