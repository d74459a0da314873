"""The report's arithmetic, on made-up rows."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from benchmarks.runtime.plot import figure_of, svg
from benchmarks.runtime.summary import Row, markdown, plain, targets

from limner.processor import Machine

FAST = Row(
    network="johnson", title="Style & co", reference=True, size="512", way="torch fast", milliseconds=100,
    times_faster=4.0, gflops=400, share=0.9, peak_mib=200, decibels=50, max_difference=0.02, runs=3,
)  # fmt: skip
MACHINE = Machine("a processor", 2, "none", "2.13.0", "2026-01-01", "AVX-512 BF16")


def aims(rows, processor_class="AVX-512 BF16"):
    return {target.title: target for target in targets(rows, processor_class)}


def test_medians_count_the_reference_networks_at_512_alone():
    rows = [
        FAST,
        replace(FAST, network="unet", times_faster=2.0, share=0.5),
        replace(FAST, network="vdsr", times_faster=3.5, share=0.8),
        replace(FAST, network="vdsr-fast", times_faster=100.0, reference=False),
        replace(FAST, network="vdsr", size="256", times_faster=200.0),
        replace(FAST, network="vdsr", way="openvino fast", times_faster=300.0),
    ]
    found = aims(rows)
    faster, share = (
        found[f"512x512, median of the networks, {column}, fast"] for column in ("times faster", "share of peak")
    )
    assert (faster.figure, faster.least, faster.met) == (3.5, 3.0, True)
    assert (share.figure, share.least, share.met) == (0.8, 0.85, False)


def test_a_figure_is_missed_where_one_result_is_too_far_off():
    near = replace(FAST, way="torch exact", decibels=130, max_difference=1e-5)
    title = "512x512, median of the networks, times faster, "
    assert aims([near])[title + "exact"].met
    assert not aims([near, replace(near, network="unet", max_difference=2e-4)])[title + "exact"].met
    assert not aims([FAST, replace(FAST, network="unet", decibels=43.9)])[title + "fast"].met


def test_the_large_picture_is_the_style_network_alone():
    rows = [replace(FAST, size="1080p", times_faster=6), replace(FAST, size="1080p", network="unet", times_faster=1)]
    target = aims(rows)["1080p, style network, times faster, fast"]
    assert (target.figure, target.least, target.met) == (6, 5.5, True)


def test_by_avx2_each_network_has_an_aim_of_its_own():
    exact = replace(FAST, way="torch exact", times_faster=2.7, max_difference=1e-5)
    found = aims([exact, replace(exact, network="unet", times_faster=1.6), FAST], "AVX2")
    johnson, unet = (found[f"512x512, {name}, times faster, exact"] for name in ("Johnson style", "U-Net"))
    assert (johnson.figure, johnson.least, johnson.met) == (2.7, 2.6, True)
    assert (unet.figure, unet.least, unet.met) == (1.6, 1.7, False)
    assert found["512x512, median of the networks, times faster, exact"].figure == pytest.approx(2.15)
    assert not any(title.endswith("fast") for title in found)


def test_what_was_not_measured_is_neither_met_nor_a_number_in_json():
    assert all(math.isnan(target.figure) and not target.met for name in ("AVX2", "AMX") for target in targets([], name))
    found = json.loads(json.dumps(plain([], {}, [("a way", "a reason")], MACHINE), allow_nan=False))
    assert found["targets"][0]["figure"] is None
    assert found["not_measured"] == [{"what": "a way", "why": "a reason"}]


def test_the_report_says_it_all():
    eager = replace(FAST, way="eager", times_faster=1, decibels=math.inf, max_difference=0.0, milliseconds=400)
    notes = [("A exact", "no such library"), ("B exact", "no such library")]
    report = markdown([eager, FAST], {"fp32": 220.4, "bf16": 450.0}, notes, MACHINE, 3)
    assert "220 GFLOP/s in fp32 and 450 GFLOP/s in bf16" in report
    assert "| Style & co | torch fast | 100 | 4.00 | 400 | 90% | 200 | 50.0 | 2.0e-02 | 3 |" in report
    assert "| Style & co | eager | 400 | 1.00 | 400 | 90% | 200 |  |  | 3 |" in report
    assert (
        "| 512x512, median of the networks, times faster, fast | 4.00x | 3.00x | 50.0 dB (at least 44) | met |"
        in report
    )
    assert "- A exact, B exact: no such library" in report


def test_the_plot_places_marks_on_its_scale():
    rows = [FAST, replace(FAST, way="torch exact", times_faster=2.0)]
    (axes,) = figure_of(rows).axes
    marks = {line.get_label(): np.asarray(line.get_xydata()).tolist() for line in axes.lines}
    assert marks["torch exact"] == [[2, 0]]
    assert marks["torch fast"] == [[FAST.times_faster, 0]]
    assert axes.get_xlim() == (0, FAST.times_faster)
    assert [label.get_text() for label in axes.get_yticklabels()] == ["Style & co"]
    assert svg(rows) == svg(rows)
