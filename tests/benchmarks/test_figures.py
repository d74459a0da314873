"""The tables of docs/performance.md are those of the last timings."""

from dataclasses import asdict

import figures

from limner.processor import Machine

ROW = {"network": "vdsr", "title": "VDSR", "milliseconds": 2958.4, "times_faster": 1.0}
FOUND = {
    "machine": asdict(Machine("a processor", 2, "none", "2.13.0", "today", "AVX2")),
    "peak_gflops": {"fp32": 231.2, "bf16": 464.0},
    "targets": [
        {"title": "speed", "figure": 3.456, "least": 3.0, "unit": "x", "quality": "50 dB", "met": True},
        {"title": "share", "figure": None, "least": 0.85, "unit": "", "quality": "", "met": False},
    ],
    "rows": [
        ROW | {"size": "512", "way": "eager"},
        ROW | {"size": "512", "way": "torch fast", "times_faster": 3.8},
        ROW | {"size": "512", "way": "eager", "title": "U-Net", "milliseconds": 2000},
    ],
}


def test_the_tables_of_timings():
    lines = list(figures.timings(FOUND))
    assert "On AVX2, 2 threads, torch 2.13.0, today." in lines
    assert "In the median round it reached 231 GFLOP/s in fp32 and 464 GFLOP/s in bf16." in lines
    assert "| speed | 3.46x | 3.00x | 50 dB | met |" in lines
    assert "| share |  | 85% |  | missed |" in lines
    assert lines[-5:] == [
        "",
        "| network | eager, ms | torch fast |",
        "|---|---|---|",
        "| VDSR | 2958 | 3.80 |",
        "| U-Net | 2000 |  |",
    ]


def test_the_readme_claims_for_the_class_of_processor_what_was_measured_there():
    titles = [f"512x512, median of the networks, times faster, {way}" for way in ("exact", "fast")]
    targets = [{"title": title, "figure": figure} for title, figure in zip(titles, (1.64, 2.96), strict=True)]
    told = figures.speed(FOUND | {"targets": targets})
    assert told.startswith("On a processor of the class AVX2 ")
    assert "1.6 times as fast\nas plain PyTorch in float32, and 3.0 times with `--precision fast`" in told
    readme = (figures.ROOT / "README.md").read_text(encoding="utf-8")
    assert figures.speed_block() in readme, "the timings have changed: run `python docs/figures.py`"


def test_a_row_of_training_tells_what_it_began_with():
    card = {"model": "m", "data": "d", "steps": 7, "minutes": 3.4, "hardware": "h"}
    assert "| 7 | 3 | h |" in figures.trained(card)
    begun = {**card, "start_from": "other of 2 steps in 1 minutes"}
    assert "| 7 | 3, from other of 2 steps in 1 minutes | h |" in figures.trained(begun)
