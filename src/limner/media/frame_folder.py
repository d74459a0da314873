"""Frames on disk while a video is being made, so that memory does not grow and a stopped run goes on where it was."""

import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from limner.errors import LimnerError
from limner.files.atomic import atomic_path, beside
from limner.files.image import Picture, from_tensor, read_image, to_tensor, write_image
from limner.types import Image

_FORMAT = 1
_JOURNAL = "journal.json"
_MOST_SHOWN = 60  # characters of two values that differ; more, such as a hash, says nothing to anybody


class FrameFolder:
    """A folder of PNG files by stage and number, with a journal of what was asked for.

    Args of the constructor:
        folder: Made where it is not there.
        asked: What the frames depend on, as JSON holds it: only the same may be resumed.
        bit_depth: Of the files: 8 or 16.
        resume: Go on with what is there.
        overwrite: Drop what is there.

    Raises:
        LimnerError: There is unfinished work that is of something else or is not to be resumed, or the folder is none
            of ours.
    """

    def __init__(
        self, folder: Path, asked: Mapping[str, Any], *, bit_depth: int = 8, resume: bool, overwrite: bool
    ) -> None:
        self.folder = folder
        self._like = Picture(np.zeros((1, 1, 3), np.uint8 if bit_depth == 8 else np.uint16))
        journal = {"limner": _FORMAT, "asked": json.loads(json.dumps({**asked, "bit_depth": bit_depth}, default=str))}
        if folder.exists():
            before = _journal_of(folder)
            if resume:
                _check_same(folder, before["asked"], journal["asked"])
            elif overwrite:
                shutil.rmtree(folder)
            else:
                raise LimnerError(
                    f"{folder}: holds the frames of a run that was stopped: pass --resume to go on with them, "
                    "or --force to begin anew"
                )
        folder.mkdir(exist_ok=True)
        with atomic_path(folder / _JOURNAL) as temporary:
            temporary.write_text(json.dumps(journal, indent=2))

    def path(self, stage: str, index: int) -> Path:
        """Where a frame lies; the first has the index 0."""
        return self.folder / stage / f"{index + 1:06}.png"

    def has_stage(self, stage: str) -> bool:
        """Whether a stage has begun."""
        return (self.folder / stage).exists()

    def has(self, stage: str, index: int) -> bool:
        """Whether a frame is finished: files appear whole or not at all."""
        return self.path(stage, index).exists()

    def write(self, stage: str, index: int, image: Image) -> None:
        """Keep a frame, rounded to the bits of the folder."""
        self.path(stage, index).parent.mkdir(exist_ok=True)
        write_image(self.path(stage, index), from_tensor(image, like=self._like), overwrite=True)

    def read(self, stage: str, index: int) -> Image:
        """A frame, as it was rounded."""
        return to_tensor(read_image(self.path(stage, index), max_pixels=None))

    def drop(self, stage: str) -> None:
        """Remove the frames of a stage."""
        shutil.rmtree(self.folder / stage, ignore_errors=True)

    def discard(self) -> None:
        """Remove all."""
        shutil.rmtree(self.folder)


def working_folder(target: Path) -> Path:
    """Where the frames lie until all are painted: `clip_stylized.mp4` -> `clip_stylized.mp4.frames`."""
    return beside(target, f"{target.name}.frames")


def _journal_of(folder: Path) -> dict[str, Any]:
    try:
        journal: dict[str, Any] = json.loads((folder / _JOURNAL).read_text())
        if journal["limner"] == _FORMAT:
            return journal
    except (OSError, ValueError, KeyError, TypeError):
        pass
    raise LimnerError(f"{folder}: is in the way of the work on the frames: move it, or name another output")


def _check_same(folder: Path, before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    for place, was, value in _differences(before, now):
        differs = f"was {was}, now it is {value}" if len(f"{was}{value}") <= _MOST_SHOWN else "was another"
        raise LimnerError(
            f"{folder}: holds unfinished work whose {place} {differs}: "
            "ask for the same again, or start over with --force"
        )


def _differences(before: Any, now: Any, place: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Where two trees of dicts differ, and what stands there."""
    if isinstance(before, Mapping) and isinstance(now, Mapping):
        for key in {**before, **now}:
            yield from _differences(before.get(key), now.get(key), f"{place}.{key}".removeprefix("."))
    elif before != now:
        yield place, before, now
