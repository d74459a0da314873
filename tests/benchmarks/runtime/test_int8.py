"""Networks in int8 beside float32."""

import json

import pytest
import torch
from torch import nn

from benchmarks.runtime import int8


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 3, 3, padding=1), nn.Sigmoid())


@pytest.fixture
def own_settings():
    threads, engine = torch.get_num_threads(), torch.backends.quantized.engine
    yield
    torch.set_num_threads(threads)
    torch.backends.quantized.engine = engine


def test_a_quantised_network_is_another_one_and_near(own_settings):
    inputs = [torch.rand(1, 3, 24, 24) for _ in range(4)]
    system = network().eval()
    with torch.inference_mode():
        made = int8.quantized(system, inputs)
        difference = (made(inputs[0]) - system(inputs[0])).abs().max()
    assert 0 < difference < 0.02
    assert any("quantized" in str(type(one)) for one in made.modules())


def test_crops_are_as_large_as_the_network_takes_them():
    assert [one.shape for one in int8.crops(int8.HELD_OUT, int8.CASES["vdsr"], 2)] == [(1, 1, 256, 256)] * 2
    first, last = int8.crops(int8.HELD_OUT, int8.CASES["edsr-x2"], 2)
    assert first.shape == (1, 3, 128, 128) and not torch.equal(first, last)


def test_the_report_says_what_pays(tmp_path, monkeypatch, own_settings):
    monkeypatch.setattr(int8, "CASES", {"plain": int8.Case(network)})
    monkeypatch.setattr(int8, "SIDE", 32)
    monkeypatch.setattr(int8, "keep_freed_memory", lambda: None)
    for seconds, verdict in ((0.5, "pays"), (2.0, "does not pay")):
        monkeypatch.setattr(int8, "seconds", lambda *_, small=seconds: {"exact": 1.0, "int8": small})
        int8.main(rounds=1, network=None, held_out=int8.DEMO, out=tmp_path)
        (report,) = tmp_path.glob("int8-*.md")
        assert f"| {verdict} |" in report.read_text()
    assert (
        json.loads(report.with_suffix(".json").read_text())["held_out"] == 16
    )  # the folder has three, one of them again
