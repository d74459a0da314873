"""The table of Winograd's convolutions: every way computes the same, and the report names what is taken."""

import pytest
import torch
from benchmarks.runtime.winograd import FIRST, LAST, compare, report, ways

from limner.layers import nnpack


@pytest.mark.skipif(not nnpack.works(), reason="NNPACK is not in this torch, or not for this CPU")
@torch.inference_mode()
@pytest.mark.parametrize("shape", [(8, 12, 20), (16, 3, 40, 9), (16, 1, 44, 7)])
def test_all_ways_compute_the_same(shape: tuple[int, ...]) -> None:
    plain, *others = (run() for run in ways(*shape).values())
    for made in others:
        torch.testing.assert_close(made, plain, atol=1e-4, rtol=0)
    assert compare(shape, 1)["gains"].keys() == {LAST, FIRST}


def test_the_report_names_what_is_taken() -> None:
    machine = {
        "processor": "one", "threads": 1, "accelerator": "none", "torch": "2", "date": "now", "processor_class": "AVX2",
    }  # fmt: skip
    times, gains = {"oneDNN": 3.0, LAST: 2.0, FIRST: 1.5}, {LAST: 1.5, FIRST: 2.0}
    row = {"shape": (64, 128, 32, 3), "milliseconds": times, "gains": gains, "taken": True}
    text = "\n".join(report({"machine": machine, "command": "it", "rows": [row, row | {"taken": False}]}))
    assert "| 64 to 128 | 3x3 | 32 | 3.00 | 2.00 | 1.50 | 1.50 | 2.00 | yes |" in text
    assert text.endswith("| 1.50 | 2.00 |  |")
