"""Pillow without its warnings and log lines: what they say is either harmless or in the refusal that follows."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from threading import Lock

logging.getLogger("PIL").addHandler(logging.NullHandler())  # else errors of its parsers go to standard error

_lock = Lock()
_users = 0
_filters = ExitStack()


@contextmanager
def quiet() -> Iterator[None]:
    """Hide Pillow's warnings.

    The filters belong to the whole process, so threads that overlap share one change of them, and the last one out
    undoes it.
    """
    global _users
    with _lock:
        if _users == 0:
            _filters.enter_context(warnings.catch_warnings())
            warnings.filterwarnings("ignore", module=r"PIL\.")
        _users += 1
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            if _users == 0:
                _filters.close()
