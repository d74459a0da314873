"""Photos of a folder beside one command a photo."""

import json
from pathlib import Path

import pytest
from benchmarks.runtime.cold_start import Ran
from PIL import Image as PillowImage

from benchmarks.runtime import many_files


def test_photos_are_cut_out_at_the_sizes_by_turns(tmp_path):
    cut = many_files.cut(many_files.DEMO, tmp_path, 14)
    assert [PillowImage.open(path).size for path in cut] == [*many_files.SIZES * 2, *many_files.SIZES[:2]]
    assert len({path.read_bytes() for path in cut}) == 14
    small = tmp_path / "small"
    small.mkdir()
    with pytest.raises(ValueError, match="photo of 512x512"):
        many_files.cut(small, tmp_path, 1)


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    return many_files.cut(many_files.DEMO, folder, 4)


def copy(command: list[str]) -> Ran:
    """Instead of a command: each result is the photo; a photo alone takes a second, others a tenth."""
    at = command.index("--output")
    source, target = Path(command[at - 1]), Path(command[at + 1])
    for photo in source.iterdir() if source.is_dir() else [source]:
        place = target / f"{photo.stem}_made.jpg" if source.is_dir() else target
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(photo.read_bytes())
    seconds = 0.4 if source.is_dir() else 1.0
    return Ran(seconds, seconds / 2 if "--threads" in command else seconds, "", 100.0)


def test_a_round_has_all_ways_and_its_seconds_are_of_one_photo(tmp_path, photos, monkeypatch):
    monkeypatch.setattr(many_files, "ran", copy)
    found = many_files.one_round(["upscale"], photos, 2, tmp_path)
    assert {way: (one["seconds"], one["cpu_seconds"]) for way, one in found.items()} == {
        many_files.ALONE: (1.0, 1.0),
        many_files.ONE_BY_ONE: (0.1, 0.05),
        many_files.FOLDER: (0.1, 0.1),
    }
    assert many_files.summary([found] * 3)[many_files.FOLDER]["times_seconds"] == pytest.approx(10)


def test_a_result_that_differs_is_told(tmp_path, photos, monkeypatch):
    def differ(command: list[str]) -> Ran:
        one = copy(command)
        for path in (tmp_path / many_files.FOLDER).glob("*"):
            path.write_bytes(b"something else")
        return one

    monkeypatch.setattr(many_files, "ran", differ)
    with pytest.raises(ValueError, match=r"000\.jpg: a folder has not made"):
        many_files.one_round(["upscale"], photos, 2, tmp_path)


def test_the_report_says_whether_the_aim_is_met(tmp_path, monkeypatch):
    monkeypatch.setattr(many_files, "ran", copy)
    many_files.main(rounds=1, count=4, alone=2, photos=many_files.DEMO, out=tmp_path)
    text = (tmp_path / "many_files.md").read_text()
    assert "10.0 times the photos; aim 1.8: met." in text
    assert "| a folder | 0.100 | 10.0 | 0.100 | 10.0 | 100 |" in text
    assert json.loads((tmp_path / "many_files.json").read_text())["count"] == 4
