"""What this machine is: its class of processor, and what that does well. All else asks here.

Which numbers are faster, and which memory layout, differs from one class of processor to the next.
"""

import os
import platform
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, TypeAlias

import torch

from limner.memory import value_in
from limner.types import Precision

ProcessorClass: TypeAlias = Literal["SSE4", "AVX2", "AVX-512", "AVX-512 BF16", "AMX", "other"]
"""What a processor computes with. Of two of one class the same is fast; `other` is none of Intel's and AMD's."""

Learner: TypeAlias = Literal["weights", "picture"]
"""What a backward pass goes to: the weights of convolutions, or a picture alone. Inference is like `picture`."""

_CPUINFO = Path("/proc/cpuinfo")
_X86 = ("x86_64", "amd64", "i386", "i686")
_CLASSES: tuple[ProcessorClass, ...] = ("SSE4", "AVX2", "AVX-512", "AVX-512 BF16", "AMX")  # each has what the last has
_ONEDNN_LIMITS: dict[str, ProcessorClass] = {
    "SSE41": "SSE4",
    "AVX": "SSE4",
    "AVX2": "AVX2",
    "AVX2_VNNI": "AVX2",
    "AVX2_VNNI_2": "AVX2",
    "AVX512_CORE": "AVX-512",
    "AVX512_CORE_VNNI": "AVX-512",
    "AVX512_CORE_BF16": "AVX-512 BF16",
    "AVX512_CORE_FP16": "AVX-512 BF16",
}
_TORCH_LIMITS: dict[str, ProcessorClass] = {"DEFAULT": "SSE4", "NO AVX": "SSE4", "AVX2": "AVX2"}


@dataclass(frozen=True)
class Machine:
    """Where and with what figures were measured."""

    processor: str
    threads: int
    accelerator: str
    torch: str
    date: str
    processor_class: str

    @classmethod
    def here(cls) -> "Machine":
        """This machine, now."""
        accelerator = torch.cuda.get_device_name() if torch.cuda.is_available() else "none"
        now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
        return cls(processor_name(), torch.get_num_threads(), accelerator, torch.__version__, now, processor_class())

    @property
    def hardware(self) -> str:
        """Processor and accelerator as reports name them: `AVX2, 2 threads`."""
        threads = f"{self.threads} thread" + "s" * (self.threads != 1)
        return f"{self.processor_class}, {threads}" + f", {self.accelerator}" * (self.accelerator != "none")

    @property
    def setting(self) -> str:
        """The hardware, torch and the date."""
        return f"{self.hardware}, torch {self.torch}, {self.date}"


def processor_class() -> ProcessorClass:
    """The class of this CPU, or the lower one that the environment holds oneDNN or torch to.

    `ONEDNN_MAX_CPU_ISA=AVX2 ATEN_CPU_CAPABILITY=avx2` lets a larger processor stand for one of AVX2.
    """
    if platform.machine().lower() not in _X86:
        return "other"
    limit = os.environ.get("ONEDNN_MAX_CPU_ISA") or os.environ.get("DNNL_MAX_CPU_ISA") or ""
    limits = [_own_class(), _ONEDNN_LIMITS.get(limit.upper(), "AMX")]
    limits.append(_TORCH_LIMITS.get(torch.backends.cpu.get_cpu_capability(), "AMX"))
    return min(limits, key=_CLASSES.index)


def _own_class() -> ProcessorClass:
    """What an x86 CPU has, whatever the environment allows."""
    if torch.cpu._is_amx_tile_supported():
        return "AMX"
    if torch.cpu._is_avx512_bf16_supported():
        return "AVX-512 BF16"
    if torch.cpu._is_avx512_supported():
        return "AVX-512"
    return "AVX2" if torch.cpu._is_avx2_supported() else "SSE4"


def processor_name() -> str:
    """The CPU's own name; `platform` knows it on few systems, psutil on none."""
    return _cpuinfo("model name") or platform.processor() or platform.machine()


def bfloat16_pays(device: torch.device) -> bool:
    """Whether bfloat16 is faster than float32 there: a GPU since Ampere; a CPU with AMX, or AMD's with AVX-512 BF16.

    On the one Intel processor that was measured, a Xeon of model 207 whose virtual machine hides AMX, a convolution
    took about twice as long by AVX-512 BF16 as in float32. Others of Intel are taken to be like it.
    """
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type != "cpu":
        return False
    here = processor_class()
    return here == "AMX" or (here == "AVX-512 BF16" and _is_amd())


def precision_on(device: torch.device, wanted: Precision) -> Precision:
    """What is wanted, but `exact` where `fast` is no faster."""
    return wanted if bfloat16_pays(device) else "exact"


def dtype_on(device: torch.device, wanted: Precision) -> torch.dtype:
    """What to compute in: bfloat16 where `fast` is wanted and pays, else float32."""
    return torch.bfloat16 if precision_on(device, wanted) == "fast" else torch.float32


def autocast_on(device: torch.device, wanted: Precision) -> torch.autocast:
    """A block whose convolutions and products are in what `dtype_on` says."""
    return torch.autocast(device.type, torch.bfloat16, enabled=precision_on(device, wanted) == "fast")


def layout_on(device: torch.device, learner: Learner) -> torch.memory_format:
    """The memory layout in which convolutions are faster: channels last, but first where weights learn without AVX-512.

    By AVX2 a step of weights takes up to twice as long in channels last, one of a picture does not
    (`benchmarks/results/layouts-avx2.md`).
    """
    if device.type == "cpu" and learner == "weights" and processor_class() in ("SSE4", "AVX2"):
        return torch.contiguous_format
    return torch.channels_last


def winograd_pays(in_channels: int, out_channels: int, height: int, width: int) -> bool:
    """Whether a 3x3 convolution of stride 1 in float32 is faster by Winograd's way than by oneDNN's.

    NNPACK computes with AVX2 alone, so that wider processors gain only where there are many channels
    (`benchmarks/results/winograd-*.md`). Elsewhere it was not measured.

    Args:
        in_channels: That are read.
        out_channels: That are made.
        height: Of the result.
        width: Of the result.
    """
    if (here := processor_class()) in ("SSE4", "other"):
        return False
    channels, pixels, side = (64, 1024, 16) if here == "AVX2" else (256, 4096, 32)
    large = min(height, width) >= side and height * width >= pixels
    return large and min(in_channels, out_channels) >= channels


def fourier_pays(in_channels: int, out_channels: int, rows: int, columns: int) -> bool:
    """Whether a convolution of stride 1 in float32 is faster by Fourier transforms than by oneDNN.

    A wide one that makes the picture is, on every class that NNPACK knows: oneDNN fills its lanes with channels, and a
    picture has few (`benchmarks/results/winograd-*.md`).

    Args:
        in_channels: That are read.
        out_channels: That are made.
        rows: Of the kernel.
        columns: Of the kernel.
    """
    wide = min(rows, columns) >= 7 and rows % 2 == columns % 2 == 1
    return processor_class() not in ("SSE4", "other") and wide and in_channels >= 16 and out_channels <= 4


def _is_amd() -> bool:
    return "AuthenticAMD" in (_cpuinfo("vendor_id") or platform.processor())


def _cpuinfo(name: str) -> str:
    """What Linux says of its first CPU; empty elsewhere."""
    return value_in(_CPUINFO, name)
