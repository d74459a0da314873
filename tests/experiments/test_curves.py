"""The charts of losses, on made-up curves."""

from limner.experiments.curves import Chart, svg


def test_heights_are_logarithmic_and_levels_go_across():
    chart = Chart("Loss & more", "seconds", {"slow": [(0.0, 100.0), (5.0, 10.0), (10.0, 1.0)]}, {"quick": 10.0})
    picture = svg([chart])
    assert "Loss &amp; more" in picture
    assert 'points="70.0,44.0 330.0,164.0 590.0,284.0"' in picture  # two decades over 240 pixels, 10 seconds over 520
    assert 'points="70.0,164.0 590.0,164.0"' in picture
    assert picture.count("stroke-dasharray") == 2  # the level and its legend


def test_charts_stand_below_each_other():
    chart = Chart("a", "b", {"c": [(0.0, 1.0), (1.0, 10.0)]}, {})
    assert svg([chart]).count("<polyline") == 1
    assert 'height="708"' in svg([chart, chart])


def test_lines_go_across_just_around_the_curves():
    curve = [(0.0, 0.3), (1.0, 0.75)]
    picture = svg([Chart("a", "b", {"c": curve}, {})])
    assert [f'fill="#555">{height}</text>' in picture for height in (0.1, 0.2, 0.5, 1, 2)] == [
        False, True, True, True, False,
    ]  # fmt: skip


def test_a_level_curve_is_drawn():
    assert 'points="70.0,284.0 590.0,284.0"' in svg([Chart("a", "b", {"c": [(0.0, 1.0), (1.0, 1.0)]}, {})])
