"""Ctrl-C and SIGTERM as a request: the run finishes its step and saves."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class StopRequest:
    """Set by the first SIGINT or SIGTERM; a second one acts as it always did."""

    def __init__(self) -> None:
        self.asked = False


@contextmanager
def stop_on_signal() -> Iterator[StopRequest]:
    """Turn the first SIGINT and SIGTERM into a request while the context lasts; outside the main thread, do nothing."""
    request = StopRequest()
    previous: dict[int, Any] = {}

    def ask(number: int, frame: Any) -> None:
        request.asked = True
        signal.signal(number, previous[number])

    try:
        for number in (signal.SIGINT, signal.SIGTERM):
            previous[number] = signal.signal(number, ask)
    except ValueError:  # not in the main thread, where a server, for instance, stops a run in its own way
        previous.clear()
    try:
        yield request
    finally:
        for caught, handler in previous.items():
            signal.signal(caught, handler)
