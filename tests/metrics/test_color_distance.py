import math

import pytest
import torch

from limner.metrics.color_distance import chroma_distance, hue_distance
from limner.ops.color import ycbcr_to_rgb


def of(chroma: torch.Tensor, hue: torch.Tensor) -> torch.Tensor:
    """A picture (1, 3, h, w) of given chromas and hues, in radians, of one luminance."""
    planes = [torch.full_like(chroma, 0.5), 128 / 255 + chroma * hue.cos(), 128 / 255 + chroma * hue.sin()]
    return ycbcr_to_rgb(torch.stack(planes)[None])


def test_chroma_is_compared_rank_by_rank():
    torch.manual_seed(0)
    chroma, hue = torch.rand(16, 16) / 4, torch.rand(16, 16) * 6
    one = of(chroma, hue)
    shuffled = chroma.flatten()[torch.randperm(256)].view(16, 16)
    assert chroma_distance(one, of(shuffled, -hue)).item() == pytest.approx(0, abs=1e-5)
    assert chroma_distance(one, of(chroma / 2, hue)).item() == pytest.approx(chroma.mean().item() / 2, rel=0.01)
    assert chroma_distance(one, of(chroma + 0.1, hue)).item() == pytest.approx(0.1, rel=0.01)


def test_hues_count_by_their_chroma():
    """A quarter of a strong hue and three of one a third as strong weigh the same."""
    hue = torch.full((4, 4), 0.7)
    hue[:1], chroma = 0.7 + math.pi, torch.full((4, 4), 0.06)
    chroma[:1] = 0.18
    both, first, second = of(chroma, hue), of(chroma[:1], hue[:1]), of(chroma[1:], hue[1:])
    assert hue_distance(both, first).item() == pytest.approx(0.5, abs=1e-4)
    assert hue_distance(both, second).item() == pytest.approx(0.5, abs=1e-4)
    assert hue_distance(first, second).item() == pytest.approx(1, abs=1e-4)
    assert hue_distance(both, of(chroma / 2, hue)).item() == pytest.approx(0, abs=1e-4)
