"""The folder of a run: the folders that it lies in, and which pictures it was begun with."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from limner.data.photo_cache import check_files, differences
from limner.data.source import DataConfig
from limner.errors import LimnerError, TrainingStopped
from limner.files.atomic import atomic_path
from limner.files.json_text import parse_json

FILES_FILE = "files.txt"
"""The hashes of the files of the training data."""


class RunLostError(LimnerError):
    """The folder of a run went away while it was trained."""

    exit_code = 1


@contextmanager
def parents_of(run: Path) -> Iterator[None]:
    """Make the folders that a run lies in, which a run that is refused does not leave behind."""
    missing = [parent for parent in run.parents if not parent.exists()]
    run.parent.mkdir(parents=True, exist_ok=True)
    try:
        yield
    except BaseException:
        for parent in missing:
            with suppress(OSError):  # something is in it
                parent.rmdir()
        raise


@contextmanager
def telling_of_lost(run: Path) -> Iterator[None]:
    """Say in one line that the folder of a run is no longer there, whatever of it was missed first.

    Raises:
        RunLostError: It is not.
    """
    try:
        yield
    except (OSError, RuntimeError, LimnerError) as error:  # torch has a RuntimeError for a file that it cannot open
        if run.is_dir() or isinstance(error, TrainingStopped):
            raise
        raise RunLostError(
            f"{run}: the folder of the run must stay while it is trained, it is no longer there: bring it back and "
            "pass --resume, or begin anew"
        ) from error


def checked_files(data: DataConfig, place: Path, run: Path, *, resume: bool, accept_changes: bool) -> dict[str, str]:
    """The hashes of all files of the training data.

    Raises:
        LimnerError: If some cannot be read, or are no longer those that a run that is resumed began with.
    """
    before = _read_files(run) if resume else {}
    now = check_files(data.files(place), before)
    changes = differences(before, now) if before else None
    if changes and not accept_changes:
        raise LimnerError(
            f"{run}: the pictures are not those that this run began with: {changes}: bring them back, or pass "
            "--accept-changes to go on with what is there now"
        )
    return now


def listed(files: Mapping[str, str]) -> str:
    """Files and their hashes, a line each, names as JSON has them."""
    return "".join(f"{found}  {json.dumps(name)}\n" for name, found in files.items())


def _read_files(run: Path) -> dict[str, str]:
    """From the files of a run's training data to their hashes; none where there is no such list."""
    try:
        pairs = [line.split("  ", 1) for line in (run / FILES_FILE).read_text(encoding="utf-8").splitlines()]
        return {str(parse_json(pair[1])): pair[0] for pair in pairs if len(pair) == 2}
    except (OSError, ValueError):
        return {}


class Kept:
    """Writes a file of a run once the run has been accepted: a refused start leaves an earlier one as it is."""

    def __init__(self, path: Path, text: str) -> None:
        self.path, self.text = path, text

    def start(self, step: int) -> None:
        """Write it."""
        with atomic_path(self.path) as temporary:
            temporary.write_text(self.text, encoding="utf-8")

    def step(self, report: object) -> None:
        """Nothing changes."""

    def close(self) -> None:
        """Nothing is open."""
