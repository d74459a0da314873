"""Styles that are learnt and kept for the next photo, found again by the bytes of their paintings, or by name."""

import shutil
from os import PathLike
from pathlib import Path

from limner.errors import LimnerError
from limner.features.fetch import fetched_folder
from limner.files.space import check_folder
from limner.files.weights import read_header, sha256

_DIGITS = 16  # of a hash, enough to tell paintings apart
_MOST_BYTES = 5_000_000  # that are written while a style is learnt: twice the state of its training, and the style


def learnt_folder() -> Path:
    """Where learnt styles are kept, one weight file each."""
    return fetched_folder() / "styles"


def kept_as(painting: str | PathLike[str]) -> Path:
    """The weight file that the style of a painting is kept in, whether it is learnt yet or not.

    Args:
        painting: A file that is there. One of another name with the same bytes is the same painting.
    """
    return learnt_folder() / f"{sha256(Path(painting))[:_DIGITS]}.safetensors"


def check_kept(model: Path) -> None:
    """Refuse a weight file of a style that could not be written, before the style is learnt.

    Raises:
        LimnerError: Its folder cannot be made or written to.
        NoSpaceError: There is too little space.
    """
    is_ours = model.parent == learnt_folder()
    mend = "learn it into a file: limner learn-style PAINTING --output FILE" if is_ours else "name another output"
    check_folder(model.parent, needs=_MOST_BYTES, mend=mend)


def run_folder(model: Path) -> Path:
    """What learning a weight file keeps beside it until it is done."""
    return model.with_suffix(".learning")


def learnt_model(style: str | PathLike[str]) -> Path | None:
    """The weight file of a style that is learnt and kept.

    Args:
        style: A painting; or, where there is no such file, the name of a learnt style.

    Raises:
        LimnerError: If several paintings that are learnt have this name.
    """
    if not learnt_folder().is_dir():
        return None
    if Path(style).is_file():
        kept = kept_as(style)
        return kept if kept.exists() else None
    named = [path for path, name in learnt_names().items() if name == str(style)]
    if len(named) > 1:
        several = ", ".join(named)
        raise LimnerError(f"{len(named)} learnt styles are called {style}: name the painting, or one of {several}")
    return Path(named[0]) if named else None


def learnt_names() -> dict[str, str]:
    """The names of all styles that are kept, by their weight files."""
    found = sorted(learnt_folder().glob("*.safetensors"))
    return {str(path): str(read_header(path).config["styles"][0]) for path in found}


def forget_style(style: str | PathLike[str]) -> Path:
    """Remove a style that is learnt and kept, and what a stopped run has left of it.

    Args:
        style: Its name, its painting, or its weight file.

    Returns:
        The weight file that is no more.

    Raises:
        LimnerError: If no such style is kept, or several are called so.
    """
    kept = Path(style) if str(style) in learnt_names() else learnt_model(style)
    if kept is None and Path(style).is_file() and run_folder(kept_as(style)).is_dir():
        kept = kept_as(style)  # stopped before it was learnt
    if kept is None:
        known = ", ".join(learnt_names().values()) or "none"
        raise LimnerError(f"learnt styles are {known}, got {str(style)!r}: see limner stylize --list")
    kept.unlink(missing_ok=True)
    shutil.rmtree(run_folder(kept), ignore_errors=True)
    return kept
