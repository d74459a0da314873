"""What lies below a folder, the same for all that read one: learning, checking, packing and copying."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from limner.files.shard_path import ShardPath


def files_below(folder: Path, on_error: Callable[[OSError], None] = lambda error: None) -> Iterator[Path]:
    """All that is no folder in a folder and its subfolders, or in its shards.

    Links to folders are followed, except to one that the link itself lies in. Hidden files and folders are passed by.

    Args:
        folder: Where to begin.
        on_error: Called with what keeps a folder from being read; its files are then missing.
    """
    if isinstance(folder, ShardPath):
        yield from (path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    else:
        yield from _below(folder, on_error, ())


def _below(folder: Path, on_error: Callable[[OSError], None], around: tuple[Path, ...]) -> Iterator[Path]:
    """The same; `around` are the folders that were passed on the way, by their own places."""
    around = (*around, Path(os.path.realpath(folder)))
    try:
        with os.scandir(folder) as entries:
            found = sorted((one for one in entries if not one.name.startswith(".")), key=lambda one: one.name)
    except OSError as error:
        on_error(error)
        return
    for one in found:
        if not _is_folder(one):
            yield folder / one.name
        elif not (one.is_symlink() and _leads_around(one.path, around)):
            yield from _below(folder / one.name, on_error, around)


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    """A link in a ring is none."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def _leads_around(link: str, around: tuple[Path, ...]) -> bool:
    target = Path(os.path.realpath(link))
    return any(target == one or target in one.parents for one in around)
