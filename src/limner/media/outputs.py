"""Where results go; every clash is found before the work starts."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from limner.errors import LimnerError
from limner.files.image import written_image_suffix
from limner.files.video import is_video_path, written_suffix
from limner.media.inputs import Found


class Job(NamedTuple):
    """A picture, where its result goes, and where the before/after picture goes, if one is wanted."""

    source: Path
    target: Path
    comparison: Path | None

    @property
    def outputs(self) -> tuple[Path, ...]:
        """All that it writes."""
        return (self.target,) if self.comparison is None else (self.target, self.comparison)

    def is_finished(self) -> bool:
        """Whether all that it writes is there, and no older than the source: files appear whole or not at all."""
        if not all(_is_there(place) for place in (self.source, *self.outputs)):
            return False
        changed = self.source.stat().st_mtime_ns
        return all(place.stat().st_mtime_ns >= changed for place in self.outputs)


def plan_outputs(
    found: Sequence[Found],
    *,
    output: str | None,
    ending: str,
    suffix: str | None,
    compare: bool,
    force: bool,
    resume: bool = False,
) -> list[Job]:
    """Give each picture its place, and make the folders.

    Args:
        found: The pictures.
        output: A file for one picture, or a folder; None puts each beside its source.
        ending: Of the name: `x2` gives `photo_x2.png`.
        suffix: With the dot; None keeps that of the source.
        compare: Whether each gets a before/after picture too.
        force: Whether existing files may be replaced.
        resume: Whether an earlier run may have made some of the outputs. Those that lie among the sources are left out.

    Raises:
        LimnerError: If two outputs have one name, one is there already, one is a source too, or a folder cannot be.
    """
    jobs = [_job(picture, place, compare) for picture, place in zip(found, _targets(found, output, ending, suffix))]  # noqa: B905
    if resume:
        jobs = _without_results(jobs)
    _refuse_clashes(jobs)
    if resume:
        _refuse_existing([job.target for job in jobs if _is_there(job.target) and job.target.samefile(job.source)])
    elif not force:
        _refuse_existing([place for job in jobs for place in job.outputs])
    for folder in {job.target.parent for job in jobs}:
        _make_folder(folder)
    return jobs


def _job(picture: Found, target: Path, compare: bool) -> Job:
    return Job(picture.path, target, target.with_name(f"{picture.path.stem}_compare.png") if compare else None)


def _targets(found: Sequence[Found], output: str | None, ending: str, suffix: str | None) -> Iterator[Path]:
    if output is not None and len(found) == 1 and not found[0].in_folder and not _names_folder(output):
        yield _one_file(Path(output), suffix)
        return
    if output is not None and Path(output).exists() and not Path(output).is_dir():
        raise LimnerError(f"{output}: is a file, and {len(found)} pictures need a folder: pass --output FOLDER")
    for picture in found:
        own = written_suffix(picture.path) if is_video_path(picture.path) else written_image_suffix(picture.path)
        name = f"{picture.path.stem}_{ending}{suffix or own}"
        place = picture.path if output is None else Path(output) / picture.below
        yield place.with_name(name)


def _names_folder(output: str) -> bool:
    return output.endswith(("/", os.sep)) or Path(output).is_dir()


def _one_file(path: Path, suffix: str | None) -> Path:
    if suffix is not None and path.suffix.lower() != suffix:
        raise LimnerError(f"--output {path} and --format {suffix[1:]} say different things: leave one of them out")
    return path


def _without_results(jobs: Sequence[Job]) -> list[Job]:
    """Without those whose source is what another one has become."""
    results = {place.absolute(): job for job in jobs for place in job.outputs}
    return [job for job in jobs if results.get(job.source.absolute(), job) is job]


def _refuse_clashes(jobs: Sequence[Job]) -> None:
    sources = {job.source.absolute(): job for job in jobs}
    taken: dict[Path, Job] = {}
    for job in jobs:
        for place in job.outputs:
            first = taken.setdefault(place.absolute(), job)
            if first is not job:
                raise LimnerError(
                    f"{first.source} and {job.source} would both become {place}: take them one by one with --output"
                )
            if sources.get(place.absolute(), job) is not job:
                raise LimnerError(
                    f"{place} is one of the sources and would be replaced by what {job.source} becomes: "
                    "name another folder with --output"
                )


def _refuse_existing(places: Sequence[Path]) -> None:
    there = [place for place in places if _is_there(place)]
    if there:
        others = f" (and {len(there) - 1} more)" if len(there) > 1 else ""
        raise LimnerError(f"{there[0]}: is already there{others}: pass --force to replace, or name another --output")


def _is_there(place: Path) -> bool:
    """Whether there is such a file; a name that the file system does not take is refused when that file is written."""
    try:
        return place.exists()
    except OSError:
        return False


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = (error.strerror or "it cannot be made").lower()
        raise LimnerError(f"{folder}: no folder can be here ({reason}): name another with --output") from None
    if not os.access(folder, os.W_OK):
        raise LimnerError(f"{folder}: may not be written to: name another place with --output")
