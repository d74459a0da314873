"""Eyes that are turned, and all else left as it is."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as PillowImage

import limner
from limner.data.gazes import GazesConfig
from limner.errors import LimnerError
from limner.features.eyes import EyeBox
from limner.files.weights import Header, save_weights
from limner.systems.feedforward.deep_warp import DeepWarp, DeepWarpConfig, PointFinder
from limner.verbs import redirect
from limner.verbs.redirect import Eye, Redirector, allowed, seen

ASTRONAUT = Path(limner.__file__).parent / "demo" / "astronaut.jpg"
BOXES = [(189, 88, 26, 26), (234, 90, 26, 26)]
POINTS = torch.tensor([[0.24, 0.5], [0.4, 0.4], [0.6, 0.4], [0.76, 0.5], [0.6, 0.6], [0.4, 0.6], [0.5, 0.5]])


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A network that says that each eye is in the middle, and moves all by the same flow, to the right."""
    torch.manual_seed(0)
    config = DeepWarpConfig(widths=(4, 6, 6, 6), lightness=False, scales=1)
    system = DeepWarp(config)
    with torch.no_grad():
        system.warper.fine.last.weight.zero_()
        system.warper.fine.last.bias.copy_(torch.tensor([0.3, 0.0]))
    monkeypatch.setattr(PointFinder, "forward", lambda self, image: POINTS.reshape(1, 14))
    path = tmp_path / "gaze.safetensors"
    header = Header(system="deep-warp", config=config.model_dump(mode="json"))
    save_weights(path, dict(system.state_dict()), header)
    return path


def photo() -> np.ndarray:
    with PillowImage.open(ASTRONAUT) as picture:
        return np.array(picture.convert("RGB"))


def test_all_but_the_eyes_is_left_bit_by_bit(model: Path) -> None:
    before = photo()
    after = limner.redirect(before, (10.0, 0.0), model=model, eyes=BOXES)
    changed = np.argwhere((before != after).any(2))
    assert len(changed) > 100
    (top, left), (bottom, right) = changed.min(0), changed.max(0)
    assert 75 < top < bottom < 130
    assert 170 < left < right < 285


def test_no_turn_changes_nothing(model: Path) -> None:
    before = photo()
    assert np.array_equal(before, limner.redirect(before, (0.0, 0.0), model=model, eyes=BOXES))


@pytest.mark.parametrize("eyes", [[(-50, 20, 20, 20)], [(600, 20, 20, 20)], [(100, 100, 1, 1)]])
def test_an_eye_outside_is_one_line(model: Path, eyes: list[tuple[float, float, float, float]]) -> None:
    with pytest.raises(LimnerError, match=r"^an eye must lie in the photo of 512x512 pixels[^\n]*$"):
        limner.redirect(photo(), (10.0, 0.0), model=model, eyes=eyes)


def test_a_photo_without_a_face_is_one_line(model: Path) -> None:
    pytest.importorskip("cv2")
    with pytest.raises(LimnerError, match=r"^no eyes are found: name them by --eyes[^\n]*$"):
        limner.redirect(np.zeros((64, 64, 3), np.uint8), (10.0, 0.0), model=model)


def test_angles_that_were_not_learnt_become_the_nearest_that_were() -> None:
    notes: list[str] = []
    assert allowed((90.0, -50.0), notes.append) == (30.0, -20.0)
    assert notes == ["eyes are turned by 30,-20 degrees, the most that was learnt, not by 90,-50"]
    assert allowed((-12.0, 3.0), notes.append) == (-12.0, 3.0)
    assert len(notes) == 1
    with pytest.raises(LimnerError, match="give two numbers"):
        allowed((float("nan"), 0.0), notes.append)


def test_what_the_network_sees_is_the_photo_at_its_frame() -> None:
    """At 3 pixels of the photo for one that is seen, each is the mean of nine."""
    y, x = torch.meshgrid(torch.arange(300.0), torch.arange(400.0), indexing="ij")
    image = torch.stack([x, y, x + y])[None] / 700
    frame = torch.tensor([[3.0, 0, 50], [0, 3, 20]])
    found = seen(image, frame)[0]
    torch.testing.assert_close(found[0, 5], (50 + 3 * torch.arange(64.0)) / 700)
    torch.testing.assert_close(found[1, :, 7], (20 + 3 * torch.arange(48.0)) / 700)


def test_closed_and_tiny_eyes_are_left_with_a_note(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    redirector, image, notes = Redirector(str(model), "cpu"), torch.rand(1, 3, 200, 200), list[str]()
    frame = torch.tensor([[1.0, 0, 20], [0, 1, 20]])
    shut = POINTS.clone()
    shut[:, 1] = 0.5
    for points, scale in ((shut, 1.0), (POINTS, 0.1)):
        made = Eye(frame * scale, points.reshape(1, 14))
        monkeypatch.setattr(Redirector, "_framed", lambda self, image, box, made=made: made)
        assert redirector.eyes_of(image, [EyeBox(50, 50, 40, 40)], notes.append) == []
    assert "looks closed" in notes[0]
    assert "3 pixels wide, and 10 are needed" in notes[1]


def test_trained_eyes_are_cropped_as_used_ones_are() -> None:
    config = GazesConfig()
    assert (config.width, config.height) == (redirect._WIDTH, redirect._HEIGHT)
    assert (config.least_share + config.most_share) / 2 == pytest.approx(redirect._SHARE)
