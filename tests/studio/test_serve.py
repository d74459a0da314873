"""Where a service listens: from the moment on that its address is told."""

import socket
import subprocess
import sys

import pytest

from limner.errors import LimnerError
from limner.studio.serve import listening


def test_an_address_that_is_told_can_be_reached_at_once() -> None:
    with listening("127.0.0.1", 0) as found, socket.create_connection(found.getsockname()[:2], timeout=5):
        pass


def test_a_port_that_is_taken() -> None:
    with listening("127.0.0.1", 0) as found, pytest.raises(LimnerError, match="name another with --port"):
        listening("127.0.0.1", found.getsockname()[1])


def test_the_service_is_light() -> None:
    """It answers before torch is loaded, which the process that computes does."""
    code = "import sys, limner.studio.serve, limner.studio.service; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False"]
