"""What a CUDA device reaches, tried on the CPU."""

import json
import math
import time

import pytest
import torch
import typer
from benchmarks.runtime.networks import Network
from benchmarks.training.steps import Case
from torch import nn

from benchmarks.runtime import gpu


def small() -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 3, 3, padding=1)).eval()


@pytest.fixture
def few(monkeypatch):
    monkeypatch.setattr(gpu, "NETWORKS", {"small": Network("Small", small), "no": Network("", small, reference=False)})
    steps = {"made": Case(lambda: list, lambda precision, device: lambda: torch.ones(3, device=device).sum(), 1.0)}
    monkeypatch.setattr(gpu, "CASES", steps)


def test_it_refuses_in_one_line_where_there_is_no_cuda(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(typer.Exit):
        gpu.main(out=tmp_path)
    assert capsys.readouterr().err.count("\n") == 1
    assert not [*tmp_path.iterdir()]


def test_a_dry_run_writes_all_of_the_report(few, tmp_path):
    gpu.main(minutes=1.0, out=tmp_path, dry=True)
    found = json.loads((tmp_path / "gpu.json").read_text())
    assert found["left_out"] == []
    assert [(one["way"], one["batch"]) for one in found["networks"]] == [
        (way, batch) for way in (gpu.PLAIN, gpu.EXACT, gpu.FAST, gpu.COMPILED) for batch in gpu.BATCHES
    ]
    for one in found["networks"]:
        assert one["images_a_second"] == pytest.approx(one["batch"] / one["seconds"])
        work = 2 * (3 * 4 * 9 + 4 * 3 * 9) * 64**2 / 1e9
        assert one["gflops"] == pytest.approx(work * one["images_a_second"])
        peak = found["peak"]["bf16" if one["way"] == gpu.FAST else "fp32"]
        assert one["share"] == pytest.approx(one["gflops"] / peak)
    assert [one["name"] for one in found["trainings"]] == ["made, exact", "made, fast"]
    assert "| made, fast |" in (tmp_path / "gpu.md").read_text()


def test_when_the_time_is_over_the_rest_is_left_out_by_name(few, tmp_path):
    gpu.main(minutes=0.0, out=tmp_path, dry=True)
    found = json.loads((tmp_path / "gpu.json").read_text())
    assert found["networks"] == found["trainings"] == []
    assert "Small, fast, batch 8: no time was left" in found["left_out"]
    assert "- made, exact: no time was left" in (tmp_path / "gpu.md").read_text()


def test_what_the_device_cannot_is_left_out_with_the_reason():
    session = gpu.Session("cpu", math.inf)

    def fail() -> gpu.Row:
        raise RuntimeError("out of memory\nand much more")

    assert session.tried("large", fail) == []
    assert session.left_out == ["large: out of memory"]


def test_a_timing_is_a_median_after_calls_that_do_not_count():
    calls, session = [0.02, 0.02, 0.02, 0.0, 0.0, 0.0], gpu.Session("cpu", math.inf, seconds=0.0)
    assert session.timed(lambda: time.sleep(calls.pop(0)))["seconds"] < 0.01
    assert len(calls) == 2
