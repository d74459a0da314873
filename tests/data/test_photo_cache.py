"""Pictures that memory need not hold: what is drawn is the same whatever is kept, and all bad files are named first."""

import os
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from tests import kit_data

from limner.data.enlargement import EnlargementConfig
from limner.data.labelled import LabelledConfig
from limner.data.one_style import OneStyleConfig
from limner.data.pairs import PairsConfig
from limner.data.photo_cache import PhotoCache, check_files, differences
from limner.data.source import DataConfig
from limner.data.style_pairs import StylePairsConfig
from limner.data.stylization import StylizationConfig
from limner.errors import LimnerError
from limner.files.image import Picture, write_image


def zeros(size: int) -> torch.Tensor:
    return torch.full((size,), size % 251, dtype=torch.uint8)


def test_the_cache_holds_no_more_than_it_may_and_forgets_the_oldest():
    made = []

    def prepare(size):
        made.append(size)
        return zeros(size)

    cache = PhotoCache(prepare, 100)
    for size in (40, 50, 40, 30, 40, 50):  # 30 drives 50 away, for 40 was drawn after it
        assert torch.equal(cache(size), zeros(size))
        assert cache.held_bytes <= 100
    assert made == [40, 50, 30, 50]
    assert torch.equal(cache(1000), zeros(1000))
    assert cache.held_bytes == 0, "one that is too large alone is held by nobody"


def test_the_cache_counts_all_tensors_and_goes_on_its_way_empty():
    cache = PhotoCache(pair_of, 100)
    cache(30)
    assert cache.held_bytes == 60
    other = pickle.loads(pickle.dumps(cache))
    assert (other.held_bytes, other.most_bytes) == (0, 100)
    assert torch.equal(other(30)[1], zeros(30))


def pair_of(size):
    return zeros(size), zeros(size)


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for number in range(5):
        write_image(folder / f"{number}.png", Picture(rng.integers(0, 256, (48 + number, 64, 3), dtype=np.uint8)))
    write_image(tmp_path / "style.png", Picture(rng.integers(0, 256, (40, 40, 3), dtype=np.uint8)))
    return folder


def configs(photos: Path) -> list[DataConfig]:
    style = photos.parent / "style.png"
    return [
        EnlargementConfig(kind="rgb", scales=(2,), patch=16, sizes=(1.0, 0.7)),
        EnlargementConfig(kind="luminance", scales=(2, 3), patch=16, blur=0.5),
        StylizationConfig(styles=(style,), patch=16, style_size=16),
        StylePairsConfig(patch=16, resize=24, styles=(str(style), str(photos))),
        OneStyleConfig(patch=16, style=str(style)),
        PairsConfig(resize=24, patch=16),
    ]


@pytest.mark.parametrize("number", range(6))
def test_what_is_drawn_does_not_depend_on_the_memory(photos, number):
    config = configs(photos)[number]
    nothing, little, all_of_it = (config.load(photos, memory=memory) for memory in (0, 20_000, None))
    assert len(nothing) == len(little) == len(all_of_it) > 0
    for position in range(30):
        index = position * 7 % len(nothing)
        drawn = [data.draw(index, torch.Generator().manual_seed(position)) for data in (nothing, little, all_of_it)]
        for tensors in zip(*drawn, strict=True):
            assert torch.equal(tensors[0], tensors[1])
            assert torch.equal(tensors[0], tensors[2])


@pytest.mark.parametrize("number", range(6))
def test_all_that_is_read_is_among_the_files(photos, number):
    config = configs(photos)[number]
    files = config.files(photos)
    assert set(files) >= set(photos.iterdir())
    assert ((photos.parent / "style.png") in files) == (number in (2, 3, 4))


def cut(path: Path, share: float = 0.5) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])


def test_all_bad_files_are_named_before_the_first_step(photos):
    cut(photos / "1.png")
    (photos / "3.png").write_bytes(b"")
    (photos / "zz.jpg").write_text("no picture")
    (photos / "link.png").symlink_to("nowhere.png")
    with pytest.raises(LimnerError) as caught:
        check_files([*sorted(photos.glob("*")), photos / "gone.png"])
    text = str(caught.value)
    assert text.startswith("5 of 8 files of the training data cannot be read: ")
    assert all(name in text for name in ("1.png", "3.png", "zz.jpg", "link.png", "gone.png"))
    assert all(name not in text for name in ("0.png", "2.png", "4.png"))
    assert "\n" not in text


def test_one_bad_file_is_its_own_line_and_very_many_are_counted(photos):
    cut(photos / "1.png", 0.9)
    with pytest.raises(LimnerError, match=r"1\.png: is damaged, cut short or not an image"):
        check_files(list(photos.iterdir()))
    for number in range(30):
        shutil.copy(photos / "1.png", photos / f"bad{number}.png")
    with pytest.raises(LimnerError, match=r"^31 of 35 files .*; and 11 more: mend them, or take them away$"):
        check_files(list(photos.iterdir()))


def test_hashes_tell_what_has_changed(photos, monkeypatch):
    before = check_files(sorted(photos.iterdir()))
    assert len(before) == len(set(before.values())) == 5
    assert differences(before, check_files(sorted(photos.iterdir(), reverse=True))) is None
    shutil.copy(photos / "1.png", photos / "new.png")
    (photos / "2.png").unlink()
    data = bytearray((photos / "3.png").read_bytes())
    data += b"\0"
    (photos / "3.png").write_bytes(data)
    after = check_files(list(photos.iterdir()))
    assert differences(before, after) == "1 changed (3.png), 1 gone (2.png), 1 new (new.png)"
    read = []
    monkeypatch.setattr("limner.data.photo_cache.read_image", lambda path: read.append(path.name))
    check_files(list(photos.iterdir()), before)
    assert sorted(read) == ["3.png", "new.png"], "the others are decoded no second time"


def test_the_same_pictures_in_another_order_or_time_are_the_same(photos):
    before = check_files(list(photos.iterdir()))
    for path in photos.iterdir():
        os.utime(path, (1, 1))
    assert check_files(sorted(photos.iterdir())) == before


def test_labelled_pictures_name_their_files(tmp_path):
    place = kit_data.made(tmp_path)[LabelledConfig]
    files = LabelledConfig().files(place)
    assert files
    assert all(file.is_file() for file in files)
