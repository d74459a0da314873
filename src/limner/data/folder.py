"""Folders of pictures."""

from pathlib import Path

from limner.errors import LimnerError
from limner.files.image import is_image_path


def find_images(folder: Path) -> list[Path]:
    """All pictures in a folder and its subfolders, sorted by path; hidden ones are passed by.

    Raises:
        LimnerError: If the folder is missing or holds no picture.
    """
    if not folder.is_dir():
        raise LimnerError(f"{folder} is not a folder: name one that holds pictures")
    found = sorted(
        path for path in folder.rglob("*") if path.is_file() and is_image_path(path) and not path.name.startswith(".")
    )
    if not found:
        raise LimnerError(f"{folder} holds no pictures: name a folder with PNG, JPEG, WebP, TIFF or BMP files")
    return found
