"""Pictures that come twice: in one part, across the parts, or with other labels."""

from collections import defaultdict
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np

from limner.inspection.finding import Finding, Survey, counted
from limner.inspection.likeness import grouped, near_pairs
from limner.inspection.seen import Seen, copy_of


class _Twins(NamedTuple):
    """Groups of pictures: the very same, and nearly the same."""

    same: list[tuple[Path, ...]]
    near: list[tuple[Path, ...]]


def twin_faults(survey: Survey) -> Iterator[Finding]:
    """Pictures that come twice; those of one role are compared, for a pair may be alike."""
    found = [_twins(pictures) for pictures in _compared(survey)]
    same, near = (sorted(chain(*groups)) for groups in zip(*found, strict=True)) if found else ([], [])
    home = _homes(survey)
    yield from _across(survey, same, near, home)
    yield from _unlike_labels(survey, same, home)
    within = [group for group in same if not _is_split(group, home)]
    if within:
        extra = tuple(path for group in within for path in group[1:])
        text = f"{counted(len(extra), 'picture is', 'pictures are')} there more than once"
        yield Finding("duplicates", "warning", text, "keep one of each", tuple(within), extra)
    alike = [group for group in near if not _is_split(group, home)]
    if alike:
        number = sum(len(group) - 1 for group in alike)
        text = f"{counted(number, 'picture is', 'pictures are')} nearly the same as another"
        mend = "keep one of each, unless they are frames of a film"
        yield Finding("near-duplicates", "note", text, mend, tuple(alike))


def _compared(survey: Survey) -> Iterator[list[Seen]]:
    """Pictures that are to differ: of classes all, else of each role."""
    if survey.layout.kind == "classes":
        yield [one for one in survey.pictures() if one.digest]
        return
    for role in dict.fromkeys(role for part in survey.layout.parts for role in part.roles):
        parts = (part for part in survey.layout.parts if role in part.roles)
        if role not in survey.layout.mask_roles:
            yield [one for part in parts for one in survey.of(part, role) if one.digest]


def _twins(pictures: list[Seen]) -> _Twins:
    by_digest: defaultdict[str, list[Path]] = defaultdict(list)
    for one in pictures:
        by_digest[one.digest].append(one.path)
    alone = [one for one in {one.digest: one for one in pictures}.values() if one.is_read]
    if len(alone) < 2:
        return _Twins([tuple(paths) for paths in by_digest.values() if len(paths) > 1], [])
    copies = np.stack([copy_of(one) for one in alone])
    near = grouped(near_pairs([one.likeness for one in alone], copies))
    return _Twins(
        [tuple(paths) for paths in by_digest.values() if len(paths) > 1],
        [tuple(alone[place].path for place in group) for group in near],
    )


def _homes(survey: Survey) -> dict[Path, str]:
    """Which part a picture belongs to; `kept` is what training keeps for measuring."""
    homes = {
        path: part.name or "training" for part in survey.layout.parts for paths in part.roles.values() for path in paths
    }
    return homes | {path: "kept" for path in survey.needs.held_out if path in homes}


def _is_split(group: tuple[Path, ...], home: dict[Path, str]) -> bool:
    return len({home[path] for path in group}) > 1


def _across(
    survey: Survey, same: list[tuple[Path, ...]], near: list[tuple[Path, ...]], home: dict[Path, str]
) -> Iterator[Finding]:
    """Pictures that are trained on and measured on."""
    tests = {part.name for part in survey.layout.parts if part.is_test}
    for kind, groups, how in (("leak", same, "the same"), ("near-leak", near, "nearly the same")):
        split = [group for group in groups if _is_split(group, home)]
        kept = [group for group in split if "kept" in {home[path] for path in group} and not _has(group, tests, home)]
        apart = [group for group in split if group not in kept]
        if apart:
            learnt = tuple(path for group in apart for path in group if home[path] not in tests)
            text = f"{counted(len(apart), 'picture of tests is', 'pictures of tests are')} {how} as in training"
            mend = "take them out of training, or the test tells what was learnt by heart"
            yield Finding(kind, "warning", text, mend, tuple(apart), learnt)
        if kept:
            number = counted(
                len(kept), "picture that is kept for measuring is", "pictures that are kept for measuring are"
            )
            text = f"{number} {how} as others"
            mend = "take one of each away, or measure on a folder of other pictures with --validation"
            extra = tuple(path for group in kept for path in group[1:]) if kind == "leak" else ()
            yield Finding(f"{kind}-kept", "warning", text, mend, tuple(kept), extra)


def _has(group: tuple[Path, ...], tests: set[str], home: dict[Path, str]) -> bool:
    return any(home[path] in tests for path in group)


def _unlike_labels(survey: Survey, same: list[tuple[Path, ...]], home: dict[Path, str]) -> Iterator[Finding]:
    """The same picture in two classes, or with two masks."""
    role = {path: name for part in survey.layout.parts for name, paths in part.roles.items() for path in paths}
    partners = {path: others for part in survey.layout.parts for path, others in part.partners.items()}

    def labels(path: Path) -> str:
        if survey.layout.kind == "classes":
            return role[path]
        return " ".join(survey.seen[one].digest for one in partners.get(path, []))

    unlike = [group for group in same if len({labels(path) for path in group}) > 1]
    if unlike:
        text = f"{counted(len(unlike), 'picture has', 'pictures have')} other labels each time that they come"
        every = tuple(path for group in unlike for path in group)
        yield Finding("unlike-labels", "warning", text, "look which is right", tuple(unlike), every)
