import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from limner.runtime.statistics import Moments


@given(st.lists(st.integers(1, 7), min_size=1, max_size=6), st.floats(-1e3, 1e3))
def test_merged_parts_have_the_moments_of_the_whole(widths, offset):
    whole = torch.randn(2, 3, 4, sum(widths), dtype=torch.float64) + offset
    parts = [Moments.of(part, (2, 3)) for part in whole.split(widths, dim=3)]
    merged = parts[0]
    for part in parts[1:]:
        merged = merged.merge(part)
    assert merged.number == 4 * sum(widths)
    torch.testing.assert_close(merged.mean, whole.mean((2, 3), keepdim=True))
    torch.testing.assert_close(merged.variance(), whole.var((2, 3), correction=0, keepdim=True))


def test_a_small_deviation_around_a_large_mean_survives_float32():
    """The sum of squares would lose it: 4096^2 + 1e-2 is not a float32."""
    values = torch.tensor([4096.0, 4096.125, 4095.875, 4096.0]).reshape(1, 1, 2, 2)
    assert Moments.of(values, (2, 3)).variance().item() == pytest.approx(0.0078125)
