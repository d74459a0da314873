"""A data set looked at as a whole: by the heads of its files, or by all of their pixels."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path

from limner.data.enlargement import EnlargementConfig
from limner.data.label_maps import LabelMapsConfig
from limner.data.labelled import SmallConfig
from limner.data.masks import CLASSES_FILE, number_of
from limner.data.pairs import PairsConfig
from limner.data.segmented import SegmentedConfig
from limner.data.source import DataConfig
from limner.data.style_pairs import StylePairsConfig
from limner.data.stylization import StylizationConfig
from limner.data.unpaired import UnpairedConfig
from limner.errors import LimnerError
from limner.inspection.file_faults import file_faults, picture_faults
from limner.inspection.finding import LEVELS, Finding, Needs, Survey
from limner.inspection.layout import Layout, layout_of
from limner.inspection.partner_faults import class_faults, few_pictures, mask_faults, pair_faults
from limner.inspection.reading import Asked, kept_at, look_at_all
from limner.inspection.seen import look_at
from limner.inspection.twin_faults import twin_faults
from limner.types import OnProgress

_ENLARGED = 2  # times that pictures may be enlarged before training, without a word


def survey_of(
    place: Path,
    data: DataConfig | None = None,
    *,
    num_workers: int = 0,
    keep: bool = True,
    on_progress: OnProgress = lambda done, total: None,
) -> Survey:
    """Read all of a data set.

    Args:
        place: Its folder.
        data: How a system reads it; None guesses.
        num_workers: Processes that read; 0 reads here.
        keep: Whether what is found is kept in the user's cache, so that a second look takes what is new alone.
        on_progress: Called after some files.

    Raises:
        LimnerError: If it is no folder.
    """
    place = place.absolute()
    layout = layout_of(place, data)
    files = _asked(layout)
    found = look_at_all(files, keep=kept_at(place) if keep else None, num_workers=num_workers, on_progress=on_progress)
    seen = {asked.path: one for asked, one in zip(files, found, strict=True)}
    return Survey(layout, seen, needs_of(layout, data))


def quick_survey_of(place: Path, data: DataConfig, digests: dict[Path, str]) -> Survey:
    """The same by the heads of the files, for training, which reads them all the same.

    Args:
        place: The folder that training is given.
        data: How it is read.
        digests: Hashes of whole files, where they are known.
    """
    layout = layout_of(place.absolute(), data)
    seen = {asked.path: look_at(asked.path, whole=False) for asked in _asked(layout)}
    known = {path: replace(one, digest=digests.get(path, "")) for path, one in seen.items()}
    return Survey(layout, known, needs_of(layout, data))


def findings_of(survey: Survey) -> list[Finding]:
    """All that is worth saying, the worst first."""
    found: Iterator[Finding] = chain(
        few_pictures(survey), file_faults(survey), pair_faults(survey), mask_faults(survey), class_faults(survey),
        twin_faults(survey), picture_faults(survey),
    )  # fmt: skip
    return sorted(found, key=lambda one: LEVELS.index(one.level))


def _asked(layout: Layout) -> list[Asked]:
    return [
        Asked(path, role in layout.mask_roles)
        for part in layout.parts
        for role, paths in part.roles.items()
        for path in paths
    ]


def needs_of(layout: Layout, data: DataConfig | None) -> Needs:
    """What the data of a system ask for; something modest where no system is named."""
    if data is None:
        return Needs()
    meaning = data.meaning if isinstance(data, SegmentedConfig | LabelMapsConfig) else ""
    held_out, values = _held_out(layout, data), _values(layout, data)
    return Needs(least_side=_least_side(data), meaning=meaning, held_out=held_out, values=values)


def _least_side(data: DataConfig) -> int:
    """Pixels below which pictures are refused, or enlarged so much that they blur."""
    match data:
        case EnlargementConfig() | StylizationConfig():
            return data.patch
        case StylePairsConfig() | PairsConfig() | UnpairedConfig():
            return data.resize // _ENLARGED
        case SegmentedConfig():
            return data.patch // _ENLARGED
        case LabelMapsConfig():
            return min(data.height, data.width) // _ENLARGED
        case SmallConfig():
            return data.side // _ENLARGED
    return Needs().least_side


def _held_out(layout: Layout, data: DataConfig) -> frozenset[Path]:
    """The pictures that training keeps for measuring, if it can read the data at all."""
    if not data.held_out:
        return frozenset()
    kept = data.model_copy(update={"part": "held out"})
    try:
        return frozenset(
            path.absolute() for part in layout.parts if not part.is_test for path in kept.pictures(part.folder)
        )
    except (LimnerError, OSError):
        return frozenset()


def _values(layout: Layout, data: DataConfig) -> frozenset[int] | None:
    """What masks may hold, where `classes.toml` says it; training refuses any other value."""
    folders = [part.folder for part in layout.parts if (part.folder / CLASSES_FILE).is_file()]
    if not isinstance(data, SegmentedConfig) or data.meaning == "instances" or not folders:
        return None
    try:
        classes = data.classes(folders[0])
    except (LimnerError, OSError):
        return None
    return frozenset(map(number_of, (*(one.value for one in classes.classes), *classes.ignored)))
