"""The sheet of what lies between two views."""

import pytest
import torch

from limner.experiments.command import opened
from limner.experiments.morphs import ASIDE, STRAIGHT, rows, seen_from
from limner.experiments.options import PHOTO

pytest.importorskip("cv2")


def test_what_is_moved_is_as_sharp_as_the_views_and_what_is_dissolved_is_not() -> None:
    photo = opened(PHOTO, 256)
    first, second = seen_from(photo, STRAIGHT), seen_from(photo, ASIDE)
    *_, moved_half, end, start, dissolved_half, _ = [panel.image for panel in rows(first, second, 3)]
    assert torch.equal(start, first)
    torch.testing.assert_close(end, second, atol=0.15, rtol=0)

    def sharpness(image: torch.Tensor) -> float:
        return float(image.diff(dim=-1).square().mean())

    views = (sharpness(first) + sharpness(second)) / 2
    assert sharpness(moved_half) > 0.75 * views
    assert sharpness(dissolved_half) < 0.6 * views


def test_a_view_from_straight_ahead_is_the_middle_of_the_photo() -> None:
    photo = opened(PHOTO, 64)
    assert torch.allclose(seen_from(photo, torch.eye(3)[None]), photo, atol=1e-5)
