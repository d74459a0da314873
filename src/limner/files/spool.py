"""Rows on disk while a picture is being made, so that an interrupted run is resumed and not begun again."""

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from limner.errors import LimnerError
from limner.files.atomic import atomic_path
from limner.files.json_text import parse_json
from limner.files.lock import hold
from limner.files.picture import Samples
from limner.files.space import NoSpaceError, readable

_FORMAT = 1
_JOURNAL, _ROWS = "journal.json", "rows.raw"


class Spool:
    """The rows of a picture that is being made, in a folder of their own, with a journal of what they are.

    Args of the constructor:
        folder: Made where it is not there.
        asked: What makes the rows: only the same may be resumed.
        shape: (height, width, channels) of the picture, alpha counted.
        kind: Type of its samples.
        resume: Go on with the rows of an earlier run that was asked for the same; else they are dropped.

    Raises:
        LimnerError: The rows are of something else, another run is adding to them, or the folder is not a spool.
    """

    def __init__(
        self, folder: Path, asked: Mapping[str, Any], shape: tuple[int, int, int], kind: np.dtype[Any], *, resume: bool
    ) -> None:
        self.folder, self.shape, self.kind = folder, shape, kind
        self.row_bytes = shape[1] * shape[2] * kind.itemsize
        self._asked = {**asked, "shape": list(shape), "samples": kind.name}
        self.rows = 0
        self._check_disk()
        folder.mkdir(exist_ok=True)
        if not (folder / _ROWS).exists() and not all(map(_is_ours, folder.iterdir())):
            raise LimnerError(f"{folder}: is in the way of the work on the picture: move it, or name another output")
        self._file = (folder / _ROWS).open("ab", buffering=0)
        try:
            if not hold(self._file.fileno()):
                raise LimnerError(f"{folder}: another run is at work on this picture: wait for it, or stop it")
            self._begin(self._journal() if resume else None)
        except BaseException:
            self._file.close()
            raise

    @property
    def num_bytes(self) -> int:
        """Of the rows that there are."""
        return self.rows * self.row_bytes

    @property
    def num_bytes_in_all(self) -> int:
        """Of all rows."""
        return self.shape[0] * self.row_bytes

    def append(self, samples: Samples) -> None:
        """Add rows (n, width, channels); once this returns they outlast even a failure of power.

        Raises:
            OSError: There is no space left; the rows so far stay.
        """
        assert samples.shape[1:] == self.shape[1:] and samples.dtype == self.kind
        try:
            left = np.ascontiguousarray(samples).data.cast("B")
            while left:
                left = left[self._file.write(left) :]
            os.fsync(self._file.fileno())
        except BaseException:
            os.ftruncate(self._file.fileno(), self.num_bytes)
            raise
        self.rows += len(samples)
        self._write_journal()

    def read(self, start: int, stop: int) -> Samples:
        """The rows from `start` up to but not including `stop`."""
        samples = np.empty((stop - start, *self.shape[1:]), self.kind)
        with (self.folder / _ROWS).open("rb") as file:
            file.seek(start * self.row_bytes)
            read = file.readinto(samples.data.cast("B"))
        assert read == samples.nbytes, (read, samples.nbytes)
        return samples

    def close(self) -> None:
        """Let the files go; the rows stay for a run that resumes."""
        self._file.close()

    def discard(self) -> None:
        """Remove the rows, the journal and the folder."""
        self._file.close()
        shutil.rmtree(self.folder)

    def _journal(self) -> dict[str, Any] | None:
        try:
            journal = parse_json((self.folder / _JOURNAL).read_bytes())
            return journal if journal["limner"] == _FORMAT else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _write_journal(self) -> None:
        journal = {"limner": _FORMAT, "asked": self._asked, "rows": self.rows}
        with atomic_path(self.folder / _JOURNAL) as temporary:
            temporary.write_text(json.dumps(journal, indent=2))

    def _check_same(self, before: Mapping[str, Any]) -> None:
        for key, now in self._asked.items():
            if before.get(key) != now:
                raise LimnerError(
                    f"{self.folder}: holds unfinished work whose {key} was {before.get(key)}, now it is {now}: "
                    "ask for the same again, or start over without --resume"
                )

    def _check_disk(self) -> None:
        rows = self.folder / _ROWS
        free = shutil.disk_usage(self.folder.parent).free + (rows.stat().st_size if rows.exists() else 0)
        needed = self.num_bytes_in_all
        if free < needed:
            raise NoSpaceError(
                f"{self.folder}: the rows of {self.shape[1]}x{self.shape[0]} pixels take {readable(needed)}, and "
                f"{readable(free)} are free there, so {readable(needed - free)} are missing: free some, or name "
                "another place"
            )

    def _begin(self, journal: Mapping[str, Any] | None) -> None:
        """Take over the rows that the journal vouches for, and drop all else that a killed run left."""
        if journal is not None:
            self._check_same(journal["asked"])
            self.rows = int(journal["rows"])
        if os.fstat(self._file.fileno()).st_size < self.num_bytes:
            raise LimnerError(f"{self.folder}: has lost rows of the unfinished work: start over without --resume")
        for scratch in (path for path in self.folder.iterdir() if path.is_dir()):
            shutil.rmtree(scratch)
        os.ftruncate(self._file.fileno(), self.num_bytes)
        self._write_journal()


def _is_ours(path: Path) -> bool:
    """Whether a killed run may have left this without the rows: a journal, a scratch folder, or half a journal."""
    return path.name == _JOURNAL or path.is_dir() or path.name.startswith(".limner-")
