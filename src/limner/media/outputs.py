"""Where results go; every clash is found before the work starts."""

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from limner.arguments import REPLACE
from limner.errors import LimnerError
from limner.files.bucket import BucketPath
from limner.files.image import written_image_suffix
from limner.files.space import check_folder
from limner.files.video import is_video_path, written_suffix
from limner.media.inputs import Found
from limner.media.names import Naming


class Job(NamedTuple):
    """A picture, where its result goes, and where the before/after picture goes, if one is wanted.

    Attributes:
        source: The picture.
        target: Its result.
        comparison: The before/after picture.
        refused: Why there is nothing to work on; then the places mean nothing.
    """

    source: Path
    target: Path
    comparison: Path | None
    refused: LimnerError | None = None

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


class Planned(NamedTuple):
    """What is to be done.

    Attributes:
        jobs: In the order of the pictures; what gives none comes last.
        finished: What an earlier run has made, and so is passed by.
    """

    jobs: list[Job]
    finished: list[Job]


def plan_outputs(
    found: Sequence[Found],
    naming: Naming,
    *,
    output: str | BucketPath | None,
    suffix: str | None,
    usual: str | None = None,
    compare: bool = False,
    force: bool = False,
    resume: bool = False,
    is_finished: Callable[[Job], bool] = Job.is_finished,
    on_note: Callable[[str], None] = lambda note: None,
) -> Planned:
    """Give each picture its place. Nothing is written yet.

    Of several pictures, what earlier runs have made of one is none to work on, and one whose result is there is passed
    by unless `force` is set. So a folder or a pattern can be named again and again.

    Args:
        found: The pictures.
        naming: How results are called.
        output: A file for one picture, or a folder, as one in a bucket without a suffix is; None puts each beside its
            source.
        suffix: With the dot; None keeps that of `output`, or of the source.
        usual: With the dot, in place of that of the source.
        compare: Whether each gets a before/after picture too.
        force: Whether existing files may be replaced.
        resume: Whether an earlier run may have made some of the outputs.
        is_finished: Which of these are whole.
        on_note: Called with what is passed by.

    Raises:
        LimnerError: If two outputs have one name, one is there already, one is a source too, or a folder cannot be.
    """
    order = {one.path: number for number, one in enumerate(found)}
    refused = [Job(one.path, one.path, None, one.refused) for one in found if one.refused]
    is_one = len(found) == 1 and not found[0].in_folder
    found = _without_results([one for one in found if not one.refused], naming, on_note)
    places = list(_targets(found, output, naming, suffix, usual, is_one=is_one))
    places = _apart([one.path for one in found], places, naming, on_note)
    jobs = [_job(picture, place, compare) for picture, place in zip(found, places, strict=True)]
    _refuse_clashes(jobs)
    _refuse_devices(jobs)
    finished = []
    if resume:
        refuse_existing(*(job.target for job in jobs if _is_there(job.target) and job.target.samefile(job.source)))
        finished = [job for job in jobs if is_finished(job)]
    elif not force:
        finished = [job for job in jobs if not is_one and _is_there(job.target) and not job.target.samefile(job.source)]
        left = [job for job in jobs if job not in finished]
        refuse_existing(*(place for job in left for place in job.outputs))
    if finished:
        on_note(_passed_by(finished, resume=resume))
    jobs = [job for job in jobs if job not in finished]
    for folder in {job.target.parent for job in jobs}:
        check_folder(folder, mend="name another place with --output")
    return Planned(sorted(jobs + refused, key=lambda job: order[job.source]), finished)


def make_folders(jobs: Sequence[Job]) -> None:
    """Make the folders that results go to.

    Raises:
        LimnerError: If one cannot be made.
    """
    for folder in {job.target.parent for job in jobs if not job.refused}:
        _make_folder(folder)


def _passed_by(finished: Sequence[Job], *, resume: bool) -> str:
    number = f"{len(finished)} of them {'is' if len(finished) == 1 else 'are'}"
    if resume:
        return f"{number} finished already"
    older = sum(not job.is_finished() for job in finished)
    changed = f", {older} older than the photo" if older else ""
    return f"{number} there already{changed}: passed by, --force makes all anew"


def _without_results(found: Sequence[Found], naming: Naming, on_note: Callable[[str], None]) -> list[Found]:
    """Without the pictures that are results of others."""
    places = {
        place for one in found for place in (one.path.with_suffix(""), _with_its_suffix(one.path).with_suffix(""))
    }

    def is_result(one: Found) -> bool:
        source = naming.made_from(one.path.stem.removesuffix("_compare"))
        return source is not None and one.path.with_name(source) in places

    kept = [one for one in found if not is_result(one)]
    if (number := len(found) - len(kept)) > 0:
        on_note(f"passed by {number} made of others by an earlier run: name one alone to take it")
    return kept


def _job(picture: Found, target: Path, compare: bool) -> Job:
    return Job(picture.path, target, target.with_name(f"{target.stem}_compare.png") if compare else None)


def _apart(
    sources: Sequence[Path], places: Sequence[Path], naming: Naming, on_note: Callable[[str], None]
) -> list[Path]:
    """Places of results, of which those of pictures that differ by their suffixes alone bear these in their names.

    One of them, whose result has the suffix of the picture, keeps its name.
    """
    number = Counter(places)

    def own(source: Path, place: Path) -> Path:
        if number[place] == 1 or source.suffix.lower() == place.suffix.lower():
            return place
        renamed = place.with_name(naming.path(_with_its_suffix(source), place.suffix).name)
        on_note(f"{source} becomes {renamed}, for another picture becomes {place}")
        return renamed

    return [own(source, place) for source, place in zip(sources, places, strict=True)]


def _with_its_suffix(path: Path) -> Path:
    """`a/pic.heic` as `a/pic_heic.heic`."""
    return path.with_name(f"{path.stem}_{path.suffix[1:]}{path.suffix}") if path.suffix else path


def _targets(
    found: Sequence[Found],
    output: str | BucketPath | None,
    naming: Naming,
    suffix: str | None,
    usual: str | None,
    *,
    is_one: bool,
) -> Iterator[Path]:
    wanted = Path(output) if isinstance(output, str) else output
    if wanted is not None and is_one and found and not _names_folder(output):
        yield _one_file(wanted, suffix)
        return
    if wanted is not None and wanted.exists() and not wanted.is_dir():
        raise LimnerError(f"{output}: is a file, and {len(found)} pictures need a folder: pass --output FOLDER")
    for picture in found:
        own = written_suffix(picture.path) if is_video_path(picture.path) else written_image_suffix(picture.path)
        place = picture.path if wanted is None else wanted / picture.below
        yield naming.path(place, suffix or usual or own)


def _names_folder(output: str | BucketPath | None) -> bool:
    if isinstance(output, str):
        return output.endswith(("/", os.sep)) or Path(output).is_dir()
    return output is not None and not output.suffix


def _one_file(path: Path, suffix: str | None) -> Path:
    if suffix is not None and path.suffix.lower() != suffix:
        raise LimnerError(f"{path}: what is written is {suffix}: name an --output that ends so, or another --format")
    return path


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


def _refuse_devices(jobs: Sequence[Job]) -> None:
    for place in (place for job in jobs for place in job.outputs):
        if _is_there(place) and not (place.is_file() or place.is_dir() or place.is_symlink()):
            raise LimnerError(f"{place}: is no ordinary file, and would be replaced by one: name another place")


def refuse_existing(*places: Path) -> None:
    """Refuse to replace files, before the work.

    Raises:
        LimnerError: If one is there.
    """
    there = [place for place in places if _is_there(place)]
    if there:
        others = f" (and {len(there) - 1} more)" if len(there) > 1 else ""
        raise LimnerError(f"{there[0]}: is already there{others}: {REPLACE}, or name another with --output or --name")


def _is_there(place: Path) -> bool:
    """Whether there is such a file; a name that the file system does not take is refused when that file is written."""
    try:
        return place.exists() or place.is_symlink()  # a link that leads nowhere would be replaced, too
    except OSError:
        return False


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = (error.strerror or "it cannot be made").lower()
        raise LimnerError(f"{folder}: no folder can be here ({reason}): name another with --output") from None
