"""libvips, for pictures that memory does not hold: an extra, so it is imported only where such a picture is met."""

from typing import Any

from limner.errors import LimnerError


def load_pyvips() -> Any:
    """The module `pyvips`, set to read with little memory.

    Raises:
        LimnerError: If it is not installed.
    """
    try:
        import pyvips
    except (ImportError, OSError) as error:  # OSError: the package is there, its shared library is not
        raise LimnerError(
            "pictures larger than memory need the large extra: pip install '.[large]' in the folder of Limner"
        ) from error
    pyvips.cache_set_max(0)  # it finds files by name: one that has been written anew would be read as it was
    pyvips.vips_lib.vips_concurrency_set(1)  # decoders have one thread anyway, and each more keeps rows of its own
    return pyvips


def reason(error: Exception) -> str:
    """The words of an exception on one line; libvips gives several."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return ": ".join(lines)[:200] or type(error).__name__
