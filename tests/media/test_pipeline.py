import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from limner.media.pipeline import Outcome, run, run_at_once

STAGES = ("decode", "work", "encode")


class Fault(Exception):
    """What a stage of these tests raises."""


class Stages:
    """Three stages that add their name, some after a delay and some with a fault; they count what is in flight."""

    def __init__(
        self, faults: dict[int, str] | None = None, delays: dict[tuple[int, str], float] | None = None
    ) -> None:
        self.faults, self.delays = faults or {}, delays or {}
        self.calls: list[tuple[str, int]] = []
        self.threads: dict[str, set[str]] = {stage: set() for stage in STAGES}
        self.begun = self.ended = self.most = 0

    def _stage(self, name: str, number: int) -> int:
        self.threads[name].add(threading.current_thread().name)
        self.calls.append((name, number))
        time.sleep(self.delays.get((number, name), 0))
        if self.faults.get(number) == name:
            raise Fault(f"{name} {number}")
        return number

    def decode(self, number: int) -> int:
        self.begun += 1
        self.most = max(self.most, self.begun - self.ended)
        return self._stage("decode", number)

    def work(self, number: int) -> int:
        return self._stage("work", number)

    def encode(self, number: int) -> str:
        return f"{self._stage('encode', number)} done"

    def run(self, count: int, ahead: int = 2) -> Iterator[Outcome[int, str]]:
        for outcome in run(range(count), self.decode, self.work, self.encode, ahead=ahead):
            self.ended += 1
            yield outcome


delays = st.dictionaries(st.tuples(st.integers(0, 11), st.sampled_from(STAGES)), st.floats(0, 0.003), max_size=12)


@given(
    count=st.integers(0, 12),
    ahead=st.integers(1, 4),
    faults=st.dictionaries(st.integers(0, 11), st.sampled_from(STAGES)),
    delays=delays,
)
def test_every_item_comes_out_once_in_order_with_its_own_fault(
    count: int, ahead: int, faults: dict[int, str], delays: dict[tuple[int, str], float]
) -> None:
    stages = Stages(faults, delays)
    outcomes = list(stages.run(count, ahead))
    assert [outcome.item for outcome in outcomes] == list(range(count))
    for outcome in outcomes:
        fault = faults.get(outcome.item)
        assert str(outcome.error) == (f"{fault} {outcome.item}" if fault else "None")
        assert outcome.value == (None if fault else f"{outcome.item} done")
    passed = {
        number: STAGES[: STAGES.index(faults[number]) + 1] if number in faults else STAGES for number in range(count)
    }
    assert Counter(stages.calls) == Counter((stage, number) for number in passed for stage in passed[number])
    assert stages.most <= ahead + 2
    for name in STAGES:
        numbers = [number for stage, number in stages.calls if stage == name]
        assert numbers == sorted(numbers)


@settings(max_examples=25)
@given(count=st.integers(1, 12), taken=st.integers(0, 12), delays=delays)
def test_a_consumer_that_stops_early_leaves_no_thread_behind(
    count: int, taken: int, delays: dict[tuple[int, str], float]
) -> None:
    before = threading.active_count()
    stages = Stages(delays=delays)
    outcomes = run(range(count), stages.decode, stages.work, stages.encode)
    got = [outcome.item for outcome, _ in zip(outcomes, range(taken))]  # noqa: B905  # the shorter one ends it
    outcomes.close()
    assert got == list(range(min(count, taken)))
    assert threading.active_count() == before
    assert len({number for stage, number in stages.calls if stage == "decode"}) <= taken + 4


def test_the_stages_overlap() -> None:
    """Each stage waits until the others are busy with other items: one after the other, they would wait for ever."""
    meeting = threading.Barrier(3, timeout=20)
    met = []

    def meet(first: int) -> Callable[[int], int]:
        def stage(number: int) -> int:
            if first <= number < first + 3:
                meeting.wait()
                met.append(number)
            return number

        return stage

    outcomes = list(run(range(6), meet(2), meet(1), meet(0)))
    assert [outcome.get() for outcome in outcomes] == list(range(6))
    assert sorted(met) == [0, 1, 1, 2, 2, 2, 3, 3, 4]


def test_work_stays_in_the_calling_thread_and_the_others_leave_it() -> None:
    stages = Stages()
    list(stages.run(5))
    caller = threading.current_thread().name
    assert stages.threads["work"] == {caller}
    assert all(len(stages.threads[name]) == 1 for name in STAGES)
    assert len(set.union(*stages.threads.values())) == 3


def test_items_are_drawn_no_further_than_needed() -> None:
    drawn = []

    def items() -> Iterator[int]:
        for number in range(100):
            drawn.append(number)
            yield number

    outcomes = run(items(), int, int, int, ahead=3)
    assert next(outcomes).get() == 0
    time.sleep(0.02)
    outcomes.close()
    assert len(drawn) <= 5


def test_an_iterator_that_fails_ends_the_run_after_what_came_before() -> None:
    def items() -> Iterator[int]:
        yield from range(3)
        raise Fault("the source is broken")

    seen: list[int] = []
    with pytest.raises(Fault, match="the source is broken"):
        seen.extend(outcome.get() for outcome in run(items(), int, int, int))
    assert seen == [0, 1, 2]


@pytest.mark.parametrize("stage", STAGES)
def test_what_is_no_exception_of_an_item_ends_the_run(stage: str) -> None:
    before = threading.active_count()

    def stop(number: int) -> int:
        if number == 3:
            raise KeyboardInterrupt
        return number

    stages: dict[str, Callable[[int], int]] = dict.fromkeys(STAGES, int) | {stage: stop}
    seen: list[int] = []
    with pytest.raises(KeyboardInterrupt):
        seen.extend(outcome.get() for outcome in run(range(10), **stages))
    assert seen == list(range(len(seen)))
    assert len(seen) <= 3
    assert threading.active_count() == before


def test_an_interrupt_does_not_wait_for_what_waits() -> None:
    encoded = []

    def slowly(number: int) -> int:
        time.sleep(0.05)
        return number

    def work(number: int) -> int:
        if number == 2:
            raise KeyboardInterrupt
        return number

    with pytest.raises(KeyboardInterrupt):
        list(run(range(100), slowly, work, lambda number: encoded.append(number)))
    assert encoded == [0, 1]


def test_large_values_are_let_go() -> None:
    class Large:
        alive = most = 0

        def __init__(self) -> None:
            Large.alive += 1
            Large.most = max(Large.most, Large.alive)

        def __del__(self) -> None:
            Large.alive -= 1

    def work(decoded: Large) -> Large:
        time.sleep(0.002)
        return Large()

    list(run(range(12), lambda number: Large(), work, lambda worked: time.sleep(0.001)))
    assert Large.most <= 5, "two that wait, one at work with its result, one that is encoded"
    assert Large.alive == 0


def test_an_outcome_gives_its_value_or_raises_its_error() -> None:
    assert Outcome("a", 1).get() == 1
    assert Outcome("a", 1).then(str).get() == "1"
    failed: Outcome[str, Any] = Outcome("a", 1).then(lambda value: value / 0)
    assert isinstance(failed.error, ZeroDivisionError)
    assert failed.then(str).error is failed.error
    with pytest.raises(ZeroDivisionError):
        failed.get()


@settings(max_examples=25)
@given(
    count=st.integers(0, 30),
    at_once=st.integers(1, 4),
    faults=st.sets(st.integers(0, 29)),
    delays=st.dictionaries(st.integers(0, 29), st.floats(0, 0.003), max_size=8),
)
def test_what_is_done_at_once_comes_out_in_order(
    count: int, at_once: int, faults: set[int], delays: dict[int, float]
) -> None:
    before, lock, busy, most = threading.active_count(), threading.Lock(), 0, 0

    def whole(number: int) -> str:
        nonlocal busy, most
        with lock:
            busy += 1
            most = max(most, busy)
        time.sleep(delays.get(number, 0))
        with lock:
            busy -= 1
        if number in faults:
            raise Fault(number)
        return f"{number} done"

    outcomes = list(run_at_once(range(count), whole, at_once=at_once))
    assert [outcome.item for outcome in outcomes] == list(range(count))
    for outcome in outcomes:
        assert outcome.value == (None if outcome.item in faults else f"{outcome.item} done")
        assert isinstance(outcome.error, Fault) == (outcome.item in faults)
    assert most <= at_once
    assert threading.active_count() == before


def test_as_many_as_asked_for_are_done_at_once() -> None:
    """Each waits until the others are there: one after the other, they would wait for ever."""
    meeting = threading.Barrier(3, timeout=20)
    assert len(list(run_at_once(range(6), lambda number: meeting.wait() + number, at_once=3))) == 6


def test_closing_early_drops_what_waits() -> None:
    done: list[int] = []
    before = threading.active_count()

    def slowly(number: int) -> None:
        time.sleep(0.005)
        done.append(number)

    outcomes = run_at_once(range(100), slowly, at_once=2)
    assert next(outcomes).item == 0
    outcomes.close()
    assert len(done) < 10
    assert threading.active_count() == before


def test_an_interrupt_among_those_at_once_ends_the_run() -> None:
    def stop(number: int) -> int:
        if number == 3:
            raise KeyboardInterrupt
        return number

    seen: list[int] = []
    with pytest.raises(KeyboardInterrupt):
        seen.extend(outcome.get() for outcome in run_at_once(range(10), stop, at_once=2))
    assert seen == [0, 1, 2]
