"""Write the pages that come from the code: the reference, the systems of the catalog, and the command line.

Run by `make docs`. Everything that it writes is listed in docs/.gitignore.
"""

import ast
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from limner.catalog.entry import Entry, PictureEntry
from limner.catalog.models import ENTRIES
from limner.catalog.optimized import PICTURE_ENTRIES

DOCS = Path(__file__).resolve().parent
PACKAGE = DOCS.parent / "src" / "limner"


def main() -> None:
    """Write all generated pages anew."""
    for folder in ["reference", "systems"]:
        shutil.rmtree(DOCS / folder, ignore_errors=True)
        (DOCS / folder).mkdir()
    write_reference()
    write_systems()
    write_command_line()


def modules() -> Iterator[tuple[str, Path]]:
    """Yield the dotted name and path of every public module that has contents."""
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        if not any(part.startswith("_") for part in parts):
            yield ".".join(parts), path


def summary(path: Path) -> str:
    """Give the first line of a module's docstring."""
    return (ast.get_docstring(ast.parse(path.read_text())) or "").partition("\n")[0]


def write_reference() -> None:
    """Write one page per module; mkdocstrings fills them from the docstrings."""
    lines = ["# Reference", "", "| module | what is there |", "|---|---|"]
    for name, path in modules():
        lines.append(f"| [`{name}`]({name}.md) | {escaped(summary(path))} |")
        write(f"reference/{name}.md", [f"# {name}", "", f"::: {name}"])
    write("reference/index.md", lines)


def write_systems() -> None:
    """Write one page per entry of the catalog: paper, presets, the fields of its config, the cards of its weights."""
    lines = ["# Systems", "", "| system | paper | commands |", "|---|---|---|"]
    entries: tuple[Entry | PictureEntry[Any], ...] = (*ENTRIES, *PICTURE_ENTRIES)
    for entry in entries:
        lines.append(f"| [{entry.title}]({entry.name}.md) | {escaped(entry.paper)} | {commands(entry)} |")
        write(f"systems/{entry.name}.md", system_page(entry))
    write("systems/index.md", lines)


def commands(entry: Entry | PictureEntry[Any]) -> str:
    """The commands that use a system."""
    return ", ".join(f"`limner {task.command}`" for task in entry.tasks)


def system_page(entry: Entry | PictureEntry[Any]) -> Iterator[str]:
    """Yield the lines of one system's page."""
    module = entry.config.__module__
    yield from [f"# {entry.title}", "", f"{entry.paper}. Name: `{entry.name}`. Commands: {commands(entry)}.", ""]
    yield from [f"Code: [`{module}`](../reference/{module}.md).", ""]
    yield from ["## Presets", "", "The first is the default.", "", "| preset | what it is |", "|---|---|"]
    for name, preset in entry.presets.items():
        yield f"| `{name}` | {escaped(preset.summary)} |"
    yield from ["", "## Config", "", "| field | default | meaning |", "|---|---|---|"]
    for field, info in entry.config.model_fields.items():
        default = (
            "required" if info.is_required() else f"`{escaped(repr(info.get_default(call_default_factory=True)))}`"
        )
        yield f"| `{field}` | {default} | {escaped(info.description or '')} |"
    for card in sorted((PACKAGE / "weights").glob("*.toml")):
        values = tomllib.loads(card.read_text())
        if values["system"] == entry.name:
            yield from ["", f"## Weights {card.stem}", "", "| of the card | value |", "|---|---|", *card_rows(values)]


def card_rows(values: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """Yield a table row for each value of a card, however deep."""
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from card_rows(value, f"{prefix}{key}.")
        else:
            yield f"| {prefix}{key} | {escaped(str(value))} |"


def write_command_line() -> None:
    """Write the page of the command line from its own help."""
    typer = [sys.executable, "-m", "typer", "limner.cli.main", "utils", "docs"]
    options = ["--name", "limner", "--title", "Command line"]
    done = subprocess.run([*typer, *options], check=True, stdout=subprocess.PIPE, text=True)
    write("cli.md", done.stdout.splitlines())


def escaped(text: str) -> str:
    """Make text fit for a cell of a table."""
    return text.replace("|", "\\|").replace("\n", " ")


def write(name: str, lines: Iterator[str] | list[str]) -> None:
    """Write one page."""
    (DOCS / name).write_text("\n".join(lines).rstrip() + "\n")


if __name__ == "__main__":
    main()
