"""Samples that are too small for the norms of a network."""

from collections.abc import Iterator
from contextlib import contextmanager

from limner.errors import LimnerError


@contextmanager
def telling_of_small_samples() -> Iterator[None]:
    """Make torch's refusal of a norm that sees one value of each channel a line with the mend.

    Raises:
        LimnerError: A norm has seen no more.
    """
    try:
        yield
    except ValueError as error:
        if isinstance(error, LimnerError) or not str(error).startswith("Expected more than 1"):
            raise
        raise LimnerError(
            "a norm of this network must see more than one value of each channel in a step: take larger samples, as "
            "with --set data.patch=N, or more of them, with --batch-size 2 or more"
        ) from None
