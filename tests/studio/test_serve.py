"""Where a service listens: from the moment on that its address is told."""

import socket

import pytest

from limner.errors import LimnerError
from limner.studio.serve import listening


def test_an_address_that_is_told_can_be_reached_at_once() -> None:
    with listening("127.0.0.1", 0) as found, socket.create_connection(found.getsockname()[:2], timeout=5):
        pass


def test_a_port_that_is_taken() -> None:
    with listening("127.0.0.1", 0) as found, pytest.raises(LimnerError, match="name another with --port"):
        listening("127.0.0.1", found.getsockname()[1])
