from pathlib import Path

import pytest
from PIL import Image as PillowImage

from limner.data.alike import check_alike, check_halves
from limner.errors import LimnerError


def made(folder: Path, *sizes: tuple[int, int]) -> list[Path]:
    paths = [folder / f"{number}.png" for number in range(len(sizes))]
    for path, size in zip(paths, sizes, strict=True):
        PillowImage.new("L", size).save(path)
    return paths


def test_odd_widths_are_named(tmp_path: Path) -> None:
    check_halves(made(tmp_path, (4, 3)))
    with pytest.raises(LimnerError, match=r"got .*0.png \(3 columns\), .*1.png .*, .*2.png .* and 1 more: crop them"):
        check_halves(made(tmp_path, *[(3, 4)] * 4))


def test_pairs_of_other_sides_are_named(tmp_path: Path) -> None:
    one, other, third = made(tmp_path, (4, 3), (4, 3), (3, 4))
    check_alike([(one, other)])
    with pytest.raises(LimnerError, match=r"got .*0.png \(4x3\) and .*2.png \(3x4\): resize them"):
        check_alike([(one, other), (one, third)])
