"""Frames on disk while a video is being made, so that memory does not grow and a stopped run goes on where it was."""

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from limner.errors import LimnerError
from limner.files.atomic import atomic_path, beside
from limner.files.image import Picture, from_tensor, read_image, to_tensor, write_image
from limner.files.json_text import parse_json
from limner.files.lock import alone_at
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
        self._lock = ExitStack()
        self._lock.enter_context(alone_at(folder, "these frames"))
        try:
            self._begin(folder, asked, bit_depth, resume=resume, overwrite=overwrite)
        except BaseException:
            self._lock.close()
            raise

    def _begin(self, folder: Path, asked: Mapping[str, Any], bit_depth: int, *, resume: bool, overwrite: bool) -> None:
        journal = {"limner": _FORMAT, "asked": json.loads(json.dumps({**asked, "bit_depth": bit_depth}, default=str))}
        before = _journal_of(folder) if folder.exists() else None
        if before is None:
            _drop(folder)  # what is left of a run that was killed before it had a journal
        else:
            if resume:
                _check_same(folder, before["asked"], journal["asked"])
            elif overwrite:
                _drop(folder)
            else:
                raise LimnerError(
                    f"{folder}: holds the frames of a run that was stopped: pass --resume "
                    "(resume=True in Python) to go on with them, or --force (overwrite=True) to begin anew"
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

    @contextmanager
    def keeping(self, *stages: str) -> Iterator[None]:
        """Keep what is there if the work on it fails or is stopped, but only once one of these stages has begun."""
        try:
            yield
        except BaseException:
            if not any(map(self.has_stage, stages)):
                self.discard()
            self.close()
            raise

    def discard(self) -> None:
        """Remove all, and let others work here."""
        _drop(self.folder)
        self.close()

    def close(self) -> None:
        """Let others work here; what is there stays."""
        self._lock.close()


def working_folder(target: Path) -> Path:
    """Where the frames lie until all are painted: `clip_stylized.mp4` -> `clip_stylized.mp4.frames`."""
    return beside(target, f"{target.name}.frames")


def _drop(folder: Path) -> None:
    """Remove a folder with all that is in it, the journal last: killed on the way, it is still known as ours."""
    for path in sorted(folder.iterdir(), key=lambda path: path.name == _JOURNAL) if folder.exists() else ():
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    if folder.exists():
        folder.rmdir()


def _is_ours(path: Path) -> bool:
    """Whether a run that was killed may have left this without a journal: stages, or half a journal."""
    return path.is_dir() or path.name.startswith(".limner-")


def _journal_of(folder: Path) -> dict[str, Any] | None:
    """The journal; None where there is none yet."""
    if folder.is_dir() and not (folder / _JOURNAL).exists() and all(map(_is_ours, folder.iterdir())):
        return None
    try:
        journal: dict[str, Any] = parse_json((folder / _JOURNAL).read_bytes())
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
