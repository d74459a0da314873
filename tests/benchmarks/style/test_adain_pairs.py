"""What the benchmark of AdaIN counts, on made-up losses."""

from benchmarks.style.adain_pairs import charts, verdict

from limner.measure.adain import Losses, PairFigures, Point


def figures(adain: float, gatys: float) -> PairFigures:
    points = [
        Point(iteration=number, seconds=0.0, losses=Losses(content=1.0, style=style))
        for number, style in ((0, 10.0), (10, gatys))
    ]
    losses = Losses(content=2.0, style=adain)
    return PairFigures(content="c", style="s", photo=Losses(content=0.0, style=9.0), adain=losses, gatys=tuple(points))


def test_the_aim_is_on_the_means():
    assert verdict([figures(1.0, 1.0), figures(3.2, 2.0)]).endswith("**missed**.")  # 4.2 by 3
    assert verdict([figures(1.0, 1.0), figures(2.8, 2.0)]).endswith("met.")


def test_two_charts_show_the_means():
    picture = charts([figures(1.0, 0.5), figures(3.0, 1.5)])
    assert "Style loss" in picture and "Content loss" in picture
    assert [picture.count(f"{name}</text>") for name in ("Gatys et al.", "AdaIN", "photo")] == [2, 2, 1]
