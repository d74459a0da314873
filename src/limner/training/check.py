"""`check`: whether data are fit to learn from, and what a system will do with them."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from limner.arguments import check_path
from limner.catalog.models import find
from limner.data.source import DataConfig
from limner.errors import LimnerError
from limner.files.shard_path import unpacked
from limner.inspection.finding import Finding
from limner.inspection.report import Inspection
from limner.inspection.whole_set import findings_of, survey_of
from limner.training.train import plan
from limner.training.trial import trial_of
from limner.types import OnProgress


def check(
    folder: str | Path,
    system: str | None = None,
    *,
    preset: str | None = None,
    assignments: Sequence[str] = (),
    try_steps: bool = False,
    num_workers: int = 0,
    keep: bool = True,
    on_progress: OnProgress = lambda done, total: None,
) -> Inspection:
    """Look whether pictures are fit to learn from: what is damaged, there twice, unlike the others, or has no partner.

    Args:
        folder: Of the data. Folders `train` and `test` or `val` in it are its parts, and are compared.
        system: One of the catalog, whose way to read the data is then asked for; None looks for faults of any use.
        preset: One of the system's; None is its first.
        assignments: `field=value`, `data.field=value` and so on, as for `plan`.
        try_steps: Whether a few steps are made, to tell what training takes in time and memory here.
        num_workers: Processes that read; 0 reads in this one. A script that asks for any needs the usual
            `if __name__ == "__main__":`, for they import it.
        keep: Whether what is found is kept in the user's cache, so that a second look takes what is new alone.
        on_progress: Called after some files.

    Raises:
        LimnerError: If it is no folder, or the system is unknown.

    Example:
        >>> limner.check("photos").verdict  # doctest: +SKIP
        '1 warning, 1 note'
    """
    check_path("folder", folder)
    place = unpacked(Path(folder).absolute())
    if system is None:
        survey = survey_of(place, num_workers=num_workers, keep=keep, on_progress=on_progress)
        return Inspection(survey, findings_of(survey))
    data = _data(system, preset, assignments)
    survey = survey_of(place, data, num_workers=num_workers, keep=keep, on_progress=on_progress)
    folder = next((part.folder for part in survey.layout.parts if not part.is_test), place)
    trial, refused = _tried(folder, system, preset, assignments, try_steps=try_steps)
    findings = findings_of(survey)
    if not survey.seen and (refused or _reads(data, folder)):  # told already, or no pictures: idx files
        findings = [one for one in findings if one.kind != "no-pictures"]
    return Inspection(survey, [*_refusal(system, refused), *findings], system, trial)


def _data(system: str, preset: str | None, assignments: Sequence[str]) -> DataConfig:
    """How a system reads data, with what training keeps for measuring if nothing else is said."""
    changes = [text.removeprefix("data.") for text in assignments if text.startswith("data.")]
    return find(system).preset(preset).data.override(["held_out=0.1", *changes])


def _reads(data: DataConfig, folder: Path) -> bool:
    """Whether there are files that training would read."""
    try:
        return bool(data.files(folder))
    except LimnerError:
        return False


def _tried(
    folder: Path, system: str, preset: str | None, assignments: Sequence[str], *, try_steps: bool
) -> tuple[dict[str, str], str]:
    """What training will do, in words, and why it would refuse."""
    try:
        goal = plan(system, folder, preset=preset, assignments=assignments)
        return (trial_of(goal).told(goal.minutes) if try_steps else {}), ""
    except LimnerError as error:
        return {}, str(error)


def _refusal(system: str, reason: str) -> Iterator[Finding]:
    if reason:
        text, _, mend = reason.rpartition(": ")
        yield Finding("refused", "error", f"limner train {system} says: {text or reason}", mend if text else "mend it")
