"""What is said of a data set, and all that is known of it to say it from."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from limner.inspection.layout import Layout, Part
from limner.inspection.seen import Seen

Level: TypeAlias = Literal["error", "warning", "note"]
"""Training refuses; it goes on and is worth less; it is worth knowing."""

LEVELS: tuple[Level, ...] = ("error", "warning", "note")


@dataclass(frozen=True)
class Finding:
    """One kind of fault, and the files that have it.

    Attributes:
        kind: Its name, for programs.
        level: How bad it is.
        text: What is so, on one line.
        mend: What to do.
        groups: The files: each for itself, or those that are alike together.
        left_out: Files that a cleaned copy does not have.
    """

    kind: str
    level: Level
    text: str
    mend: str
    groups: tuple[tuple[Path, ...], ...] = ()
    left_out: tuple[Path, ...] = ()

    @property
    def line(self) -> str:
        """All of it on one line."""
        return f"{self.text}: {self.mend}"


@dataclass(frozen=True)
class Needs:
    """What a system asks of data.

    Attributes:
        least_side: Pixels of the shorter side below which pictures are enlarged, or refused.
        least_pictures: Of training.
        meaning: Of masks: `values`, `colors` or `instances`; empty where no system says.
        held_out: Pictures that training keeps for measuring.
        values: That masks may have, where a file names the classes; a colour is red + 256 green + 65536 blue.
    """

    least_side: int = 16
    least_pictures: int = 16
    meaning: str = ""
    held_out: frozenset[Path] = frozenset()
    values: frozenset[int] | None = None


@dataclass(frozen=True)
class Survey:
    """A data set that has been looked at."""

    layout: Layout
    seen: Mapping[Path, Seen]
    needs: Needs = field(default_factory=Needs)

    @property
    def training(self) -> Iterator[Part]:
        """The parts that are trained on."""
        return (part for part in self.layout.parts if not part.is_test)

    def pictures(self, *parts: Part) -> list[Seen]:
        """The readable pictures that are no masks, of some parts or of all."""
        return [one for part in parts or self.layout.parts for role in part.roles for one in self.of(part, role)]

    def of(self, part: Part, role: str) -> list[Seen]:
        """The readable pictures of a role; none of masks."""
        return [] if role in self.layout.mask_roles else self.readable(part.roles[role])

    def masks(self, part: Part, role: str) -> list[Seen]:
        """The readable masks of a role."""
        return self.readable(part.roles.get(role, [])) if role in self.layout.mask_roles else []

    def readable(self, paths: Iterable[Path]) -> list[Seen]:
        """What of some files can be read."""
        return [self.seen[path] for path in paths if not self.seen[path].fault]


def counted(number: int, one: str, many: str) -> str:
    """A number with its noun.

    >>> counted(1, "picture is", "pictures are"), counted(2, "picture is", "pictures are")
    ('1 picture is', '2 pictures are')
    """
    return f"{number:,} {one if number == 1 else many}"


def agreeing(mend: str, number: int) -> str:
    """What to do with files, of one of them where there is one.

    >>> agreeing("get them once more, or take them away", 1)
    'get it once more, or take it away'
    """
    return re.sub(r"\bthey are\b", "it is", re.sub(r"\bthem\b", "it", mend)) if number == 1 else mend


def each(paths: Iterable[Path]) -> tuple[tuple[Path, ...], ...]:
    """Files that have a fault each for itself."""
    return tuple((path,) for path in paths)


def first_names(place: Path, paths: Sequence[Path], most: int = 3) -> str:
    """The first few below a folder, and how many more there are."""
    names = [path.relative_to(place).as_posix() if place in path.parents else str(path) for path in paths[:most]]
    return ", ".join(names) + (f" and {len(paths) - most:,} more" if len(paths) > most else "")
