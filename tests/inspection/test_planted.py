"""Each planted fault is found, and clean data are not spoken ill of."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.inspection.planted import PLANTED, classes, halves, marked, pairs, photos, split

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
