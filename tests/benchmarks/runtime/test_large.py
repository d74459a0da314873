"""The large picture's measurement, on a small one."""

import json
import math

import pytest
import torch

from benchmarks.runtime import large
from limner.runtime.operators import Region, Span


def test_agreement_is_that_of_all_parts(tmp_path):
    whole = torch.zeros(1, 1, 200, 3)
    whole[..., 0, 0] = 2
    made = whole.clone()
    made[..., 150, 1] = 0.5
    torch.save(whole, tmp_path / "whole")
    for name, picture in (("same", whole), ("made", made)):
        (tmp_path / name).mkdir()
        torch.save(picture[..., :120, :], tmp_path / name / "0 0")
        torch.save(picture[..., 120:, :2], tmp_path / name / "120 0")
        torch.save(picture[..., 120:, 2:], tmp_path / name / "120 2")
    difference, decibels = large.agreement(tmp_path / "whole", tmp_path / "made")
    assert difference == 0.5
    assert decibels == pytest.approx(10 * math.log10(4 / (0.25 / 600)))
    assert large.agreement(tmp_path / "whole", tmp_path / "same") == (0.0, math.inf)
    (tmp_path / "same" / "120 2").unlink()
    with pytest.raises(ValueError, match="520 of 600"):
        large.agreement(tmp_path / "whole", tmp_path / "same")


def test_rows_are_read_as_they_were_written(tmp_path):
    picture = torch.rand(1, 3, 6, 5)
    written = large.write_rows(tmp_path / "rows", picture)
    assert (written - picture).abs().max() <= 0.5 / 255 + 1e-6
    part = large.Rows(tmp_path / "rows", 6, 5).read(Region(Span(1, 4), Span(2, 5)))
    torch.testing.assert_close(part, written[..., 1:4, 2:5], rtol=0, atol=0)


@pytest.mark.slow
def test_a_run_compares_with_the_reference(tmp_path):
    large.main(size="144p", smaller="72p", rounds=1, out=tmp_path)
    exact, fast = json.loads((tmp_path / "large.json").read_text())["rows"]
    assert exact["max_difference"] < 1e-4
    assert 40 < fast["decibels"] < exact["decibels"]
    assert "largest difference at most 1e-4" in (tmp_path / "large.md").read_text()
