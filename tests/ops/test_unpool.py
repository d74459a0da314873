"""Unpooling by loops."""

import pytest
import torch
import torch.nn.functional as F

from limner.ops.unpool import bed_of_nails, max_unpool


@pytest.mark.parametrize("factor", [2, 3])
def test_a_bed_of_nails_by_loops(factor: int) -> None:
    x = torch.rand(2, 3, 4, 5)
    made = bed_of_nails(x, factor)
    expected = torch.zeros(2, 3, 4 * factor, 5 * factor)
    for row in range(4):
        for column in range(5):
            expected[:, :, factor * row, factor * column] = x[:, :, row, column]
    assert torch.equal(made, expected)


def test_unpooling_puts_maxima_where_they_were() -> None:
    x = torch.rand(2, 3, 6, 9)
    pooled, places = F.max_pool2d(x, 3, return_indices=True)
    made = max_unpool(pooled, places, 3)
    assert torch.equal(made, torch.where(x == F.interpolate(pooled, scale_factor=3), x, 0))
