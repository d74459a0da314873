"""Which models enlarge by a factor."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from limner.errors import LimnerError
from limner.verbs.upscale.passes import FAMILIES, next_larger, passes


@pytest.mark.parametrize(
    ("family", "factor", "models", "scale"),
    [
        ("auto", 1.01, ("edsr-x2",), 2),
        ("auto", 2, ("edsr-x2",), 2),
        ("auto", 2.5, ("edsr-x3",), 3),
        ("auto", 4, ("edsr-x4",), 4),
        ("auto", 5, ("edsr-x2", "edsr-x3"), 6),
        ("auto", 6, ("edsr-x2", "edsr-x3"), 6),
        ("auto", 8, ("edsr-x2", "edsr-x4"), 8),
        ("auto", 9, ("edsr-x3", "edsr-x3"), 9),
        ("auto", 16, ("edsr-x4", "edsr-x4"), 16),
        ("photo", 1.5, ("photo-x2",), 2),
        ("photo", 3, ("photo-x2", "edsr-x2"), 4),
        ("photo", 4, ("photo-x2", "edsr-x2"), 4),
        ("photo", 5, ("photo-x2", "edsr-x3"), 6),
        ("photo", 8, ("photo-x2", "edsr-x4"), 8),
    ],
)
def test_the_passes_of_families(family, factor, models, scale):
    assert passes(family, factor) == (models, scale)


@given(st.sampled_from(sorted(FAMILIES)), st.floats(1, 16, exclude_min=True))
def test_passes_are_enough_and_no_more_than_two(family, factor):
    if family == "photo" and factor > 8:
        with pytest.raises(LimnerError, match="photo enlarges by up to 8, got"):
            passes(family, factor)
        return
    models, scale = passes(family, factor)
    assert factor <= scale < 2 * factor + 1
    assert len(models) <= 2
    product = 1
    for model in models:
        product *= int(model.rpartition("x")[2])
    assert product == scale


def test_a_model_of_several_scales():
    assert [next_larger("vdsr", (2, 3, 4), factor) for factor in (1.5, 2, 2.1, 4)] == [2, 2, 3, 4]
    with pytest.raises(LimnerError, match=r"vdsr enlarges by up to 4, got 4\.5: ask for a smaller scale"):
        next_larger("vdsr", (2, 3, 4), 4.5)
