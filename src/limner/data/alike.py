"""Pictures that belong together: halves of one, or pairs of equal sides."""

from collections.abc import Sequence
from pathlib import Path

from limner.errors import LimnerError
from limner.files.image import read_header


def check_halves(paths: Sequence[Path]) -> None:
    """Refuse pictures that cannot be halved.

    Raises:
        LimnerError: If some have an odd width; the first three are named.
    """
    odd = [f"{path} ({width} columns)" for path in paths if (width := read_header(path).width) % 2]
    if odd:
        raise LimnerError(f"pictures of two halves have an even width, got {first_of(odd)}: crop them")


def check_alike(pairs: Sequence[tuple[Path, Path]]) -> None:
    """Refuse pairs of pictures whose sides differ.

    Raises:
        LimnerError: If some do; the first three are named.
    """
    sizes = [tuple((header.width, header.height) for header in map(read_header, pair)) for pair in pairs]
    unlike = [
        f"{one} ({size[0][0]}x{size[0][1]}) and {other} ({size[1][0]}x{size[1][1]})"
        for (one, other), size in zip(pairs, sizes, strict=True)
        if size[0] != size[1]
    ]
    if unlike:
        raise LimnerError(f"both pictures of a pair must have the same sides, got {first_of(unlike)}: resize them")


def first_of(names: Sequence[str], most: int = 3) -> str:
    """The first few, and how many more there are.

    >>> first_of(["a", "b", "c", "d"])
    'a, b, c and 1 more'
    """
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
