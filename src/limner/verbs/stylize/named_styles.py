"""The style pictures that come with Limner, and what a style that is given by name means."""

from os import PathLike
from pathlib import Path

from limner.catalog.models import embedded
from limner.errors import LimnerError, did_you_mean
from limner.files.weights import read_header

FOLDER = Path(__file__).parents[2] / "styles"
"""Pictures that anyone may use: NOTICE says whose they are."""


def named_styles() -> dict[str, Path]:
    """The pictures by name."""
    return {path.stem: path for path in sorted(FOLDER.glob("*.jpg"))}


def style_picture(style: str | PathLike[str]) -> Path:
    """The picture that is meant: one's own file, or one that comes with Limner.

    Raises:
        LimnerError: If it is neither.
    """
    path, known = Path(style), named_styles()
    if path.exists():
        return path
    if str(style) in known:
        return known[str(style)]
    mend = did_you_mean(str(style), [*known, *_of_networks(), *_files_beside(path)], "check the name")
    raise LimnerError(f"style must be a picture or one of {', '.join(known)}, got {str(style)!r}: {mend}")


def _of_networks() -> list[str]:
    """Styles that embedded networks know without a picture."""
    configs = (read_header(file).config for file in embedded().values())
    return [name for config in configs for name in config.get("styles", ())]


def _files_beside(path: Path) -> list[str]:
    return [str(path.with_name(one.name)) for one in path.parent.iterdir()] if path.parent.is_dir() else []
