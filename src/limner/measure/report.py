"""What is measured, of whatever task: rows of named figures, from which tables, JSON and cards are made."""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Self

from limner.processor import Machine

Metrics = dict[str, dict[str, dict[str, float]]]
"""Of a card: the name of a table -> a case -> named figures."""


@dataclass(frozen=True)
class Row:
    """The figures of one method in one case."""

    case: str
    """Such as "Set5 x2", or the name of a style."""
    method: str
    figures: Mapping[str, float]
    """By name, such as `psnr`; what was not measured or not published is left out."""
    facts: Mapping[str, str | int] = field(default_factory=dict)
    """What a case is made of, such as `benchmark`, `scale` and `num_images`."""
    note: str = ""


@dataclass(frozen=True)
class Column:
    """Of a table in Markdown."""

    heading: str
    cell: Callable[[Row], str]
    is_optional: bool = False
    """Whether it is left out where all its cells are empty."""


def figure(heading: str, name: str, form: str, *, is_optional: bool = False) -> Column:
    """A column of one figure, empty where a row lacks it.

    >>> figure("PSNR (dB)", "psnr", ".1f").cell(Row("Set5 x2", "VDSR", {"psnr": 37.53}))
    '37.5'
    """
    return Column(heading, lambda row: format(row.figures[name], form) if name in row.figures else "", is_optional)


def difference(heading: str, name: str, other: str, form: str) -> Column:
    """A column of how much larger one figure is than another, empty where a row lacks one of them."""

    def cell(row: Row) -> str:
        known = name in row.figures and other in row.figures
        return format(row.figures[name] - row.figures[other], form) if known else ""

    return Column(heading, cell)


CASE = Column("case", lambda row: row.case)
METHOD = Column("method", lambda row: row.method)
NOTE = Column("note", lambda row: row.note)


@dataclass(frozen=True)
class Table:
    """Rows that were measured in one way."""

    name: str
    """Of the protocol; the card keeps its figures under it."""
    description: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    in_card: Mapping[str, str] = field(default_factory=dict)
    """Which figures of a model the card keeps, with the format that rounds them; none: this table is not in the card.
    Those of a baseline are kept beside them, as `<method>_<figure>`."""
    baseline: str | None = None
    """A method among the rows that is no model."""
    of_baseline: tuple[str, ...] = ()
    """Which figures of the baseline the card keeps."""

    def markdown(self) -> list[str]:
        """The lines of the table."""
        columns = [one for one in self.columns if not one.is_optional or any(map(one.cell, self.rows))]
        headings = [one.heading for one in columns]
        rows = [[one.cell(row) for one in columns] for row in self.rows]
        return [_line(headings), "|" + "---|" * len(headings), *map(_line, rows)]

    def card_figures(self) -> dict[str, dict[str, float]]:
        """What the card of the one model among the rows keeps: case -> figures."""
        kept: dict[str, dict[str, float]] = {}
        baselines = {row.case: row.figures for row in self.rows if row.method == self.baseline}
        for row in self.rows if self.in_card else ():
            if row.method == self.baseline:
                continue
            figures = {name: row.figures[name] for name in self.in_card if name in row.figures}
            of = baselines.get(row.case, {})
            figures |= {f"{self.baseline}_{name}": of[name] for name in self.of_baseline if name in of}
            kept[row.case] = {name: self._rounded(name, value) for name, value in figures.items()}
        return kept

    def _rounded(self, name: str, value: float) -> float:
        return float(format(value, self.in_card[name.removeprefix(f"{self.baseline}_")]))


@dataclass(frozen=True)
class Method:
    """A model as the head of the report names it."""

    name: str
    precision: str = "float32"
    weights_hash: str | None = None


@dataclass(frozen=True)
class Report:
    """Figures with all that is needed to read them rightly."""

    title: str
    machine: Machine
    methods: tuple[Method, ...]
    tables: tuple[Table, ...]
    summary: str = ""

    @classmethod
    def here(cls, title: str, *tables: Table, summary: str = "") -> Self:
        """What was measured on this machine, of networks that the tables name."""
        return cls(title, Machine.here(), (), tables, summary)

    @property
    def rows(self) -> tuple[Row, ...]:
        """Of all tables."""
        return tuple(row for table in self.tables for row in table.rows)

    @property
    def metrics(self) -> Metrics:
        """What the card of the one model keeps."""
        found = {table.name: table.card_figures() for table in self.tables}
        return {name: figures for name, figures in found.items() if figures}

    def to_markdown(self) -> str:
        """The head, then the tables."""
        machine = self.machine
        lines = [
            f"# {self.title}",
            "",
            f"- date: {machine.date}",
            f"- processor: {machine.hardware}",
            f"- torch: {machine.torch}",
        ]
        for method in self.methods:
            weights = f", weights {method.weights_hash}" if method.weights_hash else ""
            lines.append(f"- {_cell(method.name)}: {method.precision}{weights}")
        for table in self.tables:
            lines += ["", f"## {table.name}", "", table.description, "", *table.markdown()]
        lines += ["", self.summary] if self.summary else []
        return "\n".join(lines) + "\n"

    def to_json(self) -> str:
        """The same as JSON. JSON has no infinity: the PSNR of pictures that are equal is the string "inf"."""
        stated = {
            "title": self.title,
            "machine": asdict(self.machine),
            "protocols": [{"name": table.name, "description": table.description} for table in self.tables],
            "methods": [asdict(method) for method in self.methods],
            "rows": [
                {"protocol": table.name, "case": row.case, "method": row.method, **row.facts, **row.figures}
                | {"note": row.note}
                for table in self.tables
                for row in table.rows
            ],
        }
        return json.dumps(_finite(stated), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(_cell(cell) for cell in cells) + " |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _finite(value: object) -> object:
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
