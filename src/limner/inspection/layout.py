"""How a data set lies in its folder: which files are pictures, which are masks, what belongs together, what is kept."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, TypeAlias

from limner.data.label_maps import LabelMapsConfig
from limner.data.labelled import LabelledConfig
from limner.data.pairs import PairsConfig
from limner.data.segmented import SegmentedConfig
from limner.data.source import DataConfig
from limner.data.unpaired import UnpairedConfig
from limner.errors import LimnerError
from limner.files.image import is_image_path
from limner.files.tree import files_below

Kind: TypeAlias = Literal["photos", "halves", "pairs", "masks", "unpaired", "classes"]

KINDS: dict[Kind, str] = {
    "photos": "pictures alone",
    "halves": "pictures of two halves",
    "pairs": "two folders of pairs",
    "masks": "pictures with masks",
    "unpaired": "two kinds without pairs",
    "classes": "a folder for each class",
}
"""What each kind is called."""

_TRAINING = ("train", "training")
_TEST = ("test", "testing", "val", "valid", "validation", "eval", "dev")
_IMAGES = ("images", "imgs", "image", "photos", "pictures")
_MASKS = ("labels", "masks", "instances", "annotations", "segmentations")
_BESIDE = ("_labels", "_masks", "annot", "_annot", "_label", "_mask")
_PAIRED = (("trainA", "trainB"), ("A", "B"))
_ALIKE = 0.5  # share of names that two folders have in common if they hold pairs
_PASSED_BY = frozenset(
    (
        ".gif", ".heic", ".heif", ".jp2", ".j2k", ".jxl", ".psd", ".xcf", ".svg", ".pdf", ".cr2", ".cr3", ".nef",
        ".arw", ".dng", ".orf", ".rw2", ".raf", ".ico", ".tga", ".ppm", ".pgm", ".pbm", ".pnm", ".exr", ".hdr",
        ".jfif", ".jpe", ".dcm",
    )
)  # fmt: skip


@dataclass(frozen=True)
class Part:
    """One part of a data set: what is trained on, or what is kept for tests.

    Attributes:
        name: Its folder below the data set; empty for the whole.
        folder: What training is given.
        is_test: Whether it is kept for tests.
        roles: Its files by what they are: `pictures`, `masks`, a class, `A`.
        partners: From a picture to what belongs to it in each other role.
        lonely: From a file that has no partner to where this should be, in words.
    """

    name: str
    folder: Path
    is_test: bool
    roles: dict[str, list[Path]]
    partners: dict[Path, list[Path]] = field(default_factory=dict)
    lonely: dict[Path, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Layout:
    """A data set.

    Attributes:
        place: Its folder.
        kind: What it is.
        parts: What is trained on comes first.
        mask_roles: Roles that are masks.
        passed_by: Pictures of formats that training does not read, and links that lead nowhere.
        closed: Folders that may not be read.
    """

    place: Path
    kind: Kind
    parts: tuple[Part, ...]
    mask_roles: frozenset[str]
    passed_by: tuple[Path, ...]
    closed: tuple[Path, ...]


def layout_of(place: Path, data: DataConfig | None = None) -> Layout:
    """How a data set lies.

    Args:
        place: Its folder, with one of training and one of tests in it, or without.
        data: How a system reads it; None guesses by the names of folders.

    Raises:
        LimnerError: If it is no folder.
    """
    if not place.is_dir():
        raise LimnerError(f"{place} is not a folder: name one that holds the pictures of a data set")
    tree = _Tree(place)
    kind = _kind_by(data) if data is not None else _guessed(tree, place)
    found = [_part(tree, child, name, is_test, kind, data) for child, name, is_test in _split(tree, place, kind)]
    roles = {role for part in found for role in part.roles}
    return Layout(
        place,
        kind,
        tuple(sorted(found, key=lambda part: part.is_test)),
        frozenset(roles - {"pictures"}) if kind == "masks" else frozenset(),
        tuple(tree.passed_by),
        tuple(tree.closed),
    )


class _Tree:
    """All files of a folder that are named as pictures, hidden ones excepted."""

    def __init__(self, place: Path) -> None:
        self.passed_by: list[Path] = []
        self.closed: list[Path] = []
        self.pictures: list[Path] = sorted(self._walk(place), key=lambda path: path.parts)
        self._parts = [path.parts for path in self.pictures]

    def _walk(self, place: Path) -> Iterator[Path]:
        for path in files_below(place, self._note):
            if is_image_path(path):
                yield path
            elif path.suffix.lower() in _PASSED_BY:
                self.passed_by.append(path)

    def _note(self, error: OSError) -> None:
        self.closed.append(Path(str(error.filename)))

    def under(self, folder: Path) -> list[Path]:
        """Those of a folder and of all below it."""
        first = bisect_left(self._parts, folder.parts)
        after = bisect_left(self._parts, (*folder.parts[:-1], f"{folder.parts[-1]}\0"))  # no name holds that
        return self.pictures[first:after]

    def children(self, folder: Path) -> list[Path]:
        """Folders right in it that hold pictures."""
        depth = len(folder.parts)
        return sorted({folder / path.parts[depth] for path in self.under(folder) if len(path.parts) > depth + 1})

    def right_in(self, folder: Path) -> list[Path]:
        """Those right in a folder."""
        return [path for path in self.under(folder) if path.parent == folder]


def _kind_by(data: DataConfig) -> Kind:
    """What the data of a system are."""
    match data:
        case PairsConfig(derive=None):
            return "pairs" if data.source in ("A", "B") else "halves"
        case LabelMapsConfig():
            return "halves" if data.label_half else "masks"
        case SegmentedConfig():
            return "masks"
        case UnpairedConfig():
            return "unpaired" if data.layout == "folders" else "halves"
        case LabelledConfig(csv=None):
            return "classes"
    return "photos"


def _guessed(tree: _Tree, place: Path) -> Kind:
    """What names of folders say."""
    children = tree.children(place)
    names = [child.name for child in children]
    if _beside(names):
        return "masks"
    for pair in _PAIRED:
        if set(pair) <= set(names):
            return "pairs" if _share_alike(tree, place / pair[0], place / pair[1]) >= _ALIKE else "unpaired"
    if inner := [child for child in children if child.name.lower() in (*_TRAINING, *_TEST)]:
        return _guessed(tree, min(inner, key=lambda child: child.name.lower() not in _TRAINING))
    if any(name in _IMAGES for name in names):
        return "masks" if len(names) > 1 else "photos"
    return "classes" if len(names) > 1 and not tree.right_in(place) else "photos"


def _beside(names: Sequence[str]) -> dict[str, str]:
    """From folders of pictures to those of their masks beside them: `train` and `train_labels`."""
    return {name: f"{name}{end}" for name in names for end in _BESIDE if f"{name}{end}" in names}


def _share_alike(tree: _Tree, first: Path, second: Path) -> float:
    stems = [{path.stem for path in tree.under(folder)} for folder in (first, second)]
    return len(stems[0] & stems[1]) / max(1, len(stems[0] | stems[1]))


def _split(tree: _Tree, place: Path, kind: Kind) -> list[tuple[Path, str, bool]]:
    """The folders of the parts, their names, and whether they are for tests."""
    children = tree.children(place)
    names = [child.name for child in children]
    if kind == "masks" and (own := _beside(names)):
        return [(place, name, name.lower() in _TEST) for name in own]
    if {"trainA", "trainB"} <= set(names):
        return [(place, one, one in _TEST) for one in ("train", *_TEST) if {f"{one}A", f"{one}B"} <= set(names)]
    known = [child for child in children if child.name.lower() in (*_TRAINING, *_TEST)]
    if not any(child.name.lower() in _TRAINING for child in known):
        return [(place, "", False)]
    return [(child, child.name, child.name.lower() in _TEST) for child in known]


def _part(tree: _Tree, folder: Path, name: str, is_test: bool, kind: Kind, data: DataConfig | None) -> Part:
    """One part, by the kind of the data."""
    if kind in ("photos", "halves"):
        return Part(name, folder, is_test, {"pictures": tree.under(folder)})
    if kind == "classes":
        return Part(name, folder, is_test, {child.name: tree.under(child) for child in _class_folders(folder)})
    folders = _folders(tree, folder, name, kind, data)
    roles = {role: tree.under(one) for role, one in folders.items()}
    if kind == "unpaired":
        return Part(name, folder, is_test, roles)
    return _with_partners(Part(name, folder, is_test, roles), folders)


def _class_folders(folder: Path) -> list[Path]:
    """Folders of classes, those without pictures too."""
    return sorted(one for one in folder.iterdir() if one.is_dir() and not one.name.startswith("."))


def _folders(tree: _Tree, folder: Path, name: str, kind: Kind, data: DataConfig | None) -> dict[str, Path]:
    """The folder of each role, pictures first."""
    names = [child.name for child in tree.children(folder)]
    if kind in ("pairs", "unpaired"):
        return _two_folders(folder, name, names, data)
    if isinstance(data, SegmentedConfig | LabelMapsConfig) and "*" not in data.images:
        masks = data.masks or next((one for one in _MASKS if (folder / one).is_dir()), "masks")
        return {"pictures": folder / data.images, masks.rstrip("/"): folder / masks}
    if name and (beside := _beside(names).get(name)):
        return {"pictures": folder / name, "masks": folder / beside}
    pictures = next((one for one in names if one.lower() in _IMAGES), names[0] if names else "images")
    return {"pictures": folder / pictures, **{one: folder / one for one in names if one != pictures}}


def _two_folders(folder: Path, name: str, names: Sequence[str], data: DataConfig | None) -> dict[str, Path]:
    """Of A and of B."""
    if isinstance(data, PairsConfig):
        return {role: folder / role for role in (("B", "A") if data.source == "B" else ("A", "B"))}
    if isinstance(data, UnpairedConfig) and data.a is not None and data.b is not None:
        return {"A": folder / data.a, "B": folder / data.b}
    if f"{name}A" in names:
        return {"A": folder / f"{name}A", "B": folder / f"{name}B"}
    first, second = ("A", "B") if {"A", "B"} <= set(names) else (*names, "A", "B")[:2]
    return {first: folder / first, second: folder / second}


def _with_partners(part: Part, folders: dict[str, Path]) -> Part:
    """The same with what belongs together by its name, and what has none to belong to."""
    first, *others = folders
    by_name = {role: _by_name(part.roles[role], folder) for role, folder in folders.items()}
    partners: defaultdict[Path, list[Path]] = defaultdict(list)
    lonely: dict[Path, str] = {}
    for role in (one for one in others if part.roles[one] or not part.is_test):
        for name, paths in by_name[first].items():
            found = by_name[role].get(name, [])
            for path in paths:
                partners[path] += found
                if not found:
                    lonely[path] = f"{folders[role].name}/{name}.*"
        for name, paths in by_name[role].items():
            if name not in by_name[first]:
                lonely |= dict.fromkeys(paths, f"{folders[first].name}/{name}.*")
    return replace(part, partners=dict(partners), lonely=lonely)


def _by_name(paths: Sequence[Path], folder: Path) -> dict[str, list[Path]]:
    found: defaultdict[str, list[Path]] = defaultdict(list)
    for path in paths:
        found[path.relative_to(folder).with_suffix("").as_posix()].append(path)
    return dict(found)
