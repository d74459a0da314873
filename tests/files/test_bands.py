"""Bands of TIFFs that tifffile writes, read as they are."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage

from limner.errors import LimnerError
from limner.files.bands import bands_of, read_bands
from limner.files.visible import bands_tensor

tifffile = pytest.importorskip("tifffile")
pytest.importorskip("pyvips")
rng = np.random.default_rng(0)


def saved(path: Path, count: int, kind: type = np.uint16, size: tuple[int, int] = (20, 30), **options: object):
    samples = rng.integers(0, np.iinfo(kind).max, (*size, count), dtype=kind)
    tifffile.imwrite(path, samples, **{"photometric": "minisblack", "planarconfig": "contig"} | options)
    return samples


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
@pytest.mark.parametrize("options", [{}, {"compression": "zlib", "predictor": True}, {"tile": (16, 16)}])
@pytest.mark.parametrize("count", [2, 3, 4, 5])
def test_all_bands_are_read_at_their_depth(tmp_path: Path, count: int, kind: type, options: dict) -> None:
    samples = saved(tmp_path / "a.tif", count, kind, **options)
    assert bands_of(tmp_path / "a.tif") == (20, 30, count, 8 * samples.itemsize)
    read = read_bands(tmp_path / "a.tif")
    assert read.dtype == kind
    assert np.array_equal(read, samples)
    expected = samples.transpose(2, 0, 1)[None] / np.iinfo(kind).max
    np.testing.assert_allclose(bands_tensor(tmp_path / "a.tif").numpy(), expected, atol=1e-6)


def test_colours_with_more_beside(tmp_path: Path) -> None:
    samples = saved(tmp_path / "a.tif", 5, photometric="rgb")
    assert bands_of(tmp_path / "a.tif") == (20, 30, 5, 16)
    assert np.array_equal(read_bands(tmp_path / "a.tif"), samples)


def test_a_large_one_is_read_strip_by_strip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("limner.files.bands._STRIP_BYTES", 1000)
    samples = saved(tmp_path / "a.tif", 3, bigtiff=True)
    assert np.array_equal(read_bands(tmp_path / "a.tif"), samples)


def test_photos_are_none(tmp_path: Path) -> None:
    for mode in ("L", "RGB", "RGBA", "LA", "P", "CMYK", "1"):
        PillowImage.new(mode, (4, 4)).save(tmp_path / "a.tif")
        assert bands_of(tmp_path / "a.tif") is None, mode
    saved(tmp_path / "a.tif", 4, photometric="rgb", extrasamples=["unassalpha"])
    assert bands_of(tmp_path / "a.tif") is None
    PillowImage.new("RGBA", (4, 4)).save(tmp_path / "a.png")
    assert bands_of(tmp_path / "a.png") is None
    (tmp_path / "b.tif").write_bytes(b"II*\0")
    assert bands_of(tmp_path / "b.tif") is None


def test_what_is_wrong_is_told(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((4, 5, 2), np.float32), photometric="minisblack",
                     planarconfig="contig")  # fmt: skip
    with pytest.raises(LimnerError, match=r"a.tif: its 2 bands are no whole numbers of 8 or 16 bits"):
        bands_of(tmp_path / "a.tif")
    saved(tmp_path / "b.tif", 2)
    with pytest.raises(LimnerError, match=r"b.tif: has 30x20 = 600 pixels"):
        read_bands(tmp_path / "b.tif", max_pixels=10)
    whole = (tmp_path / "b.tif").read_bytes()
    (tmp_path / "c.tif").write_bytes(whole[:-600])
    if bands_of(tmp_path / "c.tif"):
        with pytest.raises(LimnerError, match=r"c.tif: is damaged or cut short"):
            read_bands(tmp_path / "c.tif")
