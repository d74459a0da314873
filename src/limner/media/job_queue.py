"""Which files a cluster's processes are given next, how many at a time, and when one is given up."""

import math
from collections import deque
from collections.abc import Iterable, Sequence

from limner.media.node_work import Task

TRIES = 3
"""Processes that may have a file before it is given up."""

_SECONDS = 2.0  # of work that one call brings; calls cost milliseconds
_MOST = 32  # files of a call


class JobQueue:
    """What is left to be given out. Whatever comes back is tried again by itself, at the end of all.

    Args of the constructor:
        tasks: In the order in which they are begun.
    """

    def __init__(self, tasks: Iterable[Task]) -> None:
        self._new, self._again = deque(tasks), deque[Task]()
        self._files, self._seconds = 0, 0.0

    def __len__(self) -> int:
        return len(self._new) + len(self._again)

    def take(self, num_processes: int, *, idle: bool = True) -> list[Task]:
        """The next files for a process.

        Args:
            num_processes: That share the rest.
            idle: Whether the process has nothing to do; only then it gets a file that is tried again, so that nothing
                else is lost with it.
        """
        if self._new:
            return [self._new.popleft() for _ in range(self._next(num_processes))]
        return [self._again.popleft()] if self._again and idle else []

    def _next(self, num_processes: int) -> int:
        """Few enough at the end that all processes end together."""
        wanted = int(_SECONDS * self._files / self._seconds) if self._seconds else 1
        share = math.ceil(len(self._new) / (2 * max(1, num_processes)))
        return max(1, min(wanted, share, _MOST))

    def took(self, files: int, seconds: float) -> None:
        """So many files took so many seconds of one process."""
        self._files += files
        self._seconds += seconds

    def put_back(self, tasks: Sequence[Task]) -> list[Task]:
        """Take back what a process has not done; those of them that are given up."""
        counted = [one._replace(tries=one.tries + 1) for one in tasks]
        self._again.extend(one for one in counted if one.tries < TRIES)
        return [one for one in counted if one.tries >= TRIES]
