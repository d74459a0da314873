"""What this process holds of the machine's memory, and what it may still take; told without torch."""

import sys
from contextlib import suppress
from pathlib import Path

import psutil

_STATUS = Path("/proc/self/status")
_CGROUP = Path("/sys/fs/cgroup")


def free_bytes() -> int:
    """What processes may still take, as the system estimates it, within the limit of this process's group."""
    free = int(psutil.virtual_memory().available)
    limit, used = _number(_CGROUP / "memory.max"), _number(_CGROUP / "memory.current")
    return free if limit is None or used is None else min(free, max(0, limit - used))


def resident_bytes() -> int:
    """What this process holds now."""
    return int(psutil.Process().memory_info().rss)


def peak_bytes() -> int:
    """The most that this process has held."""
    if line := value_in(_STATUS, "VmHWM"):  # psutil does not give it on Linux
        return int(line.split()[0]) * 1024
    if sys.platform == "win32":
        return int(psutil.Process().memory_info().peak_wset)
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # on Linux, also what the process that began it held
    return peak if sys.platform == "darwin" else peak * 1024  # getrusage(2): kibibytes on Linux


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):  # not there, or `max`
        return None


def value_in(path: Path, name: str) -> str:
    """The value in the first line `name: value` of a file; empty if there is none."""
    with suppress(OSError):
        for line in path.read_text(errors="replace").splitlines():
            key, _, value = line.partition(":")
            if key.strip() == name:
                return value.strip()
    return ""
