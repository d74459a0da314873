"""`limner morph`."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image as PillowImage
from tests.verbs.test_morph import shifted_pair

from limner.files.image import write_image
from limner.files.picture import Picture, from_tensor


@pytest.fixture
def photos(tmp_path: Path) -> tuple[Path, Path]:
    """A photo, and the same a little further."""
    places = tmp_path / "left.png", tmp_path / "right.png"
    first, _, second = shifted_pair()
    like = Picture((255 * first[0].permute(1, 2, 0)).byte().numpy())
    for place, image in zip(places, (first, second), strict=True):
        write_image(place, from_tensor(image, like=like))
    return places


def test_an_animation_lies_beside_the_first_photo(limner: Callable, photos: tuple[Path, Path]) -> None:
    pytest.importorskip("cv2")
    done = limner("morph", *photos, "--frames", 3, "--size", 120)
    target = photos[0].parent / "left_to_right.gif"
    assert done.out == f"{target}  120x96, 3 pictures\n"
    with PillowImage.open(target) as animation:
        assert animation.n_frames == 3  # type: ignore[attr-defined]
    again = limner("morph", *photos, "--frames", 3, "--size", 120, "--force", "--json")
    assert json.loads(again.out) == {"output": str(target), "width": 120, "height": 96, "frames": 3}


def test_nothing_is_written_in_a_dry_run(limner: Callable, photos: tuple[Path, Path]) -> None:
    assert "left_to_right.gif" in limner("morph", *photos, "--dry-run").out
    assert not (photos[0].parent / "left_to_right.gif").exists()


def test_a_photo_that_is_not_there_is_one_line(limner: Callable, photos: tuple[Path, Path]) -> None:
    refused = limner("morph", photos[0], photos[0].with_name("none.png"))
    assert (refused.code, "none.png" in refused.error) == (2, True)
