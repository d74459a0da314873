"""The work of `limner models pull` and `limner models push`."""

from pathlib import Path

from limner.catalog.models import tasks_of
from limner.cli.commands.models import PullOptions, PushOptions
from limner.cli.errors import note
from limner.cli.printing import print_json, print_line
from limner.cli.work.dry_run import show
from limner.files.weights import read_header
from limner.verbs.pull import check_output, planned, pull
from limner.verbs.push import check_push, push


def pull_model(options: PullOptions) -> None:
    """Pull one model and say what it is for.

    Raises:
        LimnerError: If it cannot be.
    """
    if options.dry_run:
        target = None if options.output is None else check_output(options.output, overwrite=options.force)
        source, place = planned(options.name)
        show([(source, target or place)], as_json=options.as_json)
        return
    made = pull(options.name, options.output, overwrite=options.force)
    if made.note:
        note(made.note)
    header = read_header(made.path)
    if options.as_json:
        print_json({**made._asdict(), "header": header.model_dump()})
        return
    commands = " or ".join(dict.fromkeys(f"limner {task.command}" for task in tasks_of(header)))
    print_line(f"{made.path}  {header.system}, commit {made.revision}, for {commands} --model {made.repository}")


def push_model(options: PushOptions) -> None:
    """Push one model and print the address of its page.

    Raises:
        LimnerError: If it cannot be.
    """
    if options.dry_run:
        files = check_push(options.file, options.repository)
        made = [
            (str(one) if isinstance(one, Path) else "the header and the card", Path(options.repository) / name)
            for name, one in files.items()
        ]
        show(made, as_json=options.as_json)
        return
    pushed = push(options.file, options.repository, overwrite=options.force)
    if options.as_json:
        print_json(pushed._asdict())
    else:
        print_line(f"{pushed.url}  commit {pushed.revision}: {', '.join(pushed.files)}")
