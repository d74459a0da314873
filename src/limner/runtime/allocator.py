"""Keep the memory that a layer frees for the next one.

glibc gives large blocks back to the system and faults fresh pages in for every layer, which can double the time of a
large picture. The cost: resident memory stays at its peak. So programs ask for it; the library by itself never does.
"""

import ctypes
import sys

_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_THRESHOLD, _M_MMAP_MAX = -1, -2, -3, -4  # malloc.h
LARGE_BLOCK = 2**25  # bytes; the highest threshold for mapping blocks one by one that glibc takes


def keep_freed_memory(*, large_blocks: bool = True) -> bool:
    """Ask glibc to keep freed memory; call it before the first large allocation. True if it took effect.

    Args:
        large_blocks: Whether blocks over 32 MiB are kept too. Blocks of many sizes leave holes between them that only
            smaller ones fit, so a process may hold twice what it uses: where memory is short, give them back.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    mapped = (_M_MMAP_MAX, 0) if large_blocks else (_M_MMAP_THRESHOLD, LARGE_BLOCK)
    top = 2**26 if large_blocks else 2**20
    return all(mallopt(*option) for option in (mapped, (_M_TRIM_THRESHOLD, 2**31 - 1), (_M_TOP_PAD, top)))
