"""Each planted fault is found, and clean data are not spoken ill of."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage
from tests.inspection.planted import PLANTED, classes, halves, marked, pairs, photos, split

from limner.data.segmented import SegmentedConfig
from limner.errors import LimnerError
from limner.inspection.whole_set import findings_of, survey_of

ALSO = {
    ("unlike-labels", "duplicates"), ("only-in-tests", "too-few"), ("mixed-depth", "mixed-channels"),
    ("lossy-masks", "stray-values"),
}  # fmt: skip
"""What another fault brings with it."""


def kinds(root: Path) -> set[str]:
    return {one.kind for one in findings_of(survey_of(root, keep=False))}


@pytest.mark.parametrize(("kind", "make", "spoil"), PLANTED, ids=[f"{one[0]}-{one[1].__name__}" for one in PLANTED])
def test_a_planted_fault_is_found_and_nothing_else(
    tmp_path: Path, kind: str, make: Callable[[Path], None], spoil: Callable[[Path], object]
) -> None:
    root = tmp_path / "data"
    make(root)
    spoil(root)
    found = kinds(root)
    assert kind in found
    assert {(kind, other) for other in found - {kind}} <= ALSO


@pytest.mark.parametrize("make", [photos, split, halves, pairs, marked, classes])
def test_nothing_is_said_of_clean_data(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "data")
    assert kinds(tmp_path / "data") == set()


def test_there_are_at_least_25_kinds() -> None:
    assert len({one[0] for one in PLANTED}) >= 25


@pytest.mark.parametrize(("ignore", "expected"), [((), {"unknown-values"}), ((77,), set())])
def test_values_that_no_class_has_are_an_error_where_training_refuses_them(
    tmp_path: Path, ignore: tuple[int, ...], expected: set[str]
) -> None:
    root = tmp_path / "data"
    marked(root)
    masks = sorted((root / "masks").iterdir())
    values = sorted({int(value) for path in masks for value in np.unique(np.asarray(PillowImage.open(path)))})
    tables = [f'[[classes]]\nname = "{one}"\ncolor = [{one}, 0, 0]\nvalue = {one}\n' for one in values]
    (root / "classes.toml").write_text("".join(tables))
    data = SegmentedConfig(ignore=ignore, patch=16)
    assert not {one.kind for one in findings_of(survey_of(root, data, keep=False)) if one.level == "error"}
    pixels = np.array(PillowImage.open(masks[0]))
    pixels[3, 3] = 77
    PillowImage.fromarray(pixels).save(masks[0])
    found = {one.kind: one for one in findings_of(survey_of(root, data, keep=False)) if one.level == "error"}
    assert found.keys() == expected
    assert all("(77)" in one.line and one.left_out == (masks[0],) for one in found.values())
    if expected:
        with pytest.raises(LimnerError, match="got also 77"):
            data.load(root)
    else:
        data.load(root)
