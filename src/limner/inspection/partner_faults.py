"""Faults of what belongs together: pairs, pictures and their masks, classes."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from limner.data.masks import CLASSES_FILE
from limner.inspection.finding import Finding, Level, Survey, counted, each, first_names
from limner.inspection.layout import Part
from limner.inspection.seen import Seen

_MOST_CLASSES = 64
_RARE_PIXELS, _RARE_FILES, _FEW_MASKS = 1e-3, 0.02, 4  # of a value that is a slip rather than a class
_UNBALANCED_PIXELS = 2e-4  # of the rarest class
_UNBALANCED, _FEW_OF_CLASS = 10, 5  # times between classes, and pictures of one
_MANY_EMPTY = 0.5  # share of masks that hold one class alone


def pair_faults(survey: Survey) -> Iterator[Finding]:
    """Files without their partner, or with one of another size."""
    place = survey.layout.place
    lonely = {path: where for part in survey.layout.parts for path, where in part.lonely.items()}
    if lonely:
        path, where = next(iter(lonely.items()))
        text = f"{counted(len(lonely), 'file has', 'files have')} no partner"
        mend = f"{first_names(place, [path])} wants {where}; add what is missing, or take these away"
        yield Finding("unpaired", "error", text, mend, each(lonely), tuple(lonely))
    unequal = [
        (path, other)
        for part in survey.layout.parts
        for path, others in part.partners.items()
        for other in others
        if _sides(survey.seen[path]) != _sides(survey.seen[other])
        and not (survey.seen[path].fault or survey.seen[other].fault)
    ]
    if unequal:
        sizes = ["x".join(map(str, _sides(survey.seen[path]))) for path in unequal[0]]
        text = f"{counted(len(unequal), 'picture has', 'pictures have')} a partner of other sides"
        mend = f"{unequal[0][0].name} is {sizes[0]}, its partner {sizes[1]}; resize one of them"
        left_out = tuple(path for pair in unequal for path in pair)
        yield Finding("unequal-sides", "error", text, mend, tuple(unequal), left_out)


def _sides(seen: Seen) -> tuple[int, int]:
    return seen.width, seen.height


def mask_faults(survey: Survey) -> Iterator[Finding]:
    """What is wrong with the values of masks."""
    for role in sorted(survey.layout.mask_roles):
        masks = [one for part in survey.layout.parts for one in survey.masks(part, role)]
        lossy = [one.path for one in masks if one.format == "JPEG"]
        if lossy:
            text = f"{counted(len(lossy), 'mask is', 'masks are')} JPEG, which blurs values along every border"
            yield Finding("lossy-masks", "warning", text, "save masks as PNG", each(lossy))
        read = [one for one in masks if one.is_read]
        yield from _colored(survey, role, read)
        if not _is_numbered(survey, read):
            yield from _many_values(role, read)
            yield from _values(survey, role, read)


def _is_numbered(survey: Survey, masks: list[Seen]) -> bool:
    """Whether values are numbers of objects: told so, or of 16 bits, or more the further files are looked at."""
    if survey.needs.meaning:
        return survey.needs.meaning == "instances"
    return any(one.bit_depth > 8 for one in masks)


def _colored(survey: Survey, role: str, masks: list[Seen]) -> Iterator[Finding]:
    """Masks of colours among those of numbers, or where numbers are wanted."""
    colored = [one.path for one in masks if not one.mode.startswith(("gray", "palette"))]
    if not colored or survey.needs.meaning == "colors":
        return
    text = f"{counted(len(colored), 'mask', 'masks')} in {role} hold colours"
    if survey.needs.meaning or len(colored) < len(masks):
        yield Finding(
            "colored-masks", "error", f"{text}, not the numbers of classes",
            "save them as gray, or pass --set data.meaning=colors if all are so", each(colored), tuple(colored),
        )  # fmt: skip
    else:
        yield Finding("colored-masks", "note", text, "train with --set data.meaning=colors", each(colored))


def _many_values(role: str, masks: list[Seen]) -> Iterator[Finding]:
    many = [one.path for one in masks if one.many_values or len(one.values) > _MOST_CLASSES]
    if many:
        text = f"{counted(len(many), 'mask', 'masks')} in {role} hold more than {_MOST_CLASSES} values"
        mend = (
            "if they were JPEG once or were resized, make them anew without smoothing; if values number objects, pass "
            "--set data.meaning=instances"
        )
        yield Finding("blurred-masks", "error", text, mend, each(many), tuple(many))


def _values(survey: Survey, role: str, masks: list[Seen]) -> Iterator[Finding]:
    """Stray values, masks of one class alone, and classes that hardly have a pixel."""
    clean = [one for one in masks if not one.many_values and len(one.values) <= _MOST_CLASSES]
    pixels, files = Counter[int](), Counter[int]()
    for one in clean:
        pixels.update(one.values)
        files.update(one.values.keys())
    yield from _unknown_values(role, clean, survey.needs.values)
    if len(clean) < _FEW_MASKS:
        return
    total, most_files = pixels.total(), max(1, int(_RARE_FILES * len(clean)))
    stray = {value for value in pixels if files[value] <= most_files and pixels[value] < _RARE_PIXELS * total}
    if stray and survey.needs.values is None:
        holders = [one.path for one in clean if stray & one.values.keys()]
        named = ", ".join(_value(value, clean) for value in sorted(stray)[:6])
        text = f"{counted(len(holders), 'mask', 'masks')} in {role} hold values that hardly any other has ({named})"
        mend = "look whether the brush was soft or the class wrong; data.ignore leaves values out"
        yield Finding("stray-values", "warning", text, mend, each(holders), tuple(holders))
    yield from _one_class(role, clean, set(pixels) - stray)
    rare = {
        value: count for value, count in pixels.items() if value not in stray and count < _UNBALANCED_PIXELS * total
    }
    if rare:
        value = min(rare, key=lambda one: rare[one])
        text = f"class {_value(value, clean)} of {role} has {rare[value] / total:.4%} of all pixels"
        yield Finding("rare-class", "note", text, "weigh classes alike with --set data.class_weights=true")
    yield from _only_in_tests(survey, role)


def _unknown_values(role: str, masks: list[Seen], known: frozenset[int] | None) -> Iterator[Finding]:
    """Values that the file of classes does not name."""
    holders = [one for one in masks if known is not None and one.values.keys() - known]
    if known is not None and holders:
        unknown = sorted({value for one in holders for value in one.values.keys() - known})
        named = ", ".join(_value(value, masks) for value in unknown[:6])
        text = f"{counted(len(holders), 'mask', 'masks')} in {role} hold values of no class in {CLASSES_FILE} ({named})"
        paths = [one.path for one in holders]
        mend = "name the class there, or leave them out by data.ignore"
        yield Finding("unknown-values", "error", text, mend, each(paths), tuple(paths))


def _value(value: int, masks: list[Seen]) -> str:
    if any(not one.mode.startswith(("gray", "palette")) for one in masks):
        return f"#{value % 256:02x}{value // 256 % 256:02x}{value // 65536:02x}"
    return str(value)


def _one_class(role: str, masks: list[Seen], kept: set[int]) -> Iterator[Finding]:
    if len(kept) < 2:
        text = f"all masks in {role} hold one value alone ({', '.join(map(str, kept)) or 'none'})"
        yield Finding("one-class", "error", text, "look whether these are the right files")
        return
    alone = [one.path for one in masks if len(one.values) == 1]
    if alone:
        level: Level = "warning" if len(alone) > _MANY_EMPTY * len(masks) else "note"
        text = f"{counted(len(alone), 'mask', 'masks')} in {role} hold one class alone"
        yield Finding("empty-masks", level, text, "look whether something was left unmarked", each(alone))


def _only_in_tests(survey: Survey, role: str) -> Iterator[Finding]:
    learnt, asked = set[int](), set[int]()
    for part in survey.layout.parts:
        for one in survey.masks(part, role):
            (asked if part.is_test else learnt).update(one.values)
    if learnt and (new := asked - learnt):
        text = f"values of masks that only tests hold: {', '.join(map(str, sorted(new)[:8]))}"
        yield Finding("only-in-tests", "warning", text, "look whether both parts were marked alike")


def class_faults(survey: Survey) -> Iterator[Finding]:
    """Classes with too few pictures, or unlike in number, or of one part alone."""
    if survey.layout.kind != "classes":
        return
    training = list(survey.training)
    for part in training:
        yield from _numbers(part)
    learnt = {name for part in training for name in part.roles}
    for part in (one for one in survey.layout.parts if one.is_test):
        if apart := sorted(learnt ^ set(part.roles)):
            text = f"classes that {part.name} and training do not share: {', '.join(apart[:8])}"
            yield Finding("only-in-tests", "warning", text, "give both parts the same folders")


def _numbers(part: Part) -> Iterator[Finding]:
    counts = {name: len(paths) for name, paths in part.roles.items()}
    if empty := [name for name, count in counts.items() if not count]:
        text = f"{counted(len(empty), 'class has', 'classes have')} no pictures: {', '.join(empty[:8])}"
        yield Finding("empty-class", "error", text, "add some, or take the folder away")
    few = {name: count for name, count in counts.items() if 0 < count < _FEW_OF_CLASS}
    if few:
        text = f"{counted(len(few), 'class has', 'classes have')} fewer than {_FEW_OF_CLASS} pictures: {_listed(few)}"
        yield Finding("tiny-class", "warning", text, "add some, or join it with another")
    least, most = (choose(counts, key=lambda name: counts[name], default="") for choose in (min, max))
    if counts and counts[least] * _UNBALANCED < counts[most] and least not in few and least not in empty:
        text = f"class {most} has {counts[most]:,} pictures and {least} {counts[least]:,}"
        yield Finding("unbalanced", "warning", text, "add to the rarer, or take of the others")


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in list(counts.items())[:8])


def few_pictures(survey: Survey) -> Iterator[Finding]:
    """A set that is too small to learn from, or empty."""
    role = next((list(part.roles) for part in survey.training), [])
    names = role if survey.layout.kind == "unpaired" else [None]
    for name in names:
        number = sum(len(_of(part, name, survey)) for part in survey.training)
        of = f" of {name}" if name else ""
        if not number:
            text = f"there are no pictures{of} that can be read"
            yield Finding("no-pictures", "error", text, "name the folder that holds them")
        elif number < survey.needs.least_pictures:
            text = f"there {'is' if number == 1 else 'are'} {counted(number, 'picture', 'pictures')}{of} to learn from"
            yield Finding("too-few", "warning", text, "networks learn few pictures by heart; add some")


def _of(part: Part, name: str | None, survey: Survey) -> list[Path]:
    pictures = [one for role in part.roles if name in (None, role) for one in survey.of(part, role)]
    return [one.path for one in pictures]
