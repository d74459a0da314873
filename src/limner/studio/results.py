"""The files that a job has made."""

from pathlib import Path
from typing import Any

from limner.files.header import UnreadableError
from limner.files.opening import open_image
from limner.files.quiet import quiet

_VIDEOS = frozenset({".mp4", ".m4v", ".mov", ".mkv", ".webm"})
_KINDS = {".csv": "table", ".json": "table", ".svg": "outlines", ".geojson": "outlines", ".safetensors": "model"}
TYPES = {
    ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".webp": "image/webp", ".tif": "image/tiff",
    ".bmp": "image/bmp", ".avif": "image/avif", ".gif": "image/gif", ".mp4": "video/mp4", ".m4v": "video/mp4",
    ".mov": "video/quicktime", ".mkv": "video/x-matroska", ".webm": "video/webm", ".csv": "text/csv",
    ".json": "application/json", ".geojson": "application/geo+json",
}  # fmt: skip
"""What a browser may show; anything else is downloaded."""


def found_in(folder: Path) -> list[dict[str, Any]]:
    """Of each file `name`, `kind`, and of pictures `width` and `height`; without previews and states."""
    if not folder.is_dir():
        return []
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file() and not _is_aside(path)]
    return [{"name": path.relative_to(folder).as_posix(), **_facts(path)} for path in paths]


def preview_in(folder: Path) -> Path | None:
    """The picture as it is now, of one that is being optimised."""
    return next(iter(sorted(folder.glob("*_preview.png"))), None)


def _is_aside(path: Path) -> bool:
    return (
        path.name.startswith(".")
        or path.stem.endswith("_preview")
        or path.name.endswith(".part")
        or path.suffix == ".state"
    )


def _facts(path: Path) -> dict[str, Any]:
    suffix = path.suffix.lower()
    if suffix in _VIDEOS:
        return {"kind": "video", "width": None, "height": None}
    if suffix in _KINDS:
        return {"kind": _KINDS[suffix], "width": None, "height": None}
    try:
        with quiet(), path.open("rb") as file:
            image = open_image(file)
            return {"kind": "picture", "width": image.width, "height": image.height}
    except (UnreadableError, OSError, SyntaxError, ValueError):
        return {"kind": "file", "width": None, "height": None}
