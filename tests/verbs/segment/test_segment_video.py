"""Videos whose bright parts are known: shown over the frames, and written as classes."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage
from tests.clips import make_clip
from tests.segmenters import COLORS, bright_parts

import limner as package
from limner.errors import LimnerError
from limner.files.video_reader import open_video
from limner.runtime.run_options import RunOptions
from limner.verbs.segment import segment_video
from limner.verbs.segment.segmenter import Segmenter

EXACT = RunOptions(device="cpu", precision="exact", backend="torch")


def frames(number: int = 5) -> list[np.ndarray]:
    """A bright square that moves to the right, eight pixels a frame."""
    made = [np.full((48, 64, 3), 40, np.uint8) for _ in range(number)]
    for index, frame in enumerate(made):
        frame[16:32, 8 * index : 8 * index + 16] = 230
    return made


def shown(path: Path) -> list[np.ndarray]:
    return [frame.pixels for frame in open_video(path)]


@pytest.fixture
def model(tmp_path: Path) -> str:
    return bright_parts(tmp_path / "b.safetensors", 3)


def clip(path: Path, pictures: Sequence[np.ndarray] | None = None) -> Path:
    return make_clip(path, pictures or frames(), options={"crf": "1"})


def test_each_frame_has_its_classes_over_it(tmp_path: Path, model: str) -> None:
    made = package.segment_video(clip(tmp_path / "a.mp4"), model, precision="exact", classes=True, crf=1)
    assert made == tmp_path / "a_overlay.mp4"
    pictures = shown(made)
    assert len(pictures) == 5
    labels = [np.array(PillowImage.open(path)) for path in sorted((tmp_path / "a_classes").iterdir())]
    assert [path.name for path in sorted((tmp_path / "a_classes").iterdir())] == [f"{n:06}.png" for n in range(1, 6)]
    for frame, seen, found in zip(frames(), pictures, labels, strict=True):
        assert np.array_equal(found, frame[..., 0] > 127)
        inside = np.zeros(found.shape, bool)
        inside[20:28] = found[20:28] & np.roll(found[20:28], 4, 1) & np.roll(found[20:28], -4, 1)
        assert np.abs(seen[inside] - (230 + np.array(COLORS[1])) / 2).mean() < 4
        assert np.abs(seen[:12].astype(int) - 40).mean() < 4
    source, result = open_video(tmp_path / "a.mp4"), open_video(made)
    assert (result.rate, result.num_frames) == (source.rate, source.num_frames)


def test_the_audio_stays(tmp_path: Path, model: str) -> None:
    av = pytest.importorskip("av")
    made = package.segment_video(str(clip(tmp_path / "a.mkv")), model)
    assert made == str(tmp_path / "a_overlay.mkv")
    with av.open(made) as file:
        assert [stream.type for stream in file.streams] == ["video", "audio"]


def test_the_classes_are_whole_or_not_there(tmp_path: Path, model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*given: object) -> None:
        raise OSError("no more")

    monkeypatch.setattr(segment_video, "_write_classes", fail)
    source = clip(tmp_path / "a.mp4")
    with pytest.raises(OSError, match="no more"):
        segment_video.mark_video(Segmenter(model, EXACT), source, tmp_path / "b.mp4", classes=True)
    assert sorted(path.name for path in tmp_path.iterdir() if not path.name.startswith(".")) == [
        "a.mp4", "b.safetensors",
    ]  # fmt: skip


def test_what_is_there_is_refused_before_the_work(tmp_path: Path, model: str) -> None:
    source = clip(tmp_path / "a.mp4")
    (tmp_path / "a_classes").mkdir()
    (tmp_path / "a_classes" / "precious.png").touch()
    with pytest.raises(LimnerError, match=r"a_classes: is already there: pass --force"):
        package.segment_video(source, "nobody", classes=True)
    package.segment_video(source, model)
    with pytest.raises(LimnerError, match=r"a_overlay.mp4: is already there"):
        package.segment_video(source, "nobody")
    package.segment_video(source, model, classes=True, overwrite=True)
    assert len([*(tmp_path / "a_classes").iterdir()]) == 5
