"""The work of `limner generate`."""

from pathlib import Path

from limner.arguments import whole_numbers
from limner.cli.commands.generate import Options
from limner.cli.printing import print_json
from limner.cli.work.dry_run import show
from limner.cli.work.one_picture import place_of_one
from limner.files.animation import is_animation_path
from limner.media.names import Naming, model_name
from limner.verbs.generate import check_generated, generate, write_generated


def run(options: Options) -> None:
    """Make the pictures and write the sheet.

    Raises:
        LimnerError: If the output is there already, or the model does not fit.
    """
    target = _target(options)
    if options.dry_run:
        show([(f"{options.count} pictures of {options.model}", target)], as_json=options.as_json)
        return
    made = generate(
        options.model,
        None if options.classes is None else whole_numbers("--classes", options.classes),
        count=options.count,
        seed=options.seed,
        interpolate=options.interpolate,
        arithmetic=options.arithmetic,
        device=options.device,
    )
    columns = options.count if options.interpolate else len(made) if options.arithmetic else None
    target.parent.mkdir(parents=True, exist_ok=True)
    width, height = write_generated(target, made, columns, quality=options.quality, overwrite=options.force)
    if options.as_json:
        facts = {"output": str(target), "width": width, "height": height}
        print_json(facts | {"count": len(made), "model": options.model, "seed": options.seed})
    else:
        print(f"{target}  {width}x{height}, {len(made)} pictures")


def _target(options: Options) -> Path:
    if options.output is not None and is_animation_path(options.output):
        check_generated(options.output, is_way=options.interpolate is not None, overwrite=options.force)
        return Path(options.output)
    name = model_name(options.model)
    naming = Naming(options.name or "{model}_generated", model=name, seed=options.seed)
    return place_of_one(naming.name(name), options, output=options.output)
