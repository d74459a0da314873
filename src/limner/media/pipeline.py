"""Decode, work and encode many items at the same time, in order, in bounded memory."""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Any, Generic, TypeVar

Item = TypeVar("Item")
Value = TypeVar("Value")
Other = TypeVar("Other")
Decoded = TypeVar("Decoded")
Worked = TypeVar("Worked")


@dataclass(frozen=True, eq=False)
class Outcome(Generic[Item, Value]):
    """What became of one item: a value, or the error that a stage raised for it."""

    item: Item
    value: Value | None = None
    error: Exception | None = None

    def get(self) -> Value:
        """The value.

        Raises:
            Exception: The error, where there is one.
        """
        if self.error is not None:
            raise self.error
        return self.value  # type: ignore[return-value]  # a stage may well give None

    def then(self, stage: Callable[[Value], Other]) -> "Outcome[Item, Other]":
        """What becomes of the item in the next stage; an error stays what it is."""
        if self.error is not None:
            return Outcome(self.item, error=self.error)
        try:
            return Outcome(self.item, stage(self.get()))
        except Exception as error:
            return Outcome(self.item, error=error)


def run(
    items: Iterable[Item],
    decode: Callable[[Item], Decoded],
    work: Callable[[Decoded], Worked],
    encode: Callable[[Worked], Value],
    *,
    ahead: int = 2,
) -> Generator[Outcome[Item, Value]]:
    """Send every item through three stages and give back what became of each, in the order of the items.

    One thread draws the items and decodes them, the calling thread works, one thread encodes. So stages of different
    items overlap, and each stage sees the items one by one and in order. At most `ahead` items wait decoded, one is
    worked on and one is encoded; the outcome of an item comes when the next one has been worked on.

    An exception in a stage belongs to its item alone. One that drawing an item raises ends the run, after the outcomes
    of the items before it; so do KeyboardInterrupt and its like, at once. Both threads end with the run, also when the
    generator is closed early (`contextlib.closing`): what is being encoded is finished, what waits is dropped.
    """
    drawn = iter(items)
    with ThreadPoolExecutor(1, "decode") as decoder, ThreadPoolExecutor(1, "encode") as encoder:
        try:
            waiting = deque(decoder.submit(_draw, drawn, decode) for _ in range(ahead))
            encoding: Future[Outcome[Item, Value]] | None = None
            while isinstance(decoded := waiting.popleft().result(), Outcome):
                waiting.append(decoder.submit(_draw, drawn, decode))
                worked = decoded.then(work)
                if encoding:
                    yield encoding.result()
                encoding = encoder.submit(worked.then, encode)
                del decoded, worked  # they are large, and the next one may be long in coming
            if encoding:
                yield encoding.result()
            if decoded is not None:
                raise decoded
        finally:
            for pool in (decoder, encoder):
                pool.shutdown(wait=False, cancel_futures=True)


_WAITING = 4  # items for each that is worked on: a slow one holds up the outcomes of the others, not their work


def run_at_once(
    items: Iterable[Item], whole: Callable[[Item], Value], *, at_once: int
) -> Generator[Outcome[Item, Value]]:
    """Send every item through all that is done with it, `at_once` of them at the same time, each in a thread.

    Outcomes come in the order of the items. An exception belongs to its item alone; KeyboardInterrupt and its like end
    the run at once. The threads end with the run, also when the generator is closed early: what is begun is finished,
    what waits is dropped.
    """
    left = iter(items)
    with ThreadPoolExecutor(at_once, "whole") as pool:
        try:
            waiting = deque(pool.submit(Outcome(item, item).then, whole) for item in islice(left, _WAITING * at_once))
            while waiting:
                outcome = waiting.popleft().result()
                waiting.extend(pool.submit(Outcome(item, item).then, whole) for item in islice(left, 1))
                yield outcome
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _draw(items: Iterator[Item], decode: Callable[[Item], Decoded]) -> Outcome[Item, Decoded] | Exception | None:
    """The next item, decoded; None at the end; the error of an iterator that fails."""
    end: Any = object()
    try:
        item = next(items, end)
    except Exception as error:
        return error
    return None if item is end else Outcome(item, item).then(decode)
