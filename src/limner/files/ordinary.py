"""Files that are there and hold something: pipes and devices would be waited for, or never end."""

from pathlib import Path

from limner.errors import LimnerError


def check_ordinary(path: Path) -> None:
    """Refuse what is no ordinary file, before it is opened.

    Raises:
        LimnerError: It is not there, is something else, or is empty.
        OSError: The system does not say what it is.
    """
    if not path.exists():
        raise LimnerError(f"{path}: there is no such file: check the name")
    if not path.is_file():
        raise LimnerError(f"{path}: is no ordinary file: save it as one first")
    if path.stat().st_size == 0:
        raise LimnerError(f"{path}: is empty: get the file once more")
