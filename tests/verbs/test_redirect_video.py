"""Eyes that are turned in a video, and that wander in a photo."""

from pathlib import Path

import numpy as np
import pytest
import torch
from tests.verbs.test_redirect import BOXES, POINTS, model, photo  # noqa: F401  # a fixture

import limner
from limner.errors import LimnerError
from limner.features.eyes import EyeBox, find_eyes
from limner.types import Image
from limner.verbs.redirect import Eye, Redirector
from limner.verbs.redirect_video import LOOK_AGAIN, Follower, wandering

EYES = [EyeBox(*box) for box in BOXES]


def frame_of(pixels: np.ndarray) -> Image:
    return torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255


@pytest.fixture
def redirector(model: Path) -> Redirector:  # noqa: F811
    return Redirector(str(model), "cpu")


def test_faces_are_looked_for_now_and_then(redirector: Redirector, monkeypatch: pytest.MonkeyPatch) -> None:
    looked = list[np.ndarray]()

    def find(gray: np.ndarray) -> list[EyeBox]:
        looked.append(gray)
        return EYES

    monkeypatch.setattr("limner.verbs.redirect.find_eyes", find)
    follower, image = Follower(redirector, (10.0, 0.0)), frame_of(photo())
    made = [follower.next(image) for _ in range(LOOK_AGAIN + 1)]
    assert len(looked) == 2
    assert follower.without == 0
    assert all((one != image).any() for one in made)


def test_frames_without_a_face_stay_as_they_are(redirector: Redirector, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("limner.verbs.redirect.find_eyes", lambda gray: [])
    follower, image = Follower(redirector, (10.0, 0.0)), frame_of(photo())
    assert torch.equal(follower.next(image), image)
    assert follower.without == 1


def test_eyes_are_followed_half_way(redirector: Redirector) -> None:
    """Where a new frame says that an eye is, it is taken to be half way there: the found points are always the same."""
    image = torch.rand(1, 3, 200, 200)
    before = Eye(torch.tensor([[1.0, 0, 60], [0, 1, 70]]), POINTS.reshape(1, 14) + 0.02)
    (after,) = redirector.followed(image, [before])
    now = redirector._framed(image, EyeBox(*_box(before)))
    torch.testing.assert_close(after.frame, (before.frame + now.frame) / 2)
    torch.testing.assert_close(after.points, (before.points + now.points) / 2)


def _box(eye: Eye) -> tuple[float, float, float, float]:
    side, (x, y) = eye.width / 0.65, eye.middle.tolist()
    return x - side / 2, y - side / 2, side, side


def test_an_eye_that_leaves_the_frame_is_lost(redirector: Redirector) -> None:
    outside = Eye(torch.tensor([[1.0, 0, -50], [0, 1, 20]]), POINTS.reshape(1, 14))
    assert redirector.followed(torch.rand(1, 3, 200, 200), [outside]) == []


def test_eyes_wander_there_and_back(redirector: Redirector) -> None:
    image = frame_of(photo())
    eyes = redirector.eyes_of(image, EYES)
    made = list(wandering(redirector, image, eyes, ((-20.0, 0.0), (20.0, 10.0)), 4))
    wanted = [(-20.0, 0.0), (0.0, 5.0), (20.0, 10.0), (0.0, 5.0)]
    assert all(torch.equal(one, redirector.look(image, eyes, angle)) for one, angle in zip(made, wanted, strict=True))


def test_an_eye_at_the_border_is_left_with_a_note(redirector: Redirector, monkeypatch: pytest.MonkeyPatch) -> None:
    cut, notes = Eye(torch.tensor([[1.0, 0, -30], [0, 1, 20]]), POINTS.reshape(1, 14)), list[str]()
    monkeypatch.setattr(Redirector, "_framed", lambda self, image, box: cut)
    assert redirector.eyes_of(torch.rand(1, 3, 200, 400), EYES[:1], notes.append) == []
    assert notes == ["the eye at 202,101 is left as it is: it is cut by the border of the photo"]


def decoded(path: Path) -> list[np.ndarray]:
    with pytest.importorskip("tests.clips").av.open(str(path)) as file:
        return [frame.to_ndarray(format="rgb24") for frame in file.decode(video=0)]


def test_a_video_keeps_its_frames(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    clips = pytest.importorskip("tests.clips")
    clip = clips.make_clip(tmp_path / "a.mp4", [photo()] * 3)
    monkeypatch.setattr("limner.verbs.redirect.find_eyes", lambda gray: EYES)
    made = limner.redirect_video(str(clip), (15.0, 0.0), model=model, crf=1)
    assert made == str(tmp_path / "a_redirected.mp4")
    before, after = decoded(clip), decoded(Path(made))
    assert len(after) == 3
    apart = np.abs(after[1].astype(int) - before[1]).mean(2)
    assert apart[80:125, 180:270].mean() > 10 * apart[200:].mean(), "the eyes alone are changed"
    with pytest.raises(LimnerError, match="is already there"):
        limner.redirect_video(str(clip), (15.0, 0.0), model=model)


def test_a_video_without_eyes_is_told(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    clips = pytest.importorskip("tests.clips")
    clip, notes = clips.make_clip(tmp_path / "a.mp4", 2), list[str]()
    monkeypatch.setattr("limner.verbs.redirect.find_eyes", lambda gray: [])
    limner.redirect_video(clip, (15.0, 0.0), model=model, on_note=notes.append)
    assert any("no eyes are found in any frame" in note for note in notes)


@pytest.mark.parametrize("shape", [(1, 4800), (4800, 1), (1, 1), (3, 100_000)])
def test_no_eyes_are_found_in_a_photo_however_narrow(shape: tuple[int, int]) -> None:
    assert find_eyes(np.full(shape, 128, np.uint8)) == []
