"""Keep the memory that a layer frees for the next one.

glibc gives large blocks back to the system and faults fresh pages in for every layer, which can double the time of a
large picture. The cost: resident memory stays at its peak. So programs ask for it; the library by itself never does.
"""

import ctypes
import sys
from typing import Any

_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_THRESHOLD, _M_MMAP_MAX = -1, -2, -3, -4  # malloc.h
_DEFAULTS = ((_M_MMAP_MAX, 65536), (_M_MMAP_THRESHOLD, 2**17), (_M_TRIM_THRESHOLD, 2**17), (_M_TOP_PAD, 2**17))
"""As mallopt(3) has them."""
LARGE_BLOCK = 2**25  # bytes; the highest threshold for mapping blocks one by one that glibc takes


def tune(*, keep_memory: bool = True) -> bool:
    """Have this process keep freed memory, as Limner's commands do: large pictures take less time, up to half.

    Resident memory then stays at its peak. Call it before the first large picture, in a program of your own that does
    little else; `tune(keep_memory=False)` takes it back, and gives what is free back to the system.

    Args:
        keep_memory: Whether to keep it, or to be as a process is by default.

    Returns:
        Whether it took effect, which it does with glibc, on Linux.

    Example:
        >>> import limner
        >>> limner.tune()  # doctest: +SKIP
        True
    """
    if keep_memory:
        return keep_freed_memory()
    libc = _glibc()
    return libc is not None and _set(libc, *_DEFAULTS) and libc.malloc_trim(0) in (0, 1)


def keep_freed_memory(*, large_blocks: bool = True) -> bool:
    """Ask glibc to keep freed memory; call it before the first large allocation. True if it took effect.

    Args:
        large_blocks: Whether blocks over 32 MiB are kept too. Blocks of many sizes leave holes between them that only
            smaller ones fit, so a process may hold twice what it uses: where memory is short, give them back.
    """
    libc = _glibc()
    if libc is None:
        return False
    mapped = (_M_MMAP_MAX, 0) if large_blocks else (_M_MMAP_THRESHOLD, LARGE_BLOCK)
    top = 2**26 if large_blocks else 2**20
    return _set(libc, mapped, (_M_TRIM_THRESHOLD, 2**31 - 1), (_M_TOP_PAD, top))


def _glibc() -> Any:
    """The C library of this process, if it is glibc."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        libc = ctypes.CDLL(None)
        _ = libc.mallopt, libc.malloc_trim
    except (OSError, AttributeError):
        return None
    return libc


def _set(libc: Any, *options: tuple[int, int]) -> bool:
    return all(libc.mallopt(*option) for option in options)
