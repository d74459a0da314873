from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage

from limner.data.labels import read_labels
from limner.errors import LimnerError

CLASSES = np.array([[0, 1, 2], [2, 1, 11]], np.uint8)


def palette(path: Path, numbers: np.ndarray = CLASSES) -> Path:
    image = PillowImage.fromarray(numbers).convert("P")
    image.putdata(numbers.flatten().tolist())
    image.putpalette([value for number in range(256) for value in (255 - number, 7 * number % 256, 40)])
    image.save(path)
    return path


def test_indices_of_a_palette_are_classes_and_not_colours(tmp_path: Path) -> None:
    labels = read_labels(palette(tmp_path / "a.png"))
    assert labels.tolist() == [CLASSES.tolist()]
    assert str(labels.dtype) == "torch.int64"


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_gray_of_few_bits_is_not_spread(tmp_path: Path, bits: int) -> None:
    """Written by hand, for Pillow writes 1 and 8 bits alone."""
    import struct
    import zlib

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 8 // bits, 1, bits, 0, 0, 0, 0))
    row = zlib.compress(b"\0" + bytes([0b00000001]))
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", row) + chunk(b"IEND", b""))
    assert read_labels(tmp_path / "a.png").tolist() == [[[0] * (8 // bits - 1) + [1]]]


def test_sixteen_bits_are_read(tmp_path: Path) -> None:
    PillowImage.fromarray(np.array([[0, 300], [65535, 2]], np.uint16)).save(tmp_path / "a.png")
    assert read_labels(tmp_path / "a.png").tolist() == [[[0, 300], [65535, 2]]]


def test_what_is_no_label_image_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(LimnerError, match="labels must be below 11, got 11: check the classes"):
        read_labels(palette(tmp_path / "a.png"), 11)
    assert read_labels(tmp_path / "a.png", 12).max() == 11
    PillowImage.new("RGB", (2, 2)).save(tmp_path / "b.png")
    with pytest.raises(LimnerError, match=r"b.png: holds colours \(RGB\): label images are PNG files with a palette"):
        read_labels(tmp_path / "b.png")
    (tmp_path / "c.png").write_bytes(b"no picture")
    for name, words in {"c.png": "is not an image that Limner reads", "nowhere.png": "there is no such file"}.items():
        with pytest.raises(LimnerError, match=rf"{name}: {words}"):
            read_labels(tmp_path / name)


@pytest.mark.parametrize("mode", ["L", "P", "1", "I;16"])
def test_labels_of_too_many_pixels_are_refused_before_they_are_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    monkeypatch.setattr("limner.data.labels.MOST_PIXELS", 99)
    PillowImage.new(mode, (10, 10)).save(tmp_path / "a.png")
    whole = (tmp_path / "a.png").read_bytes()
    (tmp_path / "a.png").write_bytes(whole[:60])  # decoding it would be another error
    with pytest.raises(LimnerError, match=r"a.png: has 10x10 = 100 pixels, and at most 99 are read"):
        read_labels(tmp_path / "a.png")


def test_damaged_labels_are_one_line_each(tmp_path: Path) -> None:
    whole = palette(tmp_path / "a.png").read_bytes()
    random = np.random.default_rng(0)
    for _ in range(200):
        damaged = bytearray(whole)
        for at in random.integers(8, len(whole), 4):
            damaged[at] = random.integers(256)
        (tmp_path / "a.png").write_bytes(bytes(damaged[: random.integers(30, len(whole) + 1)]))
        try:
            read_labels(tmp_path / "a.png")
        except LimnerError as error:
            assert "\n" not in str(error)
