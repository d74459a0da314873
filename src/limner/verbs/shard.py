"""`shard`: a data set in a few tar files, from which training draws any sample by one seek."""

import io
import json
import os
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from limner.arguments import check_path, check_whole
from limner.data.folder import find_images
from limner.data.labelled import by_number
from limner.errors import LimnerError
from limner.files.atomic import check_name
from limner.files.image import is_image_path
from limner.files.shard_path import ShardPath, unpacked
from limner.files.shards import INDEX, INDEX_KEY, PLAIN_FOLDER, key_of
from limner.files.space import telling_no_space
from limner.files.tree import files_below
from limner.types import OnProgress

USUAL_SIZE = 256_000_000
"""Bytes of a tar file where nothing else is asked for."""

_LEAST_SIZE = 1024
_BLOCK = 512
_MASKS = {"masks": "mask", "labels": "label"} | {
    name: name for name in ("instances", "annotations", "segmentations")
}  # folders and what they are called in a sample
_PARTS = {"train", "training", "trainA", "trainB", "test", "testA", "testB", "val", "valid", "validation"}


class File(NamedTuple):
    """A member that is to be written; one without a source holds `text`."""

    name: str
    path: str
    source: Path | None
    text: bytes = b""


def shard(
    folder: str | Path,
    output: str | Path,
    *,
    size: int = USUAL_SIZE,
    on_progress: OnProgress = lambda done, total: None,
) -> int:
    """Write the files of a data set into tar files in webdataset's layout, with an index of where each lies.

    Training reads them as it reads the folder. Partners in the folders `A` and `B`, or `images` and `masks`, become one
    sample; a picture in the folder of a class gets a `.cls` with the number of the class. Links are followed, hidden
    files left out.

    Args:
        folder: Of the data.
        output: A folder for the tar files, which appears whole or not at all.
        size: A tar file ends after the sample that takes it to so many bytes.
        on_progress: Called after each file.

    Returns:
        How many tar files were written.

    Raises:
        LimnerError: If there are no pictures, or the output is there already or lies in the data.
        NoSpaceError: If the disk is full.

    Example:
        >>> limner.shard("photos", "shards")  # doctest: +SKIP
        12
    """
    check_path("folder", folder)
    check_path("output", output)
    check_whole("size", size, _LEAST_SIZE, "256,000,000 bytes are a good choice")
    place, target = Path(folder), Path(output).absolute()
    _check_places(place, target)
    samples = _samples(place)
    target.parent.mkdir(parents=True, exist_ok=True)
    with (
        telling_no_space(target),
        tempfile.TemporaryDirectory(dir=target.parent, prefix=".limner-") as temporary,
    ):
        written = Path(temporary) / "shards"
        written.mkdir()
        writer = ShardWriter(written, size)
        total, done = sum(map(len, samples)), 0
        for sample in samples:
            writer.write(sample)
            done += len(sample)
            on_progress(done, total)
        writer.close()
        written.replace(target)
    return len(writer.shards)


def _check_places(place: Path, target: Path) -> None:
    if isinstance(unpacked(place), ShardPath):
        raise LimnerError(f"{place}: holds shards already: name the folder that they were made of")
    check_name(target)
    if target.exists():
        raise LimnerError(f"{target}: is already there: remove it, or name another folder")
    if place.resolve() in (target.resolve(), *target.resolve().parents):
        raise LimnerError(f"{target}: shards do not lie in the data that they are made of: name another folder")


@dataclass
class ShardWriter:
    """Writes samples into tar files `00000.tar`, `00001.tar` and so on, and at last their index.

    Attributes:
        folder: An empty one.
        size: Bytes after which a tar file ends.
        shards: What the index says of each.
    """

    folder: Path
    size: int
    shards: list[dict[str, object]] = field(default_factory=list)
    _tar: tarfile.TarFile | None = None
    _members: list[list[str | int]] = field(default_factory=list)

    def write(self, sample: Sequence[File]) -> None:
        """Add the files of one sample."""
        if self._tar is None:
            path = self.folder / f"{len(self.shards):05}.tar"
            self._tar = tarfile.open(path, "w:", format=tarfile.PAX_FORMAT)  # noqa: SIM115
        for one in sample:
            self._add(self._tar, one)
        if self._tar.offset >= self.size:
            self._end()

    def _add(self, tar: tarfile.TarFile, one: File) -> None:
        info = tarfile.TarInfo(one.name)
        info.mode = 0o444
        with io.BytesIO(one.text) if one.source is None else one.source.open("rb") as file:
            info.size = file.seek(0, os.SEEK_END)
            file.seek(0)
            tar.addfile(info, file)
        offset = tar.offset - -(-info.size // _BLOCK) * _BLOCK
        self._members.append([one.name, offset, info.size, *([one.path] if one.path != one.name else [])])

    def _end(self) -> None:
        assert self._tar is not None
        self._tar.close()
        path = Path(str(self._tar.name))
        self.shards.append({"name": path.name, "bytes": path.stat().st_size, "members": self._members})
        self._tar, self._members = None, []

    def close(self) -> None:
        """End the last tar file, and write the index."""
        if self._tar is not None:
            self._end()
        text = json.dumps({INDEX_KEY: 1, "shards": self.shards}, separators=(",", ":"))  # names may be no text
        (self.folder / INDEX).write_text(text, encoding="utf-8")


def _samples(place: Path) -> list[list[File]]:
    """The files of each sample, in the order of their names."""
    pictures = [path.relative_to(place) for path in find_images(place)]
    tops = {path.parts[0] for path in pictures if len(path.parts) > 1}
    roles = _roles(tops)
    classes = (
        [] if roles or _PARTS & tops or any(len(path.parts) != 2 for path in pictures) else sorted(tops, key=by_number)
    )
    samples: dict[str, list[File]] = {}
    for path in _files(place):
        own = _file(place, path, roles)
        sample = samples.setdefault(key_of(own.name)[0], [])
        sample.append(own)
        if len(classes) > 1 and path.parts[0] in classes and is_image_path(path):
            label = File(f"{key_of(own.name)[0]}.cls", "", None, str(classes.index(path.parts[0])).encode())
            if label not in sample:
                sample.append(label)
    return [samples[key] for key in sorted(samples)]


def _roles(tops: set[str]) -> dict[str, str]:
    """Folders whose files are partners by their names, and what each is called in a sample."""
    if {"A", "B"} <= tops:
        return {"A": "A", "B": "B"}
    masks = {name: role for name, role in _MASKS.items() if name in tops}
    return {PLAIN_FOLDER: ""} | masks if PLAIN_FOLDER in tops and masks else {}


def _file(place: Path, path: Path, roles: dict[str, str]) -> File:
    """Under its name in the tar file, in which a dot of its stem is written otherwise: a sample's name ends at one."""
    role = roles.get(path.parts[0]) if len(path.parts) > 1 else None
    inner = path if role is None else Path(*path.parts[1:])
    stem = inner.stem.replace("%", "%25").replace(".", "%2E")
    name = inner.with_name(f"{stem}{'.' * bool(role)}{role or ''}{inner.suffix}").as_posix()
    return File(name, path.as_posix(), place / path)


def _files(place: Path) -> Iterator[Path]:
    """Ordinary files, relative, sorted."""
    return (path.relative_to(place) for path in sorted(files_below(place)) if path.is_file())
