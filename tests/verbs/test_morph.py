"""What lies between two photos."""

from pathlib import Path

import pytest
import torch
from PIL import Image as PillowImage

import limner
from limner.errors import LimnerError
from limner.ops.resample import imresize
from limner.verbs.morph import between, fitting


def texture(seed: int = 0, height: int = 192, width: int = 300) -> torch.Tensor:
    coarse = torch.rand(1, 3, height // 12, width // 12, generator=torch.Generator().manual_seed(seed))
    return imresize(coarse, size=(height, width)).clamp(0, 1)


def shifted_pair(shift: int = 8) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """One texture at three places: as it is, half way, and shifted."""
    whole = texture()
    return tuple(whole[..., start : start + 240] for start in (0, shift // 2, shift))  # type: ignore[return-value]


def test_half_way_is_the_photo_at_half_the_shift() -> None:
    pytest.importorskip("cv2")
    first, middle, second = shifted_pair()
    made = limner.morph(first, second, frames=3)
    assert made.shape == (3, 3, 192, 240)
    torch.testing.assert_close(made[:1], first)
    torch.testing.assert_close(made[2:], second)
    inside = (..., slice(8, -8), slice(16, -16))
    apart = (made[1:2] - middle)[inside].abs().mean()
    assert apart < 0.01
    assert apart < ((first + second) / 2 - middle)[inside].abs().mean() / 5, "far better than a blend"


def test_what_one_photo_hides_comes_from_the_other() -> None:
    """At the right border stands what the second photo alone shows."""
    pytest.importorskip("cv2")
    first, middle, second = shifted_pair(16)
    made = limner.morph(first, second, frames=3)[1:2]
    border = (..., slice(8, -8), slice(-5, -1))
    assert (made - middle)[border].abs().mean() < 0.03


def test_unlike_photos_dissolve_with_a_note() -> None:
    pytest.importorskip("cv2")
    first, second, notes = texture(1), texture(2), list[str]()
    made = list(between(first, second, 3, notes.append))
    torch.testing.assert_close(made[1], (first + second) / 2, atol=1e-4, rtol=0)
    assert len(notes) == 1
    assert "they dissolve into each other" in notes[0]


def test_the_second_photo_is_cut_to_the_sides_of_the_first() -> None:
    photo = torch.arange(40.0).expand(1, 3, 20, 40) / 40
    assert torch.equal(fitting(photo, (20, 20)), photo[..., 10:30])
    assert fitting(photo, (30, 20)).shape == (1, 3, 30, 20)


def test_an_animation_is_written_and_what_is_there_kept(tmp_path: Path) -> None:
    pytest.importorskip("cv2")
    first, _, second = shifted_pair()
    limner.morph(first, second, frames=4, output=tmp_path / "a.gif")
    with PillowImage.open(tmp_path / "a.gif") as animation:
        assert (animation.n_frames, animation.size) == (4, (240, 192))  # type: ignore[attr-defined]
    with pytest.raises(LimnerError, match=r"a.gif: is already there"):
        limner.morph(first, second, output=tmp_path / "a.gif")
    with pytest.raises(LimnerError, match=r"^[^\n]*an animation is a .gif or an .mp4: name it so$"):
        limner.morph(first, second, output=tmp_path / "a.png")
    with pytest.raises(LimnerError, match="frames must be a whole number of at least 2"):
        limner.morph(first, second, frames=1)
