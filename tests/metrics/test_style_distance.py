import math

import pytest
import torch

from limner.metrics.style_distance import style_distance


def test_it_is_the_mean_over_layers_of_relative_distances_of_gram_matrices():
    generator = torch.Generator().manual_seed(0)
    found, style = ({name: torch.rand(1, 3, 4, 5, generator=generator) for name in "ab"} for _ in range(2))
    expected = 0.0
    for name in "ab":
        grams = []
        for picture in (found, style):
            places = picture[name][0].permute(1, 2, 0).reshape(20, 3)
            grams.append(torch.stack([torch.outer(place, place) for place in places]).sum(0) / 20)
        expected += math.sqrt(((grams[0] - grams[1]) ** 2).sum()) / math.sqrt((grams[1] ** 2).sum()) / 2
    assert style_distance(found, style).item() == pytest.approx(expected, rel=1e-5)


def test_where_things_are_does_not_count():
    seen = {"a": torch.rand(2, 3, 4, 4)}
    mirrored = {"a": seen["a"].flip(-1)}
    for number in range(2):
        one = {"a": seen["a"][number : number + 1]}
        assert style_distance(mirrored, one)[number].item() == pytest.approx(0, abs=1e-6)
    assert style_distance(mirrored, one)[0] > 0.01


def test_a_blank_picture_is_as_far_as_the_style_is_strong():
    assert style_distance({"a": torch.zeros(1, 3, 4, 4)}, {"a": torch.rand(2, 3, 8, 8)}).item() == pytest.approx(1)
