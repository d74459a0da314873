"""Shards: many files in a few plain tar files, in webdataset's layout, and where each lies.

The layout is that of Aizman, Maltby and Breuel 2019 (High performance I/O for large scale deep learning): the files of
one sample follow each other, and share their name up to its first dot. Beside the tar files Limner writes an index, so
that a file is found without reading a tar file through; without one the heads in the tar files are read once.
"""

import itertools
import os
import re
import tarfile
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from limner.errors import LimnerError
from limner.files.image import is_image_path
from limner.files.json_text import parse_json

INDEX = "index.json"
"""The file that says where each member lies."""

INDEX_KEY = "limner_shards"
"""What an index begins with, and its version."""

PLAIN_FOLDER = "images"
"""Where the plain picture of a sample lies that has another picture beside it."""

_MOST_INDEX_BYTES = 2**31
_MOST_CLASS_BYTES = 200
_BLOCK = 512
_COMPRESSED = (".gz", ".tgz", ".bz2", ".xz", ".zst", ".lz4")
_MAGICS = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ": "xz", b"\x28\xb5\x2f\xfd": "zstd", b"PK": "zip"}
_FOLDERS = {"mask": "masks", "label": "labels"}  # as training looks for them


class Member(NamedTuple):
    """A file in a tar file.

    Attributes:
        name: In the tar file.
        offset: Of its first byte.
        size: In bytes.
        path: Where it lies in the data, with slashes; empty if it is no file of them.
    """

    name: str
    offset: int
    size: int
    path: str


class Located(NamedTuple):
    """Where the bytes of a file are."""

    tar: Path
    offset: int
    size: int


@dataclass(frozen=True)
class Shards:
    """The files of all shards of a folder, sorted by their paths.

    Attributes:
        tars: The tar files.
        paths: Of the files, relative and with slashes.
        places: For each the number of its tar file, its offset and its size.
        state: Of the folder when it was read.
    """

    tars: tuple[Path, ...]
    paths: list[str]
    places: np.ndarray
    state: tuple[tuple[str, int, int], ...]

    def find(self, path: str) -> Located | None:
        """Where a file is, if there is one of this path."""
        at = bisect_left(self.paths, path)
        if at == len(self.paths) or self.paths[at] != path:
            return None
        tar, offset, size = self.places[at].tolist()
        return Located(self.tars[tar], offset, size)

    def beginning(self, start: str) -> list[str]:
        """The paths that begin so."""
        return self.paths[bisect_left(self.paths, start) : bisect_left(self.paths, start + "\U0010ffff")]

    def is_folder(self, path: str) -> bool:
        """Whether files lie below it; the empty path is the whole."""
        start = f"{path}/" if path else ""
        at = bisect_left(self.paths, start)
        return at < len(self.paths) and self.paths[at].startswith(start)

    def children(self, path: str) -> Iterator[str]:
        """The names right in a folder, each once; what lies below them is leapt over."""
        start = f"{path}/" if path else ""
        at = bisect_left(self.paths, start)
        while at < len(self.paths) and self.paths[at].startswith(start):
            name, is_below, _ = self.paths[at].removeprefix(start).partition("/")
            yield name
            at = bisect_left(self.paths, f"{start}{name}0") if is_below else at + 1  # 0 comes after the slash


def holds_shards(folder: Path) -> bool:
    """Whether a folder holds tar files, and neither pictures nor folders beside them.

    Raises:
        LimnerError: If they are compressed.
    """
    if not folder.is_dir() or not os.access(folder, os.R_OK):
        return False
    found, compressed = False, ""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if is_image_path(entry.name) or entry.is_dir():
                return False
            found = found or entry.name.endswith(".tar")
            if (".tar." in entry.name and entry.name.endswith(_COMPRESSED)) or entry.name.endswith(".tgz"):
                compressed = entry.name
    if compressed:
        raise LimnerError(
            f"{folder / compressed}: is compressed, so no file in it can be found at once: unpack it to .tar"
        )
    return found


def state_of(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """Names, sizes and times of the files that shards consist of."""
    files = sorted([*folder.glob("*.tar"), *folder.glob(INDEX)])
    return tuple((file.name, stat.st_size, stat.st_mtime_ns) for file in files for stat in [file.stat()])


def read_shards(folder: Path) -> Shards:
    """Where all files of the shards of a folder are.

    Raises:
        LimnerError: If one is damaged, compressed, or holds anything but ordinary files with relative names.
    """
    tars, rows = [], []
    index = folder / INDEX
    listed = _indexed(index) if index.is_file() else ((tar, members_of(tar)) for tar in sorted(folder.glob("*.tar")))
    for number, (tar, members) in enumerate(listed):
        tars.append(tar)
        rows += [(member.path, number, member.offset, member.size) for member in members if member.path]
    rows.sort()
    twice = next((one[0] for one, other in itertools.pairwise(rows) if one[0] == other[0]), None)
    if twice is not None:
        raise LimnerError(f"{folder}: {twice} is there twice in its shards: take one away")
    places = np.array([row[1:] for row in rows], np.int64).reshape(-1, 3)
    return Shards(tuple(tars), [row[0] for row in rows], places, state_of(folder))


def _indexed(index: Path) -> Iterator[tuple[Path, list[Member]]]:
    """What an index says of each tar file, checked against the size of this."""
    try:
        told = parse_json(index.read_bytes(), most=_MOST_INDEX_BYTES)
        shards = [(str(one["name"]), int(one["bytes"]), one["members"]) for one in told["shards"]]
        if told[INDEX_KEY] != 1:
            raise ValueError(f"its version is {told[INDEX_KEY]}, and 1 is read")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LimnerError(f"{index}: is no index of shards ({error}): remove it, and the tar files are read") from None
    if {name for name, _, _ in shards} != {tar.name for tar in index.parent.glob("*.tar")}:
        raise LimnerError(f"{index}: does not name the tar files beside it: remove it, and these are read")
    for name, size, members in shards:
        tar = index.parent / name
        if tar.stat().st_size != size:
            raise LimnerError(f"{tar}: must have {size} bytes by {INDEX}, got {tar.stat().st_size}: get it once more")
        yield tar, [_checked(_listed(index, one), tar, size) for one in members]


def _listed(index: Path, entry: Any) -> Member:
    match entry:
        case [str(name), int(offset), int(size)]:
            return Member(name, offset, size, name)
        case [str(name), int(offset), int(size), str(path)]:
            return Member(name, offset, size, path)
    raise LimnerError(f"{index}: a member is a name, an offset, a size and its path, got {str(entry)[:80]}: remove it")


def _checked(member: Member, tar: Path, tar_bytes: int) -> Member:
    """The same, if it lies in its tar file and its names lead nowhere else."""
    for name in (member.name, member.path):
        if name.startswith(("/", "\\")) or re.search(r"(^|[/\\])\.\.([/\\]|$)|^[A-Za-z]:|\0", name):
            raise LimnerError(f"{tar}: names in it must be relative and stay in it, got {name!r}: make it anew")
    if member.offset < _BLOCK or member.size < 0 or member.offset + member.size > tar_bytes:
        raise LimnerError(
            f"{tar}: {member.name} says that it has {member.size} bytes, more than the file holds: get it once more"
        )
    return member


def members_of(tar: Path) -> list[Member]:
    """The files of a tar file by the heads in it, and their paths by webdataset's names.

    Of a sample `000123.jpg` and `000123.cls` the picture is `CLASS/000123.jpg`; of `000123.jpg` and `000123.mask.png`
    they are `images/000123.jpg` and `masks/000123.png`; of `000123.A.png` and `000123.B.png`, `A/000123.png` and so on.

    Raises:
        LimnerError: As for `read_shards`.
    """
    size = tar.stat().st_size
    with tar.open("rb") as file:
        head = file.read(6)
    if kind := next((name for magic, name in _MAGICS.items() if head.startswith(magic)), None):
        raise LimnerError(
            f"{tar}: is compressed ({kind}), so no file in it can be found at once: unpack it to a plain tar"
        )
    try:
        with tarfile.open(tar, "r:") as archive:
            found = [_checked(one, tar, size) for one in _heads(archive, tar)]
            end = archive.offset
    except (tarfile.TarError, OSError, ValueError, EOFError) as error:
        raise LimnerError(f"{tar}: is damaged, cut short or no tar file ({error}): get it once more") from None
    if end > size or not _is_ended(tar, found):
        raise LimnerError(f"{tar}: is cut short: get it once more")
    return [member for sample in _samples(found) for member in _placed(sample, tar)]


def _heads(archive: tarfile.TarFile, tar: Path) -> Iterator[Member]:
    for info in archive:
        archive.members = []  # type: ignore[attr-defined]  # else all are kept
        if info.isdir():
            continue
        if not info.isreg() or info.issparse():
            kind = "a link" if info.islnk() or info.issym() else "no ordinary file"
            raise LimnerError(f"{tar}: {info.name} is {kind}, and shards hold ordinary files alone: make it anew")
        name = info.name.removeprefix("./")
        yield Member(name, info.offset_data, info.size, name)


def _is_ended(tar: Path, members: list[Member]) -> bool:
    """Whether a block of zeros comes after the last member: else it may have lost some."""
    end = max((-(-(one.offset + one.size) // _BLOCK) * _BLOCK for one in members), default=0)
    with tar.open("rb") as file:
        file.seek(end)
        tail = file.read(_BLOCK)
        return len(tail) == _BLOCK and (not members or not any(tail) or _holds_folder(tail))


def _holds_folder(head: bytes) -> bool:
    return head[156:157] == b"5"


def key_of(name: str) -> tuple[str, str]:
    """The name of a sample and the suffixes of one of its files, as webdataset has them.

    >>> key_of("a.b/000123.mask.png")
    ('a.b/000123', 'mask.png')
    """
    folder, slash, last = name.rpartition("/")
    stem, _, suffixes = last.partition(".")
    return f"{folder}{slash}{stem}", suffixes


def _samples(members: Iterable[Member]) -> Iterator[list[Member]]:
    """Members that follow each other and are of one sample."""
    sample: list[Member] = []
    for member in members:
        last = member.name.rpartition("/")[2]
        if last.startswith(("__", ".")):  # of webdataset's own, or hidden
            continue
        if sample and key_of(sample[0].name)[0] != key_of(member.name)[0]:
            yield sample
            sample = []
        sample.append(member)
    if sample:
        yield sample


def _placed(sample: list[Member], tar: Path) -> Iterator[Member]:
    """The members of a sample with their paths."""
    pictures = sum(is_image_path(one.name) for one in sample)
    label = next((one for one in sample if key_of(one.name)[1] == "cls"), None)
    folder = "" if label is None else f"{_class_of(label, tar)}/"
    for member in sample:
        key, suffixes = key_of(member.name)
        role, _, suffix = suffixes.rpartition(".")
        if member is label:
            yield member._replace(path="")
        elif role and is_image_path(member.name):
            yield member._replace(path=f"{folder}{_FOLDERS.get(role, role)}/{key}.{suffix}")
        elif pictures > 1:
            yield member._replace(path=f"{folder}{PLAIN_FOLDER}/{member.name}")
        else:
            yield member._replace(path=f"{folder}{member.name}")


def _class_of(label: Member, tar: Path) -> str:
    with tar.open("rb") as file:
        file.seek(label.offset)
        text = file.read(min(label.size, _MOST_CLASS_BYTES + 1)).decode("utf-8", "replace").strip()
    if not re.fullmatch(r"[\w -]{1,100}", text):
        raise LimnerError(
            f"{tar}: {label.name} must hold the number or the name of a class, got {text[:40]!r}: mend it"
        )
    return text
