"""How much memory there is, how much this process holds, and budgets as people write them."""

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from limner.errors import LimnerError

if TYPE_CHECKING:
    import torch

_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12, "ki": 2**10, "mi": 2**20, "gi": 2**30, "ti": 2**40}
_AT_WORK = 250 * 2**20  # bytes that torch takes beside activations once it computes gradients, as measured
_CGROUP = Path("/sys/fs/cgroup")


def parse_bytes(text: str) -> int:
    """A number of bytes from `2GB`, `1.5 GiB`, `800M` or `1000000`.

    >>> parse_bytes("2GB"), parse_bytes("1.5 GiB")
    (2000000000, 1610612736)

    Raises:
        LimnerError: If it is none.
    """
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]i?)?b?\s*", text, re.IGNORECASE)
    size = int(float(match[1]) * _UNITS[(match[2] or "").lower()]) if match else 0
    if size <= 0:
        raise LimnerError(f"memory must be a size such as 2GB, 800MB or 1.5GiB, got {text!r}")
    return size


def format_bytes(size: float) -> str:
    """A number of bytes for people: `1.9 GB`.

    >>> format_bytes(1_940_000_000), format_bytes(12_300_000)
    ('1.9 GB', '12 MB')
    """
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"


def free_bytes() -> int:
    """What processes may still take, as the system estimates it, within the limit of this process's group."""
    free = _physical_free()
    limit, used = _read_number(_CGROUP / "memory.max"), _read_number(_CGROUP / "memory.current")
    return free if limit is None or used is None else min(free, max(0, limit - used))


def resident_bytes() -> int:
    """What this process holds now; 0 where the system does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except (OSError, ValueError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def peak_bytes() -> int | None:
    """The most that this process has held; None where the system does not tell."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) * 1024
    except (OSError, StopIteration, ValueError):
        pass
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # on Linux, also what the process that began it held
    return peak if sys.platform == "darwin" else peak * 1024  # getrusage(2): kibibytes on Linux


def check_memory(height: int, width: int) -> None:
    """That memory holds a picture of so many pixels while it is worked on: in float32, twice beside the result.

    Raises:
        LimnerError: If it does not.
    """
    needed, free = 3 * 3 * 4 * height * width, free_bytes()
    if needed > free:
        raise LimnerError(
            f"a picture of {width}x{height} pixels takes {format_bytes(needed)} of memory to make, "
            f"got {format_bytes(free)} free: pass a smaller size"
        )


def default_budget() -> int:
    """Half of what is free, and what this process holds already."""
    return resident_bytes() + free_bytes() // 2


def activations_budget(device: "torch.device", budget: int | None) -> int | None:
    """What is left for activations of a budget of this process; None where no one has to count.

    Args:
        device: Where they lie. Of a GPU's memory, the half that is free now.
        budget: Bytes that the process may hold in all; None takes the default.
    """
    if device.type == "cuda":
        import torch

        return int(torch.cuda.mem_get_info(device)[0]) // 2
    if device.type != "cpu":
        return None
    return default_budget() - resident_bytes() if budget is None else max(0, budget - resident_bytes() - _AT_WORK)


def _physical_free() -> int:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable:")) * 1024
    except (OSError, StopIteration, ValueError):
        pass
    if sys.platform != "win32" and "SC_PHYS_PAGES" in os.sysconf_names:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    return 4 * 10**9


def _read_number(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):  # not there, or `max`
        return None
