"""What the benchmark of one pass counts, on made-up losses and pictures."""

import pytest
import torch
from benchmarks.style.one_pass_pairs import charts, seen, verdict

from limner.measure.stylize_like import Losses, PairFigures, Point, StylePair
from limner.metrics.color_distance import chroma_distance


def figures(network: float, gatys: float) -> PairFigures:
    points = [
        Point(iteration=number, seconds=0.0, losses=Losses(content=1.0, style=style))
        for number, style in ((0, 10.0), (10, gatys))
    ]
    losses = Losses(content=2.0, style=network)
    return PairFigures(
        content="c", style="s", photo=Losses(content=0.0, style=9.0), network=losses, gatys=tuple(points)
    )


def test_the_aim_is_on_the_means():
    assert verdict("a", [figures(1.0, 1.0), figures(17.2, 2.0)]).endswith("**missed**.")  # 18.2 by 3
    told = verdict("a", [figures(1.0, 1.0), figures(16.8, 2.0)])
    assert told == "a: a style loss 5.93 times that of Gatys, where 6 times is the aim: met."


def test_two_charts_show_the_means_of_each_model():
    found = [figures(1.0, 0.5), figures(3.0, 1.5)]
    picture = charts({"one": found, "two": found})
    assert "Style loss" in picture and "Content loss" in picture
    assert [picture.count(f"{name}</text>") for name in ("Gatys et al.", "one", "two", "photo")] == [2, 2, 2, 1]


def test_looks_are_means_of_colours_and_the_strongest_peak():
    torch.manual_seed(0)
    style = torch.rand(1, 3, 64, 64)
    pairs = [StylePair("c", "s", style, style)] * 2
    grid = style + 0.2 * torch.cos(torch.pi * torch.arange(64.0) / 2)
    told = seen([style, grid.clamp(0, 1)], pairs)
    assert set(told) == {"chroma", "hues", "peak of 2", "peak of 4", "peak of 8"}
    assert told["peak of 4"] > 10 > max(told["peak of 2"], told["peak of 8"])
    assert told["chroma"] == pytest.approx(chroma_distance(grid.clamp(0, 1), style).item() / 2)
