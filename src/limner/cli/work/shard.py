"""The work of `limner shard`."""

from limner.cli.commands.shard import Options
from limner.cli.errors import say
from limner.cli.printing import print_json
from limner.cli.progress import StepBar
from limner.runtime.memory import parse_bytes
from limner.verbs.shard import shard


def run(options: Options) -> None:
    """Write the shards, and say how many there are.

    Raises:
        LimnerError: If there are no pictures, or the output is there already.
    """
    size = parse_bytes(options.size, "--size")
    with StepBar() as bar:
        number = shard(
            options.data,
            options.output,
            size=size,
            on_progress=lambda done, total: bar.step(done, total, "files"),
        )
    if options.as_json:
        print_json({"output": str(options.output), "shards": number})
    else:
        say(f"written: {options.output}, {number:,} tar file{'s' * (number != 1)}")
