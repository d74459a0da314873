"""Errors are gathered around each yaw, and the run draws what its table says."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage

from limner.errors import LimnerError
from limner.experiments.redirections import NETWORKS, chart, main, over_yaw, rows
from limner.measure.geometry import Turned


def test_errors_are_gathered_around_the_nearest_yaw() -> None:
    found = [
        Turned(14.0, 0.0, {"copy": 0.002}),
        Turned(6.0, 9.0, {"copy": 0.004}),
        Turned(-24.0, 0.0, {"copy": 0.008}),
        Turned(36.0, 0.0, {"copy": 1.0}),
    ]
    assert over_yaw(found) == {"copy": {-20: pytest.approx(8), 10: pytest.approx(3)}}


def test_gazes_that_turn_too_far() -> None:
    with pytest.raises(LimnerError, match="at most 30 degrees of yaw, got none"):
        over_yaw([Turned(40.0, 0.0, {"copy": 1.0})])


def test_a_curve_is_the_mean_of_the_trainings() -> None:
    trainings = [{"copy": {-10: 2.0, 0: 1.0}}, {"copy": {-10: 4.0, 0: 1.0}}]
    assert chart(rows(trainings), [-10, 0]).curves == {"copy": [(-10.0, 3.0), (0.0, 1.0)]}


def write_people(folder: Path) -> Path:
    """Twelve of them, two gazes each."""
    folder.mkdir()
    points = [[8, 24], [20, 16], [44, 16], [56, 24], [44, 32], [20, 32], [32, 24]]
    seen = []
    for number in range(24):
        pixels = np.random.default_rng(number).integers(0, 256, (48, 64, 3), dtype=np.uint8)
        PillowImage.fromarray(pixels).save(folder / f"{number}.png")
        gaze = {"gaze_yaw": 20 * (number % 2), "gaze_pitch": 0, "landmarks": points}
        seen.append({"file": f"{number}.png", "subject": number // 2, **gaze})
    (folder / "meta.json").write_text(json.dumps(seen))
    return folder


def test_a_run_writes_the_table_and_the_curves(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    curves, table = tmp_path / "curves.svg", tmp_path / "table.md"
    main(write_people(tmp_path / "eyes"), curves, table, steps=2, batch=2, threads=1)
    text, drawn = table.read_text(encoding="utf-8"), curves.read_text(encoding="utf-8")
    assert "| method | -20 | 20 |" in text
    for name in (*NETWORKS, "copy"):
        assert f"\n| {name} |" in text and name in drawn
    assert "1 unseen people" in text
