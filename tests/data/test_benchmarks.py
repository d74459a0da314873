from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from limner.data.benchmarks import find_benchmarks
from limner.errors import LimnerError


def draw(path: Path, value: int = 51, mode: str = "RGB") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, (6, 4), value if mode == "L" else (value, 0, 255)).save(path)
    return path


def test_a_folder_of_sets_with_hr_folders(tmp_path: Path) -> None:
    a = draw(tmp_path / "Set5" / "HR" / "baby.png")
    draw(tmp_path / "Set5" / "LR_bicubic_x2" / "baby.png")
    b, c = draw(tmp_path / "Set14" / "HR" / "a.webp"), draw(tmp_path / "Set14" / "HR" / "b.png")
    sets = find_benchmarks(tmp_path)
    assert [(s.name, s.images) for s in sets] == [("Set14", (b, c)), ("Set5", (a,))]
    assert [len(s) for s in sets] == [2, 1]


def test_a_folder_of_plain_sets(tmp_path: Path) -> None:
    a, b = draw(tmp_path / "mine" / "1.bmp"), draw(tmp_path / "others" / "x.PNG")
    (tmp_path / "empty").mkdir()
    assert [(s.name, s.images) for s in find_benchmarks(tmp_path)] == [("mine", (a,)), ("others", (b,))]


def test_one_plain_set(tmp_path: Path) -> None:
    paths = [draw(tmp_path / "holiday" / name) for name in ("b.png", "a.png")]
    draw(tmp_path / "holiday" / "deeper" / "c.png")
    (only,) = find_benchmarks(tmp_path / "holiday")
    assert only.name == "holiday"
    assert only.images == tuple(reversed(paths))


def test_one_set_with_an_hr_folder(tmp_path: Path) -> None:
    path = draw(tmp_path / "Set5" / "HR" / "bird.png")
    draw(tmp_path / "Set5" / "LR_bicubic_x2" / "bird.png")
    draw(tmp_path / "Set5" / "preview.png")
    (only,) = find_benchmarks(tmp_path / "Set5")
    assert (only.name, only.images) == ("Set5", (path,))


def test_other_files_are_passed_by(tmp_path: Path) -> None:
    path = draw(tmp_path / "a.png")
    (tmp_path / "notes.txt").write_text("no picture")
    draw(tmp_path / ".hidden.png")
    (tmp_path / "folder.png").mkdir()
    assert find_benchmarks(tmp_path)[0].images == (path,)


def test_pictures_are_read_as_rgb(tmp_path: Path) -> None:
    draw(tmp_path / "colour.png")
    draw(tmp_path / "gray.png", 102, "L")
    (found,) = find_benchmarks(tmp_path)
    for _ in range(2):  # it may be gone through again
        samples = list(found)
        assert [(s.name, s.is_gray) for s in samples] == [("colour", False), ("gray", True)]
        pictures = {s.name: s.image for s in samples}
        assert pictures["colour"].shape == (1, 3, 4, 6)
        assert pictures["colour"].dtype == torch.float32
        np.testing.assert_array_equal(pictures["colour"][0, :, 0, 0].numpy(), np.float32([0.2, 0, 1]))
        assert torch.equal(pictures["gray"], torch.full((1, 3, 4, 6), 0.4))


@pytest.mark.parametrize("make", [True, False])
def test_nothing_found_is_refused(tmp_path: Path, make: bool) -> None:
    folder = tmp_path / "sets"
    if make:
        (folder / "Set5").mkdir(parents=True)
    with pytest.raises(LimnerError, match="no pictures in" if make else "there is no such folder"):
        find_benchmarks(folder)
