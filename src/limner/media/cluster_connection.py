"""The connection to a Ray cluster, or to one that is begun for a run."""

import logging
import os
import re
import signal
import socket
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

from limner.errors import LimnerError

_KNOCK = 3.0  # seconds for a server for clients to take a connection
_CLIENT_PORT = 10001  # Ray's own
_HEARD = 0.1  # seconds in which Ctrl-C is heard


class ClusterError(LimnerError):
    """The cluster cannot go on. Finished files are whole."""

    exit_code = 1


@contextmanager
def connected(address: str, note: Callable[[str], None]) -> Iterator[Any]:
    """Ray, on the cluster of that address.

    Args:
        address: `ray`, or `ray://HOST:PORT`.
        note: Is told what Ctrl-C waits for.

    Raises:
        LimnerError: If Ray is not installed, or the address is none.
        ClusterError: If nothing answers there.
    """
    if server := check_address(address):
        _knock(address, server)
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    try:
        import ray
    except ImportError:
        raise LimnerError(
            "--on needs the ray extra, here and on all nodes: pip install '.[ray]' in the folder of Limner"
        ) from None
    if ray.is_initialized():
        yield ray
        return
    try:
        with _left_as_it_is(ray):
            over = _begin(ray, None if address == "ray" else address, note)
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise ClusterError(f"{address}: no cluster answers ({reason_of(error)}): check the address") from None
    try:
        yield ray
    finally:
        with _signals_end_at_once():
            ray.shutdown()
        over.set()


def _begin(ray: Any, address: str | None, note: Callable[[str], None]) -> threading.Event:
    """Connect, in a thread of its own, which stays until what is returned is set: Ray's processes die with it.

    Ray begins in C++, which hears no Ctrl-C for as long as its processes take to come up, and may crash when it is left
    in the midst of it. So the first Ctrl-C is heard here and waits for Ray, and says so; the second ends all at once,
    and Ray's processes end themselves.
    """
    failed, ended, over = list[BaseException](), threading.Event(), threading.Event()

    def begin() -> None:
        try:
            ray.init(
                address=address, include_dashboard=False, logging_level=logging.CRITICAL, log_to_driver=False
            )  # fmt: skip
        except BaseException as error:  # told below, in the thread that waits for it
            failed.append(error)
        finally:
            ended.set()
        over.wait()

    try:
        threading.Thread(target=begin, daemon=True).start()
        _wait(ended)
    except KeyboardInterrupt:
        with _signals_end_at_once():
            note("stopping once Ray has begun, which takes seconds and cannot be broken off: Ctrl-C again ends at once")
            _wait(ended)
            ray.shutdown()
        over.set()
        raise
    if failed:
        over.set()
        raise failed[0]
    return over


def _wait(ended: threading.Event) -> None:
    """Until it is set; signals are heard meanwhile. A thread that is joined counts as ended after a signal."""
    while not ended.wait(_HEARD):
        pass


@contextmanager
def _signals_end_at_once() -> Iterator[None]:
    """Ctrl-C and SIGTERM end this process as they end any; outside the main thread, nothing changes."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {one: signal.signal(one, signal.SIG_DFL) for one in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def _knock(address: str, server: tuple[str, int]) -> None:
    """Ask whether anything listens there, for Ray waits half a minute for what does not.

    Raises:
        ClusterError: If nothing does.
    """
    try:
        socket.create_connection(server, timeout=_KNOCK).close()
    except OSError as error:
        raise ClusterError(f"{address}: no cluster answers ({reason_of(error)}): check the address") from None


@contextmanager
def _left_as_it_is(ray: Any) -> Iterator[None]:
    """Let Ray begin without what it prints on standard output of nodes that die."""
    worker = ray._private.worker
    listens = worker.listen_error_messages
    worker.listen_error_messages = lambda *_: None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        worker.listen_error_messages = listens


def check_address(address: str) -> tuple[str, int] | None:
    """Refuse what names no cluster.

    Returns:
        Host and port of a server for clients; None for the cluster of this machine.

    Raises:
        LimnerError: It does not.
    """
    if address == "ray":
        return None
    with suppress(ValueError):  # of a port that is no number, or too large
        parts = urlsplit(address)
        if parts.scheme == "ray" and parts.hostname:
            return parts.hostname, parts.port or _CLIENT_PORT
    raise LimnerError(f"--on takes ray, or ray://HOST:PORT, got {address!r}: name a cluster so")


def reason_of(error: BaseException) -> str:
    """The last line of what Ray tells, where the reason stands."""
    lines = re.sub(r"\x1b\[[0-9;]*m", "", str(error)).strip().splitlines() or [""]
    return f"{type(error).__name__}: {lines[-1].strip()}".rstrip(".: ")
