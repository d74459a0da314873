"""Write the pages of the site into build/docs: those of docs/, the changelog, and those that come from the code.

From the code come the reference of the public names, the systems of the catalog, and the command line. Run by
`make docs`, which has zensical build the site from these pages, `docs/site_search.py` let it be searched without a
server, and `docs/site_links.py` follow every link of it.
"""

import ast
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from staging import AT_THE_TOP, DOCS, PAGES, ROOT, place, source_link, stage, write

import limner
from limner.catalog.entry import Entry, PictureEntry
from limner.catalog.models import ENTRIES, embedded, tasks_of
from limner.catalog.optimized import PICTURE_ENTRIES
from limner.cli.work.gallery import commands_of, picture_of_system
from limner.files.weights import read_header

PACKAGE = ROOT / "src" / "limner"
PARTS: dict[str, tuple[str, ...]] = {
    "limner.verbs.run": ("ExportedModel",),
    "limner.runtime.runner": ("Runner",),
    "limner.runtime.memory": ("parse_bytes",),
    "limner.loops.optimize": ("optimize", "OptimizeConfig", "Optimized", "RunControl"),
    "limner.loops.pictures": ("Pixels", "NetworkPrior"),
    "limner.systems.optimize.deep_image_prior": ("restore", "denoising", "inpainting", "super_resolution"),
    "limner.loops.fit": ("fit", "FitConfig", "FitResult"),
    "limner.loops.system": ("System",),
    "limner.types": ("Turn", "Progress"),
    "limner.ports": ("Port",),
    "limner.config": ("Config",),
    "limner.tasks.task": ("Task",),
    "limner.catalog.entry": ("Entry", "PictureEntry", "Preset"),
    "limner.training.recipe": ("make",),
    "limner.metrics.quality": ("psnr", "ssim"),
    "limner.metrics.vgg_distance": ("vgg_distance",),
    "limner.metrics.style_distance": ("style_distance",),
}
"""What the guide, and what it says of adding a system, takes from below the top of the package."""


class PublicName(NamedTuple):
    """A name of the reference.

    Attributes:
        name: As it is imported, `limner.upscale`.
        home: The module that defines it.
    """

    name: str
    home: str

    @property
    def short(self) -> str:
        """Without the module."""
        return self.name.rpartition(".")[2]

    @property
    def file(self) -> Path:
        """Where it is defined."""
        return Path(str(import_module(self.home).__file__))

    @property
    def definition(self) -> ast.FunctionDef | ast.ClassDef:
        """How it is defined."""
        tree = ast.parse(self.file.read_text(encoding="utf-8"))
        (found,) = (
            node for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == self.short
        )
        return found


def main() -> None:
    """Write all pages anew."""
    shutil.rmtree(PAGES, ignore_errors=True)
    stage([*DOCS.glob("*.md"), *(ROOT / name for name in AT_THE_TOP if name != "README.md")])
    write_reference()
    write_systems()
    write_command_line()


def public_names() -> list[PublicName]:
    """What `import limner` gives."""
    values = {name: getattr(limner, name) for name in limner.__all__}
    return [
        PublicName(f"limner.{name}", value.__module__) for name, value in values.items() if not isinstance(value, str)
    ]


def part_names() -> list[PublicName]:
    """What is below it and documented."""
    return [PublicName(f"{module}.{name}", module) for module, names in PARTS.items() for name in names]


def write_reference() -> None:
    """Write one page a public name, which mkdocstrings fills from its docstring, and two tables of them."""
    lines = ["# Reference", "", "What `import limner` gives; each page links to its code.", "", *table(public_names())]
    lines += [
        "",
        "## Parts",
        "",
        "What the guide takes from below: to run, optimise, train and add systems by hand.",
        "",
    ]
    write("reference/index.md", "\n".join([*lines, *table(part_names())]))
    for one in [*public_names(), *part_names()]:
        write(f"reference/{one.name}.md", "\n".join(reference_page(one)))


def table(names: list[PublicName]) -> Iterator[str]:
    """A row a name."""
    yield from ["| name | what it is |", "|---|---|"]
    for one in names:
        summary = (ast.get_docstring(one.definition) or "").partition("\n\n")[0]
        yield f"| [`{one.name}`]({one.name}.md) | {escaped(summary)} |"


def reference_page(one: PublicName) -> Iterator[str]:
    """Yield the lines of one name's page."""
    line, name = one.definition.lineno, one.file.relative_to(ROOT).as_posix()
    link = source_link(f"reference/{one.name}.md", one.file, line)
    stage([one.file])
    yield from [f"# {one.name}", "", f"Code: [{name}, line {line}]({link}).", "", f"::: {one.home}.{one.short}"]


def write_systems() -> None:
    """Write one page per entry of the catalog.

    It has the paper, a picture, commands, presets, the fields of its config, and the cards of its weights.
    """
    lines = ["# Systems", "", "| system | paper | commands |", "|---|---|---|"]
    entries: tuple[Entry | PictureEntry[Any], ...] = (*ENTRIES, *PICTURE_ENTRIES)
    for entry in entries:
        lines.append(f"| [{entry.title}]({entry.name}.md) | {escaped(entry.paper)} | {commands(entry)} |")
        write(f"systems/{entry.name}.md", "\n".join(system_page(entry)))
    write("systems/index.md", "\n".join(lines))


def commands(entry: Entry | PictureEntry[Any]) -> str:
    """The commands that use a system."""
    return ", ".join(f"`limner {task.command}`" for task in entry.tasks)


def system_page(entry: Entry | PictureEntry[Any]) -> Iterator[str]:
    """Yield the lines of one system's page."""
    code = Path(str(import_module(entry.config.__module__).__file__))
    stage([code])
    link = Path(os.path.relpath(place(code), "systems")).as_posix()
    yield from [f"# {entry.title}", "", f"{entry.paper}. Name: `{entry.name}`. Commands: {commands(entry)}.", ""]
    yield from [f"Code: [{code.relative_to(ROOT).as_posix()}]({link}).", ""]
    if picture := picture_of_system(entry.name):
        stage([picture])
        shown = Path(os.path.relpath(place(picture), "systems")).as_posix()
        yield from [f"![What {entry.title} does]({shown})", ""]
    headers = {name: read_header(path) for name, path in embedded().items()}
    hints = [tasks_of(one)[0].hint(name) for name, one in headers.items() if one.system == entry.name]
    yield from ["```sh", *hints, *commands_of(entry), "```", ""]
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
        values = tomllib.loads(card.read_text(encoding="utf-8"))
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
    write("cli.md", done.stdout)


def escaped(text: str) -> str:
    """Make text fit for a cell of a table."""
    return text.replace("|", "\\|").replace("\n", " ")


if __name__ == "__main__":
    main()
