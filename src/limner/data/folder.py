"""Folders of pictures."""

import glob
from collections.abc import Iterable
from pathlib import Path

from limner.errors import LimnerError
from limner.files.image import check_header, is_image_path
from limner.files.shard_path import unpacked
from limner.files.tree import files_below


def is_picture(path: Path) -> bool:
    """Whether it is a picture by its name, and no hidden one."""
    return path.is_file() and is_image_path(path) and not path.name.startswith(".")


def check_headers(files: Iterable[Path]) -> None:
    """Refuse pictures that reading would refuse by what they say of themselves; other files are passed by.

    Raises:
        LimnerError: If one is none, or too large.
    """
    for path in files:
        if is_image_path(path):
            check_header(path)


def pictures_named(folder: Path, name: str) -> list[Path]:
    """The pictures right in a folder that are called so, whatever their suffix."""
    return sorted(path for path in folder.glob(f"{glob.escape(name)}.*") if path.stem == name and is_picture(path))


def find_images(folder: Path) -> list[Path]:
    """All pictures in a folder and its subfolders, or in its shards, sorted by path.

    Hidden files and folders are passed by, links are followed.

    Raises:
        LimnerError: If the folder is missing or holds no picture.
    """
    folder = unpacked(folder)
    if not folder.is_dir():
        raise LimnerError(f"{folder} is not a folder: name one that holds pictures")
    found = sorted(path for path in files_below(folder) if is_picture(path))
    if not found:
        raise LimnerError(f"{folder} holds no pictures: name a folder with PNG, JPEG, WebP, TIFF or BMP files")
    return found
