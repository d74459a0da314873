import math

import pytest
import torch

from limner.data.rendered import TRANSFORMS
from limner.errors import LimnerError
from limner.systems.feedforward.chairs import Chairs, ChairsConfig
from limner.verbs.views import parse_mixture, parse_transform, parse_view, path_of, transform_of, views_of

NAMES = ("stool", "sofa2", "office_chair")
CONFIG = ChairsConfig(num_classes=3, names=NAMES, units=8, joint_units=8, picture_channels=(4,), mask_channels=())


@pytest.mark.parametrize(
    ("text", "shares"),
    [
        ("sofa2", [0, 1, 0]),
        ("2", [0, 0, 1]),
        (1, [0, 1, 0]),
        ("stool+office_chair", [1, 0, 1]),
        ("0.5*stool + .25 * sofa2 - 2*office_chair", [0.5, 0.25, -2]),
        ("stool - stool + sofa2", [0, 1, 0]),
    ],
)
def test_mixtures_are_sums_of_names(text: str | int, shares: list[float]) -> None:
    assert parse_mixture(text, NAMES).tolist() == shares


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("sofa", "the model knows stool, sofa2, office_chair, got 'sofa': did you mean sofa2"),
        ("3", "got '3'"),
        ("stool sofa2", "an object is a name or a sum"),
        ("stool +", "an object is a name or a sum"),
        ("", "must have a name, got none"),
    ],
)
def test_what_is_no_mixture_is_refused(text: str, error: str) -> None:
    with pytest.raises(LimnerError, match=error):
        parse_mixture(text, NAMES)


def test_transforms_are_given_in_degrees_and_factors() -> None:
    found = dict(
        zip(TRANSFORMS, transform_of(parse_transform(["turn=90", "zoom=2", "right=.1"])).tolist(), strict=True)
    )
    assert found == {
        **dict.fromkeys(TRANSFORMS, 0.0), "turn": pytest.approx(math.pi / 2), "zoom": pytest.approx(math.log(2)),
        "right": pytest.approx(0.1),
    }  # fmt: skip
    with pytest.raises(LimnerError, match=r"a transform is one of turn, .*, got 'zom': did you mean zoom"):
        transform_of({"zom": 1})
    with pytest.raises(LimnerError, match="zoom must be finite, got nan"):
        transform_of({"zoom": float("nan")})
    with pytest.raises(LimnerError, match="zoom is a factor above 0, got 0"):
        transform_of({"zoom": 0})
    with pytest.raises(LimnerError, match="a transform is NAME=NUMBER"):
        parse_transform(["zoom"])


def test_views_are_two_numbers() -> None:
    assert parse_view("30,120.5") == (30, 120.5)
    for text in ("30", "a,b", "1,2,3"):
        with pytest.raises(LimnerError, match="a view is elevation,azimuth in degrees"):
            parse_view(text)


def test_a_way_has_both_ends_and_passes_all_points() -> None:
    points = [torch.tensor([float(one)]) for one in (0, 4, 6)]
    assert [one.item() for one in path_of(points, 5)] == [0, 2, 4, 5, 6]
    assert [one.item() for one in path_of(points[:1], 3)] == [0, 0, 0]


def test_each_object_is_seen_from_each_view() -> None:
    system = Chairs(CONFIG).eval()
    made = views_of(system, ["stool", "sofa2"], [(20, 0), (30, 90)], transform={"hue": 30})
    assert made.shape == (4, 4, 16, 16)
    alone = views_of(system, ["sofa2"], [(30, 90)], transform={"hue": 30})
    torch.testing.assert_close(made[3:], alone)
    assert views_of(system, count=2).shape[0] == 2
    with torch.inference_mode():
        by_hand = system(
            torch.tensor([[0.0, 1, 0]]),
            torch.tensor([[math.pi / 6, math.pi / 2]]),
            transform_of({"hue": 30})[None],
        )
    torch.testing.assert_close(alone, by_hand)


def test_a_morph_goes_from_the_first_to_the_last() -> None:
    system = Chairs(CONFIG).eval()
    made = views_of(system, ["stool", "sofa2"], [(20, 350), (20, 10)], frames=5)
    torch.testing.assert_close(made[0:1], views_of(system, ["stool"], [(20, 350)]), atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(made[4:], views_of(system, ["sofa2"], [(20, 10)]), atol=1e-5, rtol=1e-4)
    middle = views_of(system, ["0.5*stool + 0.5*sofa2"], [(20, 0)])  # the shorter way round
    torch.testing.assert_close(made[2:3], middle, atol=1e-5, rtol=1e-4)


def test_what_does_not_fit_is_refused() -> None:
    system = Chairs(CONFIG)
    with pytest.raises(LimnerError, match="there must be an object and a view"):
        views_of(system, [])
    with pytest.raises(LimnerError, match="frames must be a whole number of at least 2"):
        views_of(system, frames=1)


@pytest.mark.parametrize("view", [(math.nan, 0.0), (0.0, math.inf), (-math.inf, 0.0)])
def test_a_view_that_is_no_angle_is_refused(view: tuple) -> None:
    with pytest.raises(LimnerError, match=r"elevation and azimuth must be .*, got .*: give degrees, such as 30,120"):
        views_of(Chairs(CONFIG), ["stool"], [view])
