"""Weights are fetched once, checked, and kept; what goes wrong is one line and leaves nothing."""

import hashlib
import http.server
import socket
import threading
from typing import ClassVar

import pytest

from limner.errors import LimnerError
from limner.features import fetch as module
from limner.features.fetch import PUBLISHED, FetchError, Published, fetch, find_published

CONTENT = bytes(range(256)) * 3000


class Server(http.server.BaseHTTPRequestHandler):
    asked: ClassVar[list[str]] = []

    def do_GET(self):
        self.asked.append(self.path)
        if self.path != "/weights.pth":
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        self.wfile.write(CONTENT)

    def log_message(self, *args):
        pass


@pytest.fixture
def address():
    Server.asked.clear()
    server = http.server.HTTPServer(("127.0.0.1", 0), Server)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def publish(monkeypatch, address):
    def one(path="/weights.pth", content=CONTENT, address=address):
        published = Published("a test", address + path, len(content), hashlib.sha256(content).hexdigest(), "none")
        monkeypatch.setitem(module.PUBLISHED, "test", published)

    return one


class Counter:
    total = 0
    counted = 0
    closed = False

    def update(self, count):
        self.counted += count

    def reset(self):
        self.counted = 0

    def close(self):
        self.closed = True


def test_a_file_is_fetched_once_and_kept_whole(publish, tmp_path, capsys):
    publish()
    bar = Counter()
    path = fetch("test", tmp_path, bar=bar)
    assert path == tmp_path / "weights.pth"
    assert path.read_bytes() == CONTENT
    assert (bar.total, bar.counted, bar.closed) == (len(CONTENT), len(CONTENT), True)
    assert fetch("test", tmp_path) == path
    assert Server.asked == ["/weights.pth"]
    assert capsys.readouterr() == ("", "")


def test_a_file_that_was_damaged_is_fetched_anew(publish, tmp_path):
    publish()
    (tmp_path / "weights.pth").write_bytes(CONTENT[:1000])
    assert fetch("test", tmp_path).read_bytes() == CONTENT


def test_another_file_than_was_published_is_not_kept(publish, tmp_path):
    publish(content=b"something else")
    with pytest.raises(FetchError, match=r"gave another file than was published \(its SHA-256 differs\)") as error:
        fetch("test", tmp_path)
    assert error.value.exit_code == 1
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_not_there_and_a_network_that_is_not_there_are_one_line(publish, tmp_path):
    publish(path="/gone.pth")
    with pytest.raises(FetchError, match=r"test cannot be fetched from .*gone.pth \(status 404\): connect"):
        fetch("test", tmp_path)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        publish(address=f"http://127.0.0.1:{closed.getsockname()[1]}")
        with pytest.raises(FetchError, match=r"\(no connection\): connect to the network, or get the file") as error:
            fetch("test", tmp_path)
    assert "\n" not in str(error.value)
    assert list(tmp_path.iterdir()) == []


def test_what_is_published_is_named_by_the_start_of_its_hash():
    for published in PUBLISHED.values():
        prefix = published.file_name.removesuffix(".pth").rpartition("-")[2]
        assert len(prefix) == 8
        assert published.sha256.startswith(prefix)
        assert len(published.sha256) == 64
    with pytest.raises(LimnerError, match="weights that can be fetched are vgg16, vgg19, got 'resnet'"):
        find_published("resnet")
