"""Keep the memory that a layer frees for the next one.

glibc gives large blocks back to the system and faults fresh pages in for every layer, which can double the time of a
large picture. The cost: resident memory stays at its peak. So programs ask for it; the library by itself never does.
"""

import ctypes
import sys

_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_MAX = -1, -2, -4  # malloc.h


def keep_freed_memory() -> bool:
    """Ask glibc to keep freed memory; call it before the first large allocation. True if it took effect."""
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    return all(
        mallopt(option, value)
        for option, value in (
            (_M_MMAP_MAX, 0),
            (_M_TRIM_THRESHOLD, 2**31 - 1),
            (_M_TOP_PAD, 64 * 2**20),
        )
    )
