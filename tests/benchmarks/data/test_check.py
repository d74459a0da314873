"""The benchmark of checking many files: what it plants is found, and the report says so."""

from pathlib import Path

import pytest
from benchmarks.data.check import make_files, measure, report


def test_what_is_planted_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    make_files(tmp_path / "data", 200, 128)
    found = measure(tmp_path / "data", 0)
    assert found["near"] == 2
    assert found["again"] < found["first"]
    machine = {
        "processor": "one", "threads": 2, "accelerator": "none", "torch": "2", "date": "now",
        "processor_class": "AVX2",
    }  # fmt: skip
    told = {"machine": machine, "command": "it", "side": 128, "files": 10_000, "workers": 2, "seconds": found}
    lines = list(report(told))
    assert "| first |" in "".join(lines)
    assert "Aim: 60 seconds: met." in lines
