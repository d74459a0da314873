"""The work of `limner import`."""

from limner.catalog.models import tasks_of
from limner.cli.commands.import_model import Options
from limner.cli.errors import note
from limner.cli.printing import print_json, print_line
from limner.cli.work.dry_run import show
from limner.files.ordinary import check_ordinary
from limner.verbs.import_model import Imported, check_target, import_model, import_path


def run(options: Options) -> None:
    """Import one model and say what it is.

    Raises:
        LimnerError: If it cannot be.
    """
    target = import_path(options.files[0], options.output)
    check_target(target, options.files, overwrite=options.force)
    for file in options.files:
        check_ordinary(file)
    if options.dry_run:
        show([(str(file), target) for file in options.files], as_json=options.as_json)
        return
    made = import_model(
        *options.files,
        output=target,
        system=options.system,
        settings=options.assignments,
        overwrite=options.force,
    )
    _tell(options, made)


def _tell(options: Options, made: Imported) -> None:
    header = made.header
    if options.as_json:
        print_json(
            {"model": str(made.path), "format": made.format, "notes": list(made.notes), "header": header.model_dump()}
        )
        return
    if header.part:
        use = f"limner train {header.system} --start-from {made.path}"
    else:
        use = " or ".join(dict.fromkeys(f"limner {task.command}" for task in tasks_of(header)))
        use = f"{use} --model {made.path}"
    what = f"{header.part} of {header.system}" if header.part else header.system
    print_line(f"{made.path}  {what}, read as {made.format}, for {use}")
    for text in made.notes:
        note(text)
