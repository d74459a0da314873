"""The whole measurement, small."""

import json
import xml.etree.ElementTree as ElementTree

import pytest
import typer
from benchmarks.runtime.measuring import Block
from benchmarks.runtime.reports import of_class
from benchmarks.runtime.summary import Row

from benchmarks.runtime import runtime
from limner.processor import Machine


def row(way, milliseconds):
    return Row("unet", "", True, "512", way, milliseconds, 1.0, 1.0, 1.0, 1.0, 99.0, 0.0, 3)


def test_large_pictures_come_last_the_style_network_first_and_alone_in_all_ways():
    ways = ("openvino fast", "eager", "torch fast")
    small, other, style, last = runtime.plan(["unet", "johnson"], ["512", "1080p"], ways, None)
    assert (small, other) == tuple(
        Block(name, ("512",), ("eager", "openvino fast", "torch fast")) for name in ("unet", "johnson")
    )
    assert style == Block("johnson", ("1080p",), ("eager", "openvino fast", "torch fast"), 3)
    assert last == Block("unet", ("1080p",), ("eager", "torch fast"), 1)


def test_expected_time_grows_with_the_pixels():
    block = Block("unet", ("1080p",), ("eager", "torch fast"), 1)
    known = [row("eager", 3000), row("torch fast", 1000), row("openvino fast", 9000)]
    assert runtime.expected_minutes(block, known) == pytest.approx(2 * 4 / 60 * (1080 * 1920) / 512**2)
    assert runtime.expected_minutes(block, []) == 0


def test_an_unknown_name_is_told():
    with pytest.raises(typer.BadParameter, match="'vgg' is none of johnson"):
        runtime.main(network=["vgg"])


def test_a_run_writes_the_report_the_values_and_the_plot(tmp_path):
    runtime.main(network=["vdsr-fast"], size=["32"], way=["torch exact"], rounds=1, out=tmp_path)
    stem = of_class("runtime", Machine.here())
    found = json.loads((tmp_path / f"{stem}.json").read_text())
    eager, exact = found["rows"]
    assert (eager["way"], eager["times_faster"], eager["max_difference"]) == ("eager", 1, 0)
    assert exact["decibels"] > 100
    assert exact["gflops"] == pytest.approx(2 * 668_160 * 16**2 / 1e6 / exact["milliseconds"])
    assert found["peak_gflops"]["fp32"] > 1
    assert "| VDSR, folded | torch exact |" in (tmp_path / f"{stem}.md").read_text()
    ElementTree.fromstring((tmp_path / f"{stem}.svg").read_text())
    runtime.main(network=["vdsr-fast"], size=["48"], way=["torch exact"], rounds=1, keep=True, out=tmp_path)
    rows = json.loads((tmp_path / f"{stem}.json").read_text())["rows"]
    assert [(row["size"], row["way"]) for row in rows] == [
        (size, way) for size in ("32", "48") for way in ("eager", "torch exact")
    ]
    assert rows[:2] == found["rows"]
