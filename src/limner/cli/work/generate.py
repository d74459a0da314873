"""The work of `limner generate`."""

import re
from pathlib import Path

from limner.arguments import whole_numbers
from limner.catalog.models import check_model
from limner.cli.commands.generate import Options
from limner.cli.printing import print_json, print_line
from limner.cli.work.dry_run import show
from limner.cli.work.one_picture import place_of_one
from limner.errors import LimnerError
from limner.files.animation import is_animation_path
from limner.media.names import Naming, model_name
from limner.media.outputs import refuse_existing
from limner.tasks.generate import GENERATE
from limner.verbs.generate import generate, write_made
from limner.verbs.views import parse_transform, parse_view

_USUAL_FRAMES = 16


def run(options: Options) -> None:
    """Make the pictures and write the sheet.

    Raises:
        LimnerError: If the output is there already, or the model does not fit.
    """
    if options.morph and options.classes:
        raise LimnerError("--morph names both objects, got --class too: leave one of them out")
    views = [parse_view(text) for text in options.views] or None
    transform = parse_transform(options.transforms) or None
    target = _target(options)
    if options.dry_run:
        check_model(options.model, GENERATE)
        show([(f"{options.count} pictures of {options.model}", target)], as_json=options.as_json)
        return
    made = generate(
        options.model,
        options.morph or _classes(options.classes) or None,
        count=options.count,
        seed=options.seed,
        views=views,
        transform=transform,
        frames=options.frames or (_USUAL_FRAMES if options.morph or options.interpolate else None),
        interpolate=options.interpolate,
        arithmetic=options.arithmetic,
        project=options.project or None,
        device=options.device,
    )
    target.parent.mkdir(parents=True, exist_ok=True)
    columns = _columns(options, len(made))
    width, height = write_made(target, made, columns, quality=options.quality, overwrite=options.force)
    if options.as_json:
        facts = {"output": str(target), "width": width, "height": height}
        print_json(facts | {"count": len(made), "model": options.model, "seed": options.seed})
    else:
        print_line(f"{target}  {width}x{height}, {len(made)} pictures")


def _columns(options: Options, count: int) -> int | None:
    """Of the sheet: a way or a sum is a row, a photo stands beside its projection."""
    if options.interpolate:
        return options.frames or _USUAL_FRAMES
    if options.project:
        return 2
    return count if options.arithmetic else None


def _classes(words: list[str]) -> list[str]:
    """Spans and lists as their numbers; all else as it is written."""
    numbers = re.compile(r"[\d\s,-]+")
    return [
        one
        for word in words
        for one in (map(str, whole_numbers("--classes", word)) if numbers.fullmatch(word) else [word])
    ]


def _target(options: Options) -> Path:
    """Where the result goes.

    Raises:
        LimnerError: If it is there already, or cannot be written.
    """
    if options.output and is_animation_path(options.output):
        if not options.force:
            refuse_existing(Path(options.output))
        return Path(options.output)
    name = model_name(options.model)
    naming = Naming(options.name or "{model}_generated", model=name, seed=options.seed)
    return place_of_one(naming.name(name), options, output=options.output)
