import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as PillowImage

from limner.data.labelled import LabelledConfig
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


def test_hidden_colours_take_no_part(tmp_path: Path) -> None:
    for name, hidden in (("a", (255, 0, 0, 0)), ("b", (0, 0, 255, 0))):
        (tmp_path / name).mkdir()
        picture = PillowImage.new("RGBA", (6, 6), (10, 20, 30, 255))
        picture.paste(hidden, (2, 2, 4, 4))
        picture.save(tmp_path / name / "1.png")
    shown = torch.tensor([10, 20, 30])[:, None, None].expand(3, 6, 6)
    assert all(torch.equal(one, shown) for one in LabelledConfig(side=6).load(tmp_path).images)
