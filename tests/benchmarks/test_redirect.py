"""The benchmark of eyes that look elsewhere: it measures real runs, and the report names its bars."""

from pathlib import Path

import pytest
from benchmarks.redirect import main, scene

for library in ("av", "cv2"):
    pytest.importorskip(library)


def test_a_report_is_written(tmp_path: Path) -> None:
    main(repeats=1, frames=2, out=tmp_path)
    text = (tmp_path / "redirect.md").read_text(encoding="utf-8")
    assert "both eyes of a photo, found and turned" in text
    assert "a video of 2 frames" in text


def test_a_scene_moves_by_whole_pixels() -> None:
    still, moved = scene(), scene(3)
    assert still.shape == (1, 3, 1080, 1920)
    assert moved[..., 3:].equal(still[..., :-3])
