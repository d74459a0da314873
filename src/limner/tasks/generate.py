"""Making pictures of what a system knows: from chance, of a class, or of an object as it is seen from somewhere."""

from typing import Protocol, runtime_checkable

from limner.ports import Ported
from limner.tasks.task import Task

GENERATE = Task("generate", "generate", arguments=("--count", "16"), protocol=Ported)


@runtime_checkable
class Viewed(Ported, Protocol):
    """Makes pictures of objects that it knows by name; it is given shares of them, a view and a transform."""

    @property
    def names(self) -> tuple[str, ...]:
        """Of the objects, in the order of their shares."""
