"""Means and deviations over seeds, and objects that touch."""

from pathlib import Path

import numpy as np
import pytest
from tests.experiments.marked_cells import TINY, nuclei, saved

from limner.experiments import segmentation_ablation as ablation
from limner.experiments.segmentation_ablation import (
    AUGMENTATIONS,
    MEMBRANES,
    SMALL,
    WEIGHT_MAPS,
    found_touching,
    judged_nuclei,
    main,
    repeated,
    touching,
)
from limner.experiments.small_segmenters import TestSet
from limner.measure.segmentation import Seen

TestSet.__test__ = False  # type: ignore[attr-defined]  # pytest takes its name for that of a class of tests


def objects() -> np.ndarray:
    """Two that have two pixels between them, and one that has three to the second."""
    numbered = np.zeros((8, 30), int)
    numbered[2:6, 2:8], numbered[2:6, 10:16], numbered[2:6, 19:25] = 4, 2, 9
    return numbered


def test_objects_touch_where_two_pixels_are_between_them() -> None:
    assert set(np.unique(touching(objects()))) == {0, 2, 4}
    alone = np.where(objects() == 4, 4, 0)
    assert not touching(alone).any()


def test_found_objects_that_lie_on_others_do_not_count() -> None:
    found = objects()
    assert found_touching(found, objects()) == (2, 2, 2)
    merged = np.where(objects() > 0, 1, 0)
    merged[2:6, 8:10] = 1
    merged[2:6, 19:25] = 2
    assert found_touching(merged, objects()) == (0, 1, 2)


def test_the_f1_of_touching_objects_adds_up_over_pictures() -> None:
    truth = objects()

    def seen(found: np.ndarray) -> Seen:
        return Seen(None, np.stack([1 - found, found]).astype(np.float32), found)  # type: ignore[arg-type]

    right, merged = (truth > 0).astype(int), (truth > 0).astype(int)
    merged[2:6, 8:10] = 1
    figures = judged_nuclei([seen(right), seen(merged)], [truth, truth])
    assert figures["touching_f1"] == pytest.approx(2 * 2 / (3 + 4))
    assert figures["f1"] == pytest.approx(2 * 4 / (5 + 6))


def test_figures_are_means_over_seeds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seeds = []

    def learnt(build: object, samples: object, *, steps: int, batch: int, seed: int) -> object:
        seeds.append(seed)
        return type("Learnt", (), {"system": seed})

    monkeypatch.setattr(ablation, "learnt", learnt)
    monkeypatch.setattr(ablation, "looked_at", lambda system, marked: [system])
    values = iter([{"f1": value} for value in (0.2, 0.5, 0.9)])
    samples = TINY.load(nuclei(tmp_path) / "train")
    row = repeated("x", samples, TestSet([], []), lambda seen: next(values), steps=1, batch=1, seeds=3)
    assert seeds == [0, 1, 2]
    assert row.figures == {"f1": pytest.approx(1.6 / 3), "f1_deviation": pytest.approx((0.37 / 3) ** 0.5)}


def test_a_run_writes_both_tables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setattr(ablation, "NUCLEI", TINY)
    monkeypatch.setattr(ablation, "MEMBRANES", MEMBRANES.model_copy(update={"patch": 32}))
    monkeypatch.setattr(ablation, "SMALL", SMALL.model_copy(update={"channels": 2}))
    membranes, table = saved(tmp_path / "sections", "labels", count=5, binary=True), tmp_path / "table.md"
    main(membranes, nuclei(tmp_path), table, steps=2, batch=1, seeds=2)
    assert capsys.readouterr().out == f"{table}\n"
    text = table.read_text()
    rows = [line for line in text.splitlines() if line.startswith("| ") and "±" in line]
    assert [row.split(" | ")[0].removeprefix("| ") for row in rows] == [*AUGMENTATIONS, *WEIGHT_MAPS]
    assert "2 sections learnt from, 1 judged by" in text
