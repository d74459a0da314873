"""What the benchmark of texture networks counts, on made-up curves."""

import pytest
from benchmarks.style.texture_samples import chart, ratios, report

from limner.measure.texture import Step

SLOW = [Step(1.0, 8.0), Step(2.0, 4.0), Step(3.0, 2.0)]
QUICK = [Step(0.5, 8.0), Step(1.0, 3.0), Step(1.5, 3.0)]


def test_the_sooner_way_counts():
    """A step tells the loss before it: SLOW has a loss of 4 after 1 s, QUICK one of 3 after 0.5 s."""
    assert ratios({"a": SLOW, "b": QUICK}, 4.0, 0.01) == {"times_sooner": pytest.approx(50), "is_bound": False}
    assert ratios({"a": SLOW, "b": QUICK}, 2.0, 0.01) == {"times_sooner": pytest.approx(200), "is_bound": False}
    assert ratios({"a": SLOW, "b": QUICK}, 1.0, 0.01) == {"times_sooner": pytest.approx(300), "is_bound": True}


def test_the_report_says_it_all():
    found = {
        "model": "m", "picture": "p", "side": 64, "threads": 1, "device": "cpu", "torch": "2", "sample_seconds": 0.01,
        "sample_loss": 3.0, "curves": {"a": SLOW, "b": QUICK[:1]}, "times_sooner": 200.0, "is_bound": False,
    }  # fmt: skip
    text = "\n".join(report(found))
    assert "| one sample | 0.010 | 3 |" in text
    assert "| a, until the loss of the sample | 2.0 | 2 |" in text
    assert "| b, 1 steps, not there yet | 0.5 | 8 |" in text
    assert "The network is there 200 times sooner. Aim: 160: met." in text
    assert "at least 100 times sooner. Aim: 160: **missed**" in "\n".join(
        report(found | {"times_sooner": 100.0, "is_bound": True})
    )
    assert "network, 10 ms" in chart(found)
