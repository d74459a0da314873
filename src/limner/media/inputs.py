"""Which pictures and videos are meant by files, patterns and folders, and how large they are."""

import contextlib
import glob
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from limner.errors import LimnerError
from limner.files.bucket import BucketPath
from limner.files.image import HEIC_SUFFIXES, READ_SUFFIXES, read_header
from limner.files.video import is_video_path
from limner.files.video_reader import open_video
from limner.memory import resident_bytes
from limner.runtime.memory import default_budget

_NAMED = 5  # files that are passed by


class Found(NamedTuple):
    """A picture, or a name that gives none.

    Attributes:
        path: Of the file.
        below: Where it lies below the folder that was named; just its name, if it was named itself.
        in_folder: Whether it was found in a folder.
        refused: Why there is nothing to work on.
    """

    path: Path
    below: Path
    in_folder: bool
    refused: LimnerError | None = None


def find_pictures(
    names: Sequence[Path], *, recursive: bool = False, on_note: Callable[[str], None] = lambda note: None
) -> list[Found]:
    """The pictures that are meant, in the order of the names, each once.

    A file that is named is taken whatever it is called. One of many names that gives nothing is taken too, with the
    reason, so that the others are not held up. Of a folder only still pictures are taken: a video takes hours.

    Args:
        names: Files, patterns such as `*.jpg` that no shell has expanded, and folders.
        recursive: Whether subfolders of a folder are searched too.
        on_note: Called with what is passed by in folders.

    Raises:
        LimnerError: If the only pattern matches nothing, the only folder holds no picture, or the only file is not
            there.
    """
    found: dict[Path, Found] = {}
    for name in names:
        for picture in _meant_by(name, recursive, on_note):
            found.setdefault(picture.path.absolute(), picture)
    if len(found) == 1 and (reason := next(iter(found.values())).refused):
        raise reason
    return list(found.values())


def _meant_by(name: Path, recursive: bool, on_note: Callable[[str], None]) -> Iterator[Found]:
    try:
        for path in _expanded(name):
            if path.is_dir():
                yield from _in_folder(path, recursive, on_note)
            elif not path.exists():
                raise LimnerError(f"{path}: there is no such file: check the name")
            else:
                yield Found(path, Path(path.name), False)
    except LimnerError as error:
        yield Found(name, Path(name.name), False, error)
    except OSError as error:
        reason = LimnerError(f"{name}: may not be read ({(error.strerror or 'no reason').lower()}): check its name")
        yield Found(name, Path(name.name), False, reason)


def _expanded(name: Path) -> Iterator[Path]:
    path = name.expanduser()
    if path.exists() or not glob.has_magic(str(path)):
        yield path
        return
    matches = _matches(path)
    if not matches:
        raise LimnerError(f"{name}: the pattern matches no file: check it")
    yield from matches


def _matches(pattern: Path) -> Sequence[Path]:
    if isinstance(pattern, BucketPath):
        return pattern.matches()
    return [Path(name) for name in sorted(glob.glob(str(pattern), recursive=True))]  # noqa: PTH207  # Path.glob takes no absolute pattern


def _in_folder(folder: Path, recursive: bool, on_note: Callable[[str], None]) -> list[Found]:
    files, folders = _contents(folder, recursive)
    pictures = [path for path in files if path.suffix.lower() in READ_SUFFIXES]
    videos = [path for path in files if is_video_path(path)]
    others = [path for path in files if path not in pictures and path not in videos]
    subfolders = len(folders)
    by_name = f"name them, as in '{folder}/*{videos[0].suffix}'" if videos else ""
    if not pictures:
        mend = "pass --recursive for its subfolders" if subfolders else "name a folder with PNG, JPEG or other pictures"
        raise LimnerError(f"{folder}: the folder holds no pictures: {f'{by_name} for videos' if videos else mend}")
    if others:
        on_note(f"{folder}: passed by {_named(others, folder)}, no pictures by their names")
    if any(path.suffix.lower() in HEIC_SUFFIXES for path in others):
        on_note(f"{folder}: HEIC pictures need the heic extra: pip install '.[heic]' in the folder of Limner")
    if videos:
        on_note(f"{folder}: passed by the videos {_named(videos, folder)}: {by_name}, to take them too")
    if subfolders:
        on_note(f"{folder}: passed by {subfolders} subfolders: pass --recursive for their pictures")
    return [Found(path, Path(*path.relative_to(folder).parts), True) for path in pictures]


def _contents(folder: Path, recursive: bool) -> tuple[list[Path], list[Path]]:
    """The files in a folder, and its subfolders where those are not searched; none that is hidden."""
    files: Sequence[Path]
    folders: Sequence[Path]
    if isinstance(folder, BucketPath):
        files, folders = folder.contents(recursive=recursive)
    else:
        inside = sorted(folder.rglob("*") if recursive else folder.iterdir())
        files = [path for path in inside if path.is_file()]
        folders = [] if recursive else [path for path in inside if path.is_dir()]
    visible, visible_folders = ([path for path in some if _is_visible(path, folder)] for some in (files, folders))
    return visible, visible_folders


def _named(paths: Sequence[Path], folder: Path) -> str:
    """The first few files by name, and how many more there are."""
    names = [str(path.relative_to(folder)) for path in paths[:_NAMED]]
    more = len(paths) - len(names)
    return ", ".join(names) + (f" and {more} more" if more else "")


def _is_visible(path: Path, folder: Path) -> bool:
    return not any(part.startswith(".") for part in path.relative_to(folder).parts)


def num_pixels(path: Path) -> int:
    """Of a photo, or of all frames of a video; 0 if it cannot be read."""
    with contextlib.suppress(Exception):  # whatever is the matter with it, opening it will say so
        if is_video_path(path):
            video = open_video(path, max_pixels=None)
            return video.width * video.height * video.num_frames
        header = read_header(path)
        return header.width * header.height
    return 0


def fits(size: int, memory: int | None) -> bool:
    """Whether this process may hold so many bytes more.

    Args:
        size: In bytes.
        memory: Bytes that it may hold in all; None takes half of what is free.
    """
    return size <= (memory or default_budget()) - resident_bytes()
