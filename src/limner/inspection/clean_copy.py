"""A copy of a data set without what is wrong with it; the original is never touched."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from limner.errors import LimnerError
from limner.files.atomic import check_name
from limner.files.shard_path import ShardPath, unpacked
from limner.files.tree import files_below
from limner.inspection.report import Inspection
from limner.types import OnProgress

_SUFFIXES = {"PNG": ".png", "JPEG": ".jpg", "WebP": ".webp", "TIFF": ".tif", "BMP": ".bmp", "AVIF": ".avif"}


def left_out(inspection: Inspection) -> dict[Path, str]:
    """The files that a clean copy does not have, and why: the kind of the finding, or that a partner is left out."""
    found = {path: one.kind for one in inspection.findings for path in one.left_out}
    for part in inspection.survey.layout.parts:
        for path, others in part.partners.items():
            together = [path, *others]
            if any(one in found for one in together):
                found = {**dict.fromkeys(together, "without-partner"), **found}
    return found


def check_clean_copy(place: Path, folder: Path) -> None:
    """Refuse a folder that a clean copy cannot be written to, before the work.

    Raises:
        LimnerError: If it is there already, or lies in the data set or around it.
    """
    check_name(folder)
    if isinstance(unpacked(place), ShardPath):
        raise LimnerError(
            f"{place}: holds shards: make a clean copy of the folder that they were made of, and new shards"
        )
    if folder.exists():
        raise LimnerError(f"{folder}: is already there: remove it, or name another folder")
    data, copy = place.resolve(), folder.resolve()
    if data == copy or data in copy.parents or copy in data.parents:
        raise LimnerError(f"{folder}: a clean copy lies neither in the data nor around them: name another folder")


def write_clean_copy(
    inspection: Inspection, folder: Path, *, on_progress: OnProgress = lambda done, total: None
) -> int:
    """Copy a data set without what its findings leave out; files of wrong suffix get that of their format.

    What is no picture, such as a list of classes, is copied too, and what links lead to; hidden files are not.

    Args:
        inspection: Of the data set.
        folder: What it is written into; it appears whole or not at all.
        on_progress: Called after each file.

    Returns:
        How many files were copied.

    Raises:
        LimnerError: If the folder is there already, or lies in the data set or around it.
    """
    check_clean_copy(inspection.survey.layout.place, folder)
    folder, without = folder.absolute(), left_out(inspection)
    files = [path for path in _files(inspection.survey.layout.place) if path not in without]
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".limner-") as temporary:
        copy = Path(temporary) / "copy"
        copy.mkdir()
        for number, path in enumerate(files, 1):
            target = copy / _named(inspection, path).relative_to(inspection.survey.layout.place)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, target)
            on_progress(number, len(files))
        copy.replace(folder)
    return len(files)


def _files(place: Path) -> Iterator[Path]:
    """Ordinary files that can be read."""
    return (path for path in files_below(place) if path.is_file() and os.access(path, os.R_OK))


def _named(inspection: Inspection, path: Path) -> Path:
    """The path of a file under the suffix of its format, unless that is another's."""
    wrong = {group[0] for one in inspection.findings if one.kind == "wrong-suffix" for group in one.groups}
    if path not in wrong:
        return path
    right = path.with_suffix(_SUFFIXES[inspection.survey.seen[path].format])
    return path if right.exists() else right
