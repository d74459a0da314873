"""The benchmark of widths, small, and what its report says."""

import json

import pytest
from benchmarks.style.fast_style_widths import ratio, report

from benchmarks.style import fast_style_widths
from limner.cli.work.demo import PHOTO

FIGURES = {"minutes": 2.5, "photo_style": 2.0, "style": 1.0, "content": 0.5}
MACHINE = {
    "processor": "one",
    "threads": 2,
    "accelerator": "none",
    "torch": "2",
    "date": "now",
    "processor_class": "AVX2",
}


@pytest.mark.parametrize(("style", "told"), [(1.1, "1.10 times that of full. Aim: 1.1: met."), (1.2, "**missed**.")])
def test_the_report_says_whether_the_aim_is_met(style, told):
    widths = {"full": FIGURES, "slim": FIGURES | {"style": style}}
    assert ratio(widths) == pytest.approx(style)
    found = {"machine": MACHINE, "command": "it", "steps": 3, "patch": 64, "style": "mosaic", "widths": widths}
    text = "\n".join(report(found))
    assert "| full | 2.5 | 2.0000 | 1.0000 | 0.5000 |" in text
    assert text.endswith(told)


def test_both_widths_are_trained_and_judged(tmp_path):
    fast_style_widths.main(data=PHOTO.parent, patch=32, steps=2, style="mosaic", out=tmp_path)
    written = json.loads((tmp_path / "fast_style_widths.json").read_text())
    assert written["data"] == "demo"
    full, slim = (written["widths"][width] for width in ("full", "slim"))
    assert full["photo_style"] == slim["photo_style"]
    assert full["style"] != slim["style"]
