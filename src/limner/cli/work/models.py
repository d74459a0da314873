"""The work of `limner models`."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from limner.catalog.entry import Entry, PictureEntry
from limner.catalog.models import ENTRIES, check_task, weights_path
from limner.catalog.optimized import PICTURE_ENTRIES
from limner.cli.commands.models import Options
from limner.cli.printing import mebibytes, print_json, print_line
from limner.cli.work.embedded import embedded_models, pulled_models
from limner.cli.work.gallery import gallery_page
from limner.data.label_colors import palette_of
from limner.errors import LimnerError
from limner.files.atomic import atomic_path, check_place
from limner.files.gimp_palette import gimp_palette
from limner.files.weights import read_header
from limner.media.names import model_name

EVERY: tuple[Entry | PictureEntry[Any], ...] = (*ENTRIES, *PICTURE_ENTRIES)


def run(options: Options) -> None:
    """Print what is there: a line for each model, or all of each system; or write a model's palette, or a page of all.

    Raises:
        LimnerError: If the model has none, or the file is there already.
    """
    if options.gallery and options.palette is not None:
        raise LimnerError("--gallery and --palette are two files: ask for one of them")
    if options.gallery:
        _write_gallery(options, options.output or Path("gallery.html"))
        return
    if options.palette is not None:
        _write_palette(options, options.palette)
        return
    if options.output is not None:
        raise LimnerError("--output is for --palette and --gallery: leave it out, or pass one of them")
    weights = [*embedded_models(), *pulled_models()]
    described = [
        {
            "name": entry.name,
            "title": entry.title,
            "paper": entry.paper,
            "verbs": [task.command for task in entry.tasks],
            "presets": {name: preset.summary for name, preset in entry.presets.items()},
            "steps": {name: preset.fit.steps for name, preset in entry.presets.items()}
            if isinstance(entry, Entry)
            else None,
            "weights": [model for model in weights if model["system"] == entry.name]
            if isinstance(entry, Entry)
            else None,
        }
        for entry in EVERY
    ]
    if options.as_json:
        print_json(described)
    elif options.long:
        for system in described:
            _print(system)
    else:
        print("\n".join(short_lines(described)))


def _write_gallery(options: Options, place: Path) -> None:
    check_place(place, overwrite=options.force)
    with atomic_path(place) as temporary:
        temporary.write_text(gallery_page(EVERY), encoding="utf-8")
    if options.as_json:
        print_json({"gallery": str(place), "systems": [entry.name for entry in EVERY]})
    else:
        print_line(f"{place}  {len(EVERY)} systems")


def _write_palette(options: Options, model: str) -> None:
    header = read_header(weights_path(model))
    check_task(model, header)
    classes = palette_of(header.config)
    if not classes:
        raise LimnerError(
            f"{model} knows no classes, and so has no palette: name one that takes or gives label pictures"
        )
    text = gimp_palette(model_name(model), {one.name: one.color for one in classes})
    if options.output is None:
        sys.stdout.write(text)
        return
    check_place(options.output, overwrite=options.force)
    with atomic_path(options.output) as temporary:
        temporary.write_text(text, encoding="utf-8")
    print_line(f"{options.output}  {len(classes)} colours")


def short_lines(described: list[dict[str, Any]]) -> Iterator[str]:
    """One line for each model that is here, then the systems to be trained, then those that need no training."""
    rows = [
        (model["name"], f"limner {' or '.join(dict.fromkeys(system['verbs']))}", model["headline"].partition(";")[0])
        for system in described
        for model in system["weights"] or ()
    ]
    name, verb = (max(len(row[column]) for row in rows) for column in (0, 1))
    for model, command, figures in rows:
        yield f"{model:{name}}  {command:{verb}}  {_first(figures)}".rstrip()
    yield f"to train: {', '.join(system['name'] for system in described if system['weights'] is not None)}"
    yield f"need no training: {', '.join(system['name'] for system in described if system['weights'] is None)}"
    yield "limner models --long tells presets, papers, licences and all figures"


def _first(figures: str) -> str:
    """As much as a line has place for.

    >>> _first("Set5 x2 36.00 dB (bicubic 33.00), Set5 x3 32.00 dB (bicubic 30.00)")
    'Set5 x2 36.00 dB (bicubic 33.00)'
    """
    return figures.split(", ")[0]


def _print(system: dict[str, Any]) -> None:
    print(f"{system['name']}: {system['title']}, {system['paper']}")
    print(f"  does      {', '.join(system['verbs'])}")
    for number, (name, summary) in enumerate(system["presets"].items()):
        steps = f", {system['steps'][name]:,} steps" if system["steps"] else ""
        print(f"  preset    {name}{' (default)' if number == 0 else ''}: {summary}{steps}")
    if system["weights"] is None:
        print("  weights   none needed: it optimises one picture")
        return
    for model in system["weights"]:
        print(f"  weights   {model['name']}: {mebibytes(model['bytes'])}, {model['licence'] or 'no licence named'}")
        if model["headline"]:
            print(f"            {model['headline']}")
    if not system["weights"]:
        print(f"  weights   none built in: limner train {system['name']} --data FOLDER")
