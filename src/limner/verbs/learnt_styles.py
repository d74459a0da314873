"""Styles that are learnt and kept for the next photo, found again by the bytes of their paintings."""

from os import PathLike
from pathlib import Path

from limner.features.fetch import fetched_folder
from limner.files.weights import read_header, sha256

_DIGITS = 16  # of a hash, enough to tell paintings apart


def learnt_folder() -> Path:
    """Where learnt styles are kept, one weight file each."""
    return fetched_folder() / "styles"


def kept_as(painting: str | PathLike[str]) -> Path:
    """The weight file that the style of a painting is kept in, whether it is learnt yet or not.

    Args:
        painting: A file that is there. One of another name with the same bytes is the same painting.
    """
    return learnt_folder() / f"{sha256(Path(painting))[:_DIGITS]}.safetensors"


def learnt_model(painting: str | PathLike[str]) -> Path | None:
    """The weight file of the style of a painting, if it is learnt."""
    if not learnt_folder().is_dir() or not Path(painting).is_file():
        return None
    kept = kept_as(painting)
    return kept if kept.exists() else None


def learnt_names() -> dict[str, str]:
    """The names of all styles that are kept, by their weight files; to forget one, remove its file."""
    found = sorted(learnt_folder().glob("*.safetensors"))
    return {str(path): str(read_header(path).config["styles"][0]) for path in found}
