"""The sheet of eyes that are turned."""

import pytest
import torch

from limner.experiments.command import opened
from limner.experiments.gazes import sheet
from limner.experiments.options import ASTRONAUT
from limner.verbs.redirect import Redirector


def test_a_sheet_shows_both_eyes_at_each_angle() -> None:
    pytest.importorskip("cv2")
    photo = opened(ASTRONAUT, 512)
    panels = sheet(photo, Redirector(device="cpu"), [(0.0, 0.0), (20.0, 0.0), (-20.0, 0.0)])
    assert [panel.label for panel in panels] == ["0, 0", "20, 0", "-20, 0"]
    plain, right, left = (panel.image for panel in panels)
    width = plain.shape[-1]
    assert 100 < width < 250
    assert any(
        torch.equal(plain[..., :1, :], photo[..., 40:100, x : x + width][..., y : y + 1, :])
        for x in range(100, 200)
        for y in range(60)
    )  # a part of the photo itself
    assert len({tuple(panel.image.shape) for panel in panels}) == 1
    assert not torch.equal(right, left)
    assert not torch.equal(plain, right)
