"""What was found in a data set, for people and for programs."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

from limner.files.atomic import atomic_path, check_place
from limner.inspection.finding import Finding, Survey, counted
from limner.inspection.layout import KINDS
from limner.media.pages import page_of, thumbnail

_TEMPLATE = Path(__file__).with_name("report.html")
_SIDE = 232  # pixels of a thumbnail: twice what it is shown with
_GROUPS, _OF_GROUP, _SAMPLES = 10, 4, 18
_ROWS = 12  # of a table


@dataclass(frozen=True)
class Inspection:
    """What was found in a data set.

    Attributes:
        survey: All files.
        findings: What is worth saying, the worst first.
        system: What it was looked at for; empty for nothing of its own.
        trial: What training will do with it, as names and words; empty where that was not tried.
    """

    survey: Survey
    findings: Sequence[Finding]
    system: str = ""
    trial: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_sound(self) -> bool:
        """Whether training would refuse nothing."""
        return all(one.level != "error" for one in self.findings)

    @property
    def verdict(self) -> str:
        """All in a line."""
        counts = Counter(one.level for one in self.findings)
        told = [counted(counts[level], level, f"{level}s") for level in ("error", "warning", "note") if counts[level]]
        return ", ".join(told) or "nothing is wrong"

    def as_json(self) -> dict[str, Any]:
        """All of it, as JSON can hold it."""
        layout = self.survey.layout
        return {
            "data": str(layout.place),
            "kind": layout.kind,
            "system": self.system or None,
            "sound": self.is_sound,
            "parts": [
                {"name": part.name, "is_test": part.is_test, "files": {one: len(of) for one, of in part.roles.items()}}
                for part in layout.parts
            ],
            "findings": [
                {
                    "kind": one.kind, "level": one.level, "text": one.text, "mend": one.mend,
                    "files": [[str(path) for path in group] for group in one.groups],
                }
                for one in self.findings
            ],
            "tables": {title: dict(counts.most_common()) for title, counts in _counts(self.survey).items()},
            "training": dict(self.trial) or None,
        }  # fmt: skip

    def html(self) -> str:
        """All of it as one page, with small pictures in it."""
        layout, level = self.survey.layout, self.findings[0].level if self.findings else "well"
        return page_of(
            _TEMPLATE,
            {
                "name": layout.place.name or str(layout.place),
                "place": str(layout.place),
                "kind": KINDS[layout.kind],
                "system": self.system,
                "verdict": f"{self.verdict}.".capitalize(),
                "verdict_level": level,
                "facts": list(_facts(self.survey)),
                "findings": [_shown(self.survey, one) for one in self.findings],
                "trial": [(name.replace("_", " "), value) for name, value in self.trial.items()],
                "tables": [(title, _rows(counts)) for title, counts in _counts(self.survey).items() if counts],
                "samples": [_figures(self.survey, group) for group in _samples(self.survey)],
            },
        )

    def write_html(self, path: Path, *, overwrite: bool = False) -> None:
        """Write the page.

        Raises:
            LimnerError: If the file is there already or cannot be.
        """
        check_place(path, overwrite=overwrite)
        with atomic_path(path) as temporary:
            temporary.write_text(self.html(), encoding="utf-8", errors="replace")


def _facts(survey: Survey) -> Iterator[tuple[str, str]]:
    for part in survey.layout.parts:
        name = part.name or "all"
        for role, paths in (
            part.roles.items() if len(part.roles) <= _OF_GROUP else [("pictures", survey.pictures(part))]
        ):
            yield f"{len(paths):,}", f"{role} of {name}"
    size = sum(one.size for one in survey.seen.values())
    yield f"{size / 2**20:,.1f} MiB", "of files"


def _counts(survey: Survey) -> dict[str, Counter[str]]:
    """Tables of what there is, by their titles."""
    pictures = survey.pictures()
    found = {
        "Sides": Counter(f"{one.width} x {one.height}" for one in pictures),
        "Channels": Counter(one.channels for one in pictures),
        "Formats": Counter(f"{one.format}, {one.bit_depth} bit" for one in pictures),
        "Colour profiles": Counter(one.profile or "none: taken as sRGB" for one in pictures if one.is_read),
    }
    if survey.layout.kind == "classes":
        found["Classes"] = Counter({
            f"{part.name}/{name}".lstrip("/"): len(paths)
            for part in survey.layout.parts
            for name, paths in part.roles.items()
        })  # fmt: skip
    for role in sorted(survey.layout.mask_roles):
        values = Counter[str]()
        for one in chain.from_iterable(survey.masks(part, role) for part in survey.layout.parts):
            values.update({f"value {value}": count for value, count in one.values.items()})
        found[f"Pixels of {role}"] = values if len(values) <= 4 * _ROWS else Counter()
    return found


def _rows(counts: Counter[str]) -> list[tuple[str, str, float]]:
    most, total = max(counts.values()), counts.total()
    rows = [(name, count) for name, count in counts.most_common(_ROWS)]
    if rest := total - sum(count for _, count in rows):
        rows.append((f"{len(counts) - _ROWS:,} others", rest))
    return [(name, f"{count:,}", round(100 * count / max(most, rest), 1)) for name, count in rows]


def _shown(survey: Survey, one: Finding) -> dict[str, Any]:
    more = len(one.groups) - _GROUPS
    return {
        "kind": one.kind, "level": one.level, "text": one.text, "mend": one.mend,
        "more": f"{more:,}" if more > 0 else "",
        "groups": [_figures(survey, group[:_OF_GROUP]) for group in one.groups[:_GROUPS]],
    }  # fmt: skip


def _figures(survey: Survey, paths: Iterable[Path]) -> list[dict[str, Any]]:
    return [_figure(survey, path) for path in paths]


def _figure(survey: Survey, path: Path) -> dict[str, Any]:
    seen, place = survey.seen.get(path), survey.layout.place
    is_mask = bool(seen and (seen.values or seen.many_values))
    return {
        "name": path.relative_to(place).as_posix() if place in path.parents else str(path),
        "image": thumbnail(path, _SIDE, is_mask=is_mask) if seen and not seen.fault else None,
        "fact": (seen.reason[:80] or f"{seen.width} x {seen.height}") if seen else "",
    }


def _samples(survey: Survey) -> list[list[Path]]:
    """Pictures from evenly everywhere, with what belongs to each."""
    good = [one.path for one in survey.pictures()]
    chosen = good[:: max(1, len(good) // _SAMPLES)][:_SAMPLES]
    partners = {path: others for part in survey.layout.parts for path, others in part.partners.items()}
    main = [path for path in chosen if path in partners] if partners else chosen
    groups = [[path, *partners.get(path, [])][:_OF_GROUP] for path in main]
    return [group for group in groups if not any(survey.seen[path].fault for path in group)]
