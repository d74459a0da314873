import contextlib
import gzip
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as PillowImage

from limner.data.enlargement import EnlargementConfig
from limner.data.labelled import LabelledConfig
from limner.data.small_pictures import read_idx
from limner.data.unlabelled import UnlabelledConfig
from limner.errors import LimnerError


def idx(values: np.ndarray) -> bytes:
    lengths = b"".join(length.to_bytes(4) for length in values.shape)
    return gzip.compress(bytes([0, 0, 8, values.ndim]) + lengths + values.astype(np.uint8).tobytes())


def test_folders_are_classes_by_name(tmp_path: Path) -> None:
    for name, gray in (("b", 20), ("a", 10), ("c", 30)):
        (tmp_path / name).mkdir()
        PillowImage.new("L", (6, 6), gray).save(tmp_path / name / "1.png")
    config = LabelledConfig(side=4)
    samples = config.load(tmp_path)
    assert config.facts(tmp_path) == {"num_classes": 3, "channels": 1, "side": 4}
    drawn = [samples.draw(index, torch.Generator()) for index in range(len(samples))]
    assert [int(one.label) for one in drawn] == [0, 1, 2]
    for one, gray in zip(drawn, (10, 20, 30), strict=True):
        torch.testing.assert_close(one.image, torch.full((1, 4, 4), gray / 255))


def test_an_idx_file_is_read(tmp_path: Path) -> None:
    values = np.arange(2 * 5 * 5).reshape(2, 5, 5)
    (tmp_path / "t10k-images-idx3-ubyte.gz").write_bytes(idx(values))
    (tmp_path / "t10k-labels-idx1-ubyte.gz").write_bytes(idx(np.array([7, 3])))
    samples = LabelledConfig(side=5).load(tmp_path)
    assert samples.labels.tolist() == [7, 3]
    assert np.array_equal(samples.images[:, 0].numpy(), values)
    (tmp_path / "t10k-labels-idx1-ubyte.gz").write_bytes(idx(np.array([7])))
    with pytest.raises(LimnerError, match=r"holds 2 pictures and .* 1 labels"):
        LabelledConfig(side=5).load(tmp_path)
    (tmp_path / "t10k-images-idx3-ubyte.gz").write_bytes(idx(values)[:-9])
    with pytest.raises(LimnerError, match="is no whole gzip file"):
        LabelledConfig(side=5).load(tmp_path)


def test_a_sheet_has_its_classes_in_order_and_a_margin(tmp_path: Path) -> None:
    tiles = np.arange(1, 9, dtype=np.uint8).repeat(9).reshape(2, 4, 3, 3)  # 8 tiles of 3 pixels, each of one gray
    PillowImage.fromarray(tiles.transpose(0, 2, 1, 3).reshape(6, 12).copy()).save(tmp_path / "a.png")
    samples = LabelledConfig(side=5, margin=1, tile=3, num_classes=4).load(tmp_path / "a.png")
    assert samples.labels.tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert samples.images[:, 0, 2, 2].tolist() == list(range(1, 9))
    assert samples.images[:, 0, 0].sum() == 0
    with pytest.raises(LimnerError, match="has 8 tiles of 3 pixels, which 3 classes do not share"):
        LabelledConfig(tile=3, num_classes=3).load(tmp_path / "a.png")
    with pytest.raises(LimnerError, match=r"is one picture: pass --set data.tile=N"):
        LabelledConfig().load(tmp_path / "a.png")


def test_a_folder_without_classes_is_refused(tmp_path: Path) -> None:
    for place in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(LimnerError, match="holds no classes: put the pictures of each class into a folder"):
            LabelledConfig().load(place)


def test_a_sheet_shows_each_class_in_a_column(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).mkdir()
        PillowImage.new("L", (4, 4)).save(tmp_path / name / "1.png")
    samples = LabelledConfig(side=4).load(tmp_path)
    sheet = samples.sheet(lambda label: label.float()[:, None, None, None].expand(-1, 1, 4, 4))
    assert sheet.shape == (1, 3, 16, 8)
    assert sheet[..., :4].max() == 0
    assert sheet[..., 4:].min() == 1


def test_opencvs_digits_are_read(shared_data: Callable[[str], Path]) -> None:
    samples = LabelledConfig(tile=20, margin=4).load(shared_data("opencv_digits") / "digits.png")
    assert len(samples) == 5000
    assert samples.labels.bincount().tolist() == [500] * 10


def test_numbered_folders_are_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    for name in ("10", "9", "x"):
        (tmp_path / name).mkdir()
        PillowImage.new("L", (4, 4), len(name)).save(tmp_path / name / "1.png")
    assert LabelledConfig(side=4).load(tmp_path).labels.tolist() == [1, 0, 2]


def test_a_csv_file_names_classes(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    for name, gray in (("a.png", 10), ("sub/b.png", 20), ("c.png", 30), ("unnamed.png", 40)):
        PillowImage.new("L", (4, 4), gray).save(tmp_path / name)
    (tmp_path / "l.csv").write_text("file,class,eyes\na.png,cat,open\nsub/b.png,bird,shut\nc.png,cat,shut\n")
    config = LabelledConfig(side=4, csv="l.csv")
    samples = config.load(tmp_path)
    assert samples.images[:, 0, 0, 0].tolist() == [10, 20, 30]
    assert samples.labels.tolist() == [1, 0, 1]
    assert config.facts(tmp_path)["num_classes"] == 2
    assert [path.name for path in config.files(tmp_path)] == ["l.csv", "a.png", "b.png", "c.png"]
    assert LabelledConfig(side=4, csv="l.csv", column="eyes").load(tmp_path).labels.tolist() == [0, 1, 1]
    with pytest.raises(LimnerError, match="must have the columns file and nose, got file, class, eyes: pass --set"):
        LabelledConfig(side=4, csv="l.csv", column="nose").load(tmp_path)
    with pytest.raises(LimnerError, match="is no CSV file"):
        LabelledConfig(side=4, csv="none.csv").load(tmp_path)


def test_what_is_transparent_shows_the_background(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    half = np.zeros((4, 4, 4), np.uint8)
    half[..., 3], half[..., 0] = 51, 100  # a fifth of a red of 100
    PillowImage.fromarray(half).save(tmp_path / "a" / "1.png")
    image = LabelledConfig(side=4, background=(0.0, 1.0, 0.5)).load(tmp_path).images[0, :, 0, 0]
    assert image.tolist() == [20, 204, 102]
    gray = np.stack([np.full((4, 4), 50, np.uint8), np.zeros((4, 4), np.uint8)], 2)
    PillowImage.fromarray(gray, "LA").save(tmp_path / "a" / "1.png")
    assert LabelledConfig(side=4, background=(1.0, 1.0, 1.0)).load(tmp_path).images[0, :, 0, 0].tolist() == [255]
    assert LabelledConfig(side=4, background=(1.0, 0.0, 0.0)).load(tmp_path).images[0, :, 0, 0].tolist() == [255, 0, 0]


def test_colours_become_gray_or_gray_colours(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    PillowImage.new("RGB", (4, 4), (100, 200, 50)).save(tmp_path / "a" / "1.png")
    PillowImage.new("L", (4, 4), 7).save(tmp_path / "a" / "2.png")
    assert LabelledConfig(side=4).load(tmp_path).images[:, :, 0, 0].tolist() == [[100, 200, 50], [7, 7, 7]]
    gray = LabelledConfig(side=4, colours="gray").load(tmp_path).images
    assert gray[:, :, 0, 0].tolist() == [[153], [7]]  # 29.9 + 117.4 + 5.7
    (tmp_path / "a" / "1.png").unlink()
    assert LabelledConfig(side=4, colours="rgb").load(tmp_path).images.shape == (1, 3, 4, 4)


def test_pictures_alone_need_no_classes(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    for name, gray in (("a.png", 10), ("deep/b.png", 20)):
        PillowImage.new("L", (6, 6), gray).save(tmp_path / name)
    config = UnlabelledConfig(side=4)
    samples = config.load(tmp_path)
    assert config.facts(tmp_path) == {"channels": 1, "side": 4}
    assert (samples.images[:, 0, 0, 0].tolist(), samples.labels.tolist()) == ([10, 20], [0, 0])
    (tmp_path / "t-images-idx3-ubyte.gz").write_bytes(idx(np.full((3, 4, 4), 9)))
    assert len(config.load(tmp_path)) == 3
    PillowImage.new("L", (8, 4)).save(tmp_path / "sheet.png")
    assert len(UnlabelledConfig(side=4, tile=4).load(tmp_path / "sheet.png")) == 2


def test_a_sheet_of_one_class_is_full(tmp_path: Path) -> None:
    PillowImage.new("L", (4, 4)).save(tmp_path / "1.png")
    sheet = UnlabelledConfig(side=4).load(tmp_path).sheet(lambda label: torch.ones(len(label), 1, 4, 4))
    assert sheet.shape == (1, 3, 16, 40)


def test_hidden_colours_take_no_part(tmp_path: Path) -> None:
    for name, hidden in (("a", (255, 0, 0, 0)), ("b", (0, 0, 255, 0))):
        (tmp_path / name).mkdir()
        picture = PillowImage.new("RGBA", (6, 6), (10, 20, 30, 255))
        picture.paste(hidden, (2, 2, 4, 4))
        picture.save(tmp_path / name / "1.png")
    shown = torch.tensor([10, 20, 30])[:, None, None].expand(3, 6, 6)
    assert all(torch.equal(one, shown) for one in LabelledConfig(side=6).load(tmp_path).images)


def test_a_gz_file_of_any_kind_of_damage_is_one_line(tmp_path: Path) -> None:
    whole = bytearray(idx(np.random.default_rng(0).integers(0, 256, (2, 5, 5))))
    place = tmp_path / "t-images-idx3-ubyte.gz"
    for at in range(len(whole)):
        place.write_bytes(whole[:at] + bytes([whole[at] ^ 0x5A]) + whole[at + 1 :])
        with contextlib.suppress(LimnerError):
            read_idx(place)


def test_a_gz_file_of_too_many_bytes_is_refused_before_it_fills_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("limner.data.small_pictures._MOST_BYTES", 2**20)
    (tmp_path / "t-images-idx3-ubyte.gz").write_bytes(gzip.compress(bytes(2**26)))
    tracemalloc.start()
    with pytest.raises(LimnerError, match="has more than 1 MB: take fewer pictures"):
        read_idx(tmp_path / "t-images-idx3-ubyte.gz")
    assert tracemalloc.get_traced_memory()[1] < 2**23
    tracemalloc.stop()


def test_a_hidden_folder_is_no_class(tmp_path: Path) -> None:
    for name in ("a", "b", ".ipynb_checkpoints"):
        (tmp_path / name).mkdir()
        PillowImage.new("L", (8, 8)).save(tmp_path / name / "1.png")
    assert LabelledConfig(side=8).facts(tmp_path)["num_classes"] == 2


def test_what_is_held_out_of_a_csv_file_is_what_is_loaded(tmp_path: Path) -> None:
    for name in "abcdef":
        PillowImage.new("RGB", (4, 4), (10 * ord(name) % 256, 0, 0)).save(tmp_path / f"{name}.png")
    rows = [f"{name}.png,{number % 2}" for number, name in enumerate("fdba")]
    (tmp_path / "l.csv").write_text("\n".join(["file,class", *rows]))
    for share, held_out in ((0.1, []), (0.25, ["b"]), (0.5, ["d", "a"])):
        data = LabelledConfig(side=4, csv="l.csv", held_out=share, part="held out")
        assert [path.stem for path in data.pictures(tmp_path)] == held_out
        if held_out:
            reds = data.load(tmp_path).images[:, 0, 0, 0].tolist()
            assert reds == [10 * ord(name) % 256 for name in held_out]


def test_a_share_that_leaves_nothing_to_learn_from_is_refused(tmp_path: Path) -> None:
    for name in "ab":
        PillowImage.new("RGB", (16, 16)).save(tmp_path / f"{name}.png")
    for data in (
        UnlabelledConfig(side=4, held_out=0.9),
        EnlargementConfig(kind="luminance", patch=8, scales=(2,), held_out=0.9),
    ):
        with pytest.raises(LimnerError, match=r"a held-out share of 0.9 must leave pictures to learn from, got 2"):
            data.load(tmp_path)
