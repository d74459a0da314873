import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from limner.cli.work import weights as work
from limner.features import fetch as module
from limner.features.fetch import Published


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch, place: Path) -> Path:
    """A folder for what is kept, and nobody at the other end."""
    published = Published("a test", "http://127.0.0.1:9/one.pth", 3, hashlib.sha256(b"abc").hexdigest(), "none")
    monkeypatch.setitem(module.PUBLISHED, "test", published)
    for one in (module, work):  # whichever was imported first
        monkeypatch.setattr(one, "fetched_folder", lambda: place / "kept")
    return place / "kept"


def test_what_can_be_fetched_is_listed_with_what_is_there(limner: Callable, offline: Path) -> None:
    done = limner("weights", "list")
    assert done.code == 0
    assert "vgg19: VGG-19, all layers, of torchvision, 548.1 MiB, BSD 3-Clause" in done.out
    assert "  not here: limner weights fetch vgg19" in done.out
    offline.mkdir()
    (offline / "one.pth").write_bytes(b"abc")
    assert f"test: a test, 0.0 MiB, none\n  {offline / 'one.pth'}\n" in limner("weights", "list").out
    told = {one["name"]: one for one in json.loads(limner("weights", "list", "--json").out)}
    assert told["test"]["path"] == str(offline / "one.pth")
    assert told["vgg16"]["path"] is None


def test_what_is_there_is_not_fetched_again(limner: Callable, offline: Path) -> None:
    offline.mkdir()
    (offline / "one.pth").write_bytes(b"abc")
    done = limner("weights", "fetch", "test")
    assert (done.code, done.out, done.err) == (0, f"{offline / 'one.pth'}\n", "")
    elsewhere = limner("weights", "fetch", "test", "--output", offline.parent / "other")
    assert elsewhere.code == 1


def test_without_a_network_it_is_one_line(limner: Callable, offline: Path) -> None:
    refused = limner("weights", "fetch", "test")
    assert refused.code == 1
    assert refused.error.startswith("test cannot be fetched from http://127.0.0.1:9/one.pth (no connection): connect")


def test_another_name_is_refused(limner: Callable, offline: Path) -> None:
    refused = limner("weights", "fetch", "alexnet")
    assert refused.code == 2
    assert refused.error.startswith("weights that can be fetched are vgg16, vgg19")
