"""Models that were pulled from the Hugging Face Hub: kept by repository and commit, found again without a network."""

import json
import re
from pathlib import Path
from typing import NamedTuple

from limner.config import Config
from limner.errors import LimnerError
from limner.features.fetch import fetched_folder
from limner.files.atomic import atomic_path
from limner.files.json_text import parse_json
from limner.files.weights import sha256

_WORD = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,95}"
_ADDRESS = re.compile(rf"({_WORD}/{_WORD})(?:@([A-Za-z0-9_][A-Za-z0-9_./-]*))?")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_RECORD = "pulled.json"
_LEAST_DIGITS = 7  # of a commit that is named by its beginning


class Address(NamedTuple):
    """A model on the Hub.

    Attributes:
        repository: `OWNER/NAME`.
        revision: A branch, a tag or a commit; None is the main branch, or of what is kept the last that was pulled.
    """

    repository: str
    revision: str | None = None

    @property
    def is_pinned(self) -> bool:
        """Whether it names a whole commit, which never changes."""
        return self.revision is not None and bool(_COMMIT.fullmatch(self.revision))


class Record(Config):
    """What is written down of a model that was pulled.

    Attributes:
        repository: `OWNER/NAME`.
        commit: That it is of.
        asked: The revision that it was asked for by; empty for the main branch.
        sha256: Of the weight file.
    """

    repository: str
    commit: str
    asked: str
    sha256: str


class Kept(NamedTuple):
    """A pulled model: its weight file, and what is written down of it."""

    path: Path
    record: Record

    @property
    def is_whole(self) -> bool:
        """Whether the weight file is still the one that was pulled."""
        return self.path.is_file() and sha256(self.path) == self.record.sha256


def pulled_folder() -> Path:
    """Where pulled models are kept."""
    return fetched_folder() / "hub"


def address_of(text: str) -> Address | None:
    """`OWNER/NAME` or `OWNER/NAME@REVISION`; None if it is neither.

    >>> address_of("acme/photo-x2@v1")
    Address(repository='acme/photo-x2', revision='v1')
    >>> address_of("/acme/photo-x2") or address_of("acme/..")
    """
    found = _ADDRESS.fullmatch(text)
    return Address(found[1], found[2]) if found and ".." not in text else None


def place_of(repository: str, commit: str) -> Path:
    """The weight file of a commit, whether it is pulled yet or not."""
    return pulled_folder() / repository / commit / f"{repository.partition('/')[2]}.safetensors"


def write_record(record: Record) -> None:
    """Write down what was pulled, which makes it the last of its repository."""
    with atomic_path(place_of(record.repository, record.commit).with_name(_RECORD)) as temporary:
        temporary.write_text(json.dumps(record.model_dump()), encoding="utf-8")


def kept(address: Address) -> Kept | None:
    """The pulled model of an address, the last one where there are several."""
    fitting = [one for one in _commits(address.repository) if _fits(one.record, address.revision)]
    return fitting[-1] if fitting else None


def all_kept() -> dict[str, Kept]:
    """The last pulled model of each repository, by its name."""
    names = sorted(f"{one.parent.name}/{one.name}" for one in pulled_folder().glob("*/*") if one.is_dir())
    return {name: found for name in names if (found := kept(Address(name)))}


def _fits(record: Record, revision: str | None) -> bool:
    if revision is None or revision == record.asked:
        return True
    return len(revision) >= _LEAST_DIGITS and record.commit.startswith(revision)


def _commits(repository: str) -> list[Kept]:
    """What is kept of a repository, the last pulled one last; what cannot be read is passed by, and pulled again."""
    places = (pulled_folder() / repository).glob(f"*/{_RECORD}")
    found = []
    for place in sorted(places, key=lambda one: one.stat().st_mtime_ns):
        try:
            record = Record.parse(parse_json(place.read_text(encoding="utf-8")))
        except (OSError, ValueError, LimnerError):
            continue
        path = place_of(repository, place.parent.name)
        if (record.repository, record.commit) == (repository, place.parent.name) and path.is_file():
            found.append(Kept(path, record))
    return found
