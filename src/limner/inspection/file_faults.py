"""Faults of single files, and of pictures that are not like the others."""

import statistics
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

from limner.inspection.finding import Finding, Level, Survey, agreeing, counted, each
from limner.inspection.seen import Fault, Seen

_FEW = 0.2  # share of pictures that are unlike the others, up to which that is told
_FLAT = 1.0  # deviation in levels of a blank picture
_LONG, _USUAL = 4.0, 2.0  # sides to one another: of an odd shape, and of the median where that is told
_SMALL = 8  # times smaller than the median
_LEAST = 5  # pictures that make a median

_FAULTS: dict[Fault, tuple[Level, str, str, str]] = {
    "broken-link": ("warning", "link leads", "links lead", "nowhere: mend them, or take them away"),
    "no-permission": ("error", "file", "files", "may not be read: change their permissions"),
    "empty": ("error", "file is", "files are", "empty: get them once more, or take them away"),
    "not-a-picture": ("error", "file is", "files are", "no picture, whatever the name says: take them away"),
    "several-pictures": ("error", "file holds", "files hold", "several pictures: save the wanted one of each"),
    "too-large": ("error", "picture has", "pictures have", "more pixels than are read: shrink them"),
    "damaged": ("error", "picture is", "pictures are", "damaged or cut short: get them once more, or take them away"),
}  # fmt: skip
_SUFFIXES = {
    "PNG": {".png"}, "JPEG": {".jpg", ".jpeg"}, "WebP": {".webp"}, "TIFF": {".tif", ".tiff"}, "BMP": {".bmp"},
    "AVIF": {".avif"},
}  # fmt: skip


def file_faults(survey: Survey) -> Iterator[Finding]:
    """What is wrong with single files."""
    yield from _unreadable(survey)
    yield from _passed_by(survey)
    yield from _named_wrongly(survey)
    yield from _of_one_name(survey)


def picture_faults(survey: Survey) -> Iterator[Finding]:
    """What is wrong with pictures, and which are not like the others."""
    pictures = survey.pictures()
    read = [one for one in pictures if one.is_read]
    yield from _told(
        "blank", [one.path for one in read if one.deviation < _FLAT and one.visible > 0], "is", "are",
        "of one colour: nothing is learnt from that", "take them away", left_out=True,
    )  # fmt: skip
    yield from _told(
        "invisible", [one.path for one in read if not one.visible], "is", "are", "wholly transparent",
        "take them away, or save them without transparency", left_out=True,
    )  # fmt: skip
    yield from _sides(survey, pictures)
    yield from _unlike(pictures, _kind_of_colour, "mixed-channels", "gray or not")
    yield from _unlike(pictures, _kind_of_ground, "mixed-alpha", "opaque")
    yield from _unlike(pictures, lambda one: f"of {one.bit_depth} bits", "mixed-depth", "of one depth")
    yield from _colours(pictures)


def _kind_of_colour(one: Seen) -> str:
    return one.channels.removesuffix(" with alpha")


def _kind_of_ground(one: Seen) -> str:
    return "transparent" if 0 < one.visible < 1 else "opaque"


def _unreadable(survey: Survey) -> Iterator[Finding]:
    for fault, (level, one, many, rest) in _FAULTS.items():
        found = [seen for seen in survey.seen.values() if seen.fault == fault]
        if not found:
            continue
        text, mend = agreeing(rest, len(found)).split(": ")
        reason = f" ({found[0].reason})" if fault in ("damaged", "not-a-picture", "several-pictures") else ""
        paths = [seen.path for seen in found]
        yield Finding(fault, level, f"{counted(len(found), one, many)} {text}{reason}", mend, each(paths), tuple(paths))
    if closed := survey.layout.closed:
        text = f"{counted(len(closed), 'folder', 'folders')} may not be looked into"
        yield Finding("closed-folder", "warning", text, "change their permissions", each(closed))


def _passed_by(survey: Survey) -> Iterator[Finding]:
    if paths := survey.layout.passed_by:
        kinds = ", ".join(sorted({path.suffix.lower() for path in paths}))
        yield Finding(
            "passed-by", "warning", f"{counted(len(paths), 'file', 'files')} that training does not read ({kinds})",
            agreeing("save them as PNG, JPEG, WebP or TIFF if they are to be learnt from", len(paths)), each(paths),
        )  # fmt: skip


def _named_wrongly(survey: Survey) -> Iterator[Finding]:
    found = [
        one.path
        for one in survey.seen.values()
        if one.format and one.path.suffix.lower() not in _SUFFIXES.get(one.format, {one.path.suffix.lower()})
    ]
    if found:
        example = survey.seen[found[0]]
        text = f"{counted(len(found), 'file has', 'files have')} the suffix of another format"
        mend = f"{example.path.name} is {example.format}: Limner reads it, other programs may not"
        yield Finding("wrong-suffix", "note", text, mend, each(found))


def _of_one_name(survey: Survey) -> Iterator[Finding]:
    named: defaultdict[tuple[Path, str], list[Path]] = defaultdict(list)
    for path in survey.seen:
        named[path.parent, path.stem.lower()].append(path)
    found = [tuple(sorted(paths)) for paths in named.values() if len(paths) > 1]
    if found:
        level: Level = "error" if survey.layout.kind in ("masks", "pairs") else "warning"
        text = f"{counted(len(found), 'name is', 'names are')} that of several files, but for suffix or capitals"
        yield Finding("same-name", level, text, "keep one of each, or rename them", tuple(sorted(found)))


def _told(
    kind: str, paths: list[Path], one: str, many: str, what: str, mend: str, *, left_out: bool = False,
    level: Level = "warning",
) -> Iterator[Finding]:  # fmt: skip
    if paths:
        text = f"{counted(len(paths), f'picture {one}', f'pictures {many}')} {what}"
        yield Finding(kind, level, text, agreeing(mend, len(paths)), each(paths), tuple(paths) if left_out else ())


def _sides(survey: Survey, pictures: list[Seen]) -> Iterator[Finding]:
    halves = 2 if survey.layout.kind == "halves" else 1
    least = survey.needs.least_side
    small = [one.path for one in pictures if min(one.width // halves, one.height) < least]
    yield from _told(
        "too-small", small, "is", "are", f"smaller than {least} pixels, which training takes of each",
        "take them away, or train on smaller samples",
    )  # fmt: skip
    if halves == 2:
        yield from _told(
            "odd-halves", [one.path for one in pictures if one.width % 2], "has", "have",
            "an odd width and so no two halves", "crop them", left_out=True, level="error",
        )  # fmt: skip
    if len(pictures) < _LEAST:
        return
    shape = statistics.median(map(_elongation, pictures))
    shorter = statistics.median(min(one.width, one.height) for one in pictures)
    odd = [
        one.path for one in pictures if _elongation(one) > _LONG > _USUAL * shape / _USUAL and shape < _USUAL * halves
    ]
    yield from _told(
        "odd-shape", odd, "is", "are", "far longer than wide or the reverse, as the others are not", "crop them"
    )
    tiny = [one.path for one in pictures if min(one.width, one.height) * _SMALL < shorter and one.path not in odd]
    yield from _told(
        "much-smaller", tiny, "is", "are", f"more than {_SMALL} times smaller than most", "look whether these are "
        "thumbnails or icons, and take them away",
    )  # fmt: skip


def _elongation(one: Seen) -> float:
    return max(one.width, one.height) / max(1, min(one.width, one.height))


def _unlike(pictures: list[Seen], look: Callable[[Seen], str], kind: str, mend: str) -> Iterator[Finding]:
    """Pictures that a few others are unlike; where many are so, that is how the set is."""
    counts = Counter(look(one) for one in pictures)
    if len(counts) < 2:
        return
    usual = counts.most_common(1)[0][0]
    others = [one for one in pictures if look(one) != usual]
    if usual == "transparent":
        return  # an icon may fill its square
    if len(others) <= _FEW * len(pictures):
        unlike = ", ".join(sorted({look(one) for one in others}))
        text = f"{counted(len(others), 'picture is', 'pictures are')} {unlike} where the others are {usual}"
        yield Finding(kind, "warning", text, f"make all {mend}", each(one.path for one in others))


def _colours(pictures: list[Seen]) -> Iterator[Finding]:
    inks = [one.path for one in pictures if one.mode == "CMYK"]
    yield from _told(
        "inks", inks, "has", "have", "inks (CMYK), whose colours are only about right as RGB", "save them as RGB"
    )
    other = [one for one in pictures if one.profile and not _is_usual(one.profile) and one.mode != "CMYK"]
    if other:
        names = ", ".join(sorted({one.profile for one in other})[:3])
        yield from _told(
            "other-colours", [one.path for one in other], "has", "have", f"a colour profile that is not sRGB ({names})",
            "convert them to sRGB, for networks see the numbers alone",
        )  # fmt: skip


def _is_usual(profile: str) -> bool:
    """Whether a profile is sRGB, or one of gray with its curve."""
    plain = profile.lower().replace(" ", "")
    return "srgb" in plain or "gray" in plain or "grey" in plain or plain in ("c2", "dotgain20%")
