import errno
import json
import os
import sys
from pathlib import Path

import pytest
import torch

from limner.runtime import engine_record
from limner.runtime.engine_record import keep, network_key, recall, record_path
from limner.systems.feedforward.vdsr import VDSR, VDSRConfig


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path


def key(system=None, precision="fast", threads=2):
    return network_key(system or VDSR(VDSRConfig(num_layers=3, channels=4)), precision=precision, threads=threads)


def test_the_key_names_all_that_speed_depends_on(monkeypatch):
    assert key() == key(VDSR(VDSRConfig(num_layers=3, channels=4)).eval())
    others = [
        key(VDSR(VDSRConfig(num_layers=3, channels=5))),
        key(VDSR(VDSRConfig(num_layers=4, channels=4))),
        key(torch.nn.Sequential(torch.nn.ReLU())),
        key(torch.nn.Sequential(torch.nn.Tanh())),
        key(precision="exact"),
        key(threads=1),
    ]
    monkeypatch.setattr(engine_record, "_version", lambda name: "0" if name == "openvino" else "1")
    others.append(key())
    monkeypatch.setattr(engine_record, "processor_name", lambda: "another")
    others.append(key())
    monkeypatch.setattr(engine_record, "processor_class", lambda: "other")
    others.append(key())
    assert len({key(), *others}) == len(others)
    assert len(others) == 9


def test_what_is_kept_is_recalled(cache):
    assert recall("a") is None
    keep("a", {"torch": 1.5})
    keep("b", {"torch": 2.5, "openvino": 0.5})
    keep("a", {"torch": 1.25})
    assert (recall("a"), recall("b"), recall("c")) == ({"torch": 1.25}, {"torch": 2.5, "openvino": 0.5}, None)
    assert [path.name for path in (cache / "limner").iterdir()] == ["engines.json"]


def test_the_record_keeps_the_newest(cache):
    record_path().parent.mkdir()
    record_path().write_text(json.dumps({str(number): {"torch": 1.0} for number in range(250)}))
    keep("new", {"torch": 2.0})
    assert recall("0") is None
    assert recall("249") == {"torch": 1.0}
    assert recall("new") == {"torch": 2.0}


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff", b'{"a": 3}', b'{"a": {"torch": "x"}}', b"[" * 100_000])
def test_a_damaged_record_is_passed_over_and_written_anew(content):
    record_path().parent.mkdir()
    record_path().write_bytes(content)
    assert recall("a") is None
    keep("a", {"torch": 1.0})
    assert recall("a") == {"torch": 1.0}


def test_a_folder_that_cannot_be_written_is_no_error(cache):
    (cache / "limner").write_text("a file where the folder should be")
    keep("a", {"torch": 1.0})
    assert recall("a") is None


def test_the_cache_folder_of_each_system(monkeypatch):
    monkeypatch.setenv("HOME", "/home/ada")
    assert record_path() == Path(os.environ["XDG_CACHE_HOME"]) / "limner" / "engines.json"
    for unset in ("", "relative"):
        monkeypatch.setenv("XDG_CACHE_HOME", unset)
        assert record_path() == Path("/home/ada/.cache/limner/engines.json")
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", "/users/ada/local")
    assert record_path() == Path("/users/ada/local/limner/engines.json")


def test_a_full_disk_is_no_error(cache, monkeypatch):
    def full(*arguments, **options):
        raise OSError(errno.ENOSPC, "no space left on device")

    monkeypatch.setattr("limner.files.atomic.lock_file", full)
    keep("a", {"torch": 1.0})
    assert recall("a") is None
