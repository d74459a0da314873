"""The work of `limner watch`."""

import time
from collections.abc import Iterator

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from limner.cli.commands.watch import Options
from limner.cli.errors import note, say
from limner.cli.printing import one_line, print_json
from limner.errors import LimnerError
from limner.training.board import Board, Curve, board_of
from limner.training.board_page import duration, state_text, write_page

PAGE_FILE = "watch.html"

_BARS = "▁▂▃▄▅▆▇█"
_WIDTH = 32  # of a curve, in letters
_PAGE_EVERY = 30.0  # seconds between two pages


def run(options: Options) -> None:
    """Show a run until it ends, or once.

    Raises:
        LimnerError: If the folder holds no run, or the page cannot be written where it is asked for.
    """
    board = board_of(options.run)
    if options.as_json:
        print_json(board.as_json())
    _write(options, board)
    console = Console()
    if options.as_json:
        return
    if options.once or not console.is_terminal or board.state in ("finished", "stopped"):
        console.print(shown(board), soft_wrap=True)
        return
    _follow(options, console, board)


def _follow(options: Options, console: Console, board: Board) -> None:
    """Show it again and again."""
    written = time.monotonic()
    with Live(shown(board), console=console, auto_refresh=False) as live:
        while board.state in ("running", "begun"):
            time.sleep(options.every)
            board = board_of(options.run)
            live.update(shown(board), refresh=True)
            if time.monotonic() - written > _PAGE_EVERY:
                _write(options, board)
                written = time.monotonic()
    _write(options, board)


def _write(options: Options, board: Board) -> None:
    """Write the page; where none was asked for, a folder that may not be written to is no error."""
    path = options.output or options.run / PAGE_FILE
    try:
        write_page(board, path)
    except (LimnerError, OSError) as error:
        if options.output is not None:
            raise
        note(f"no page: {error}; --output names another place")
    else:
        if (not options.as_json and board.state in ("finished", "stopped")) or options.once:
            say(f"written: {path}")


def shown(board: Board) -> RenderableType:
    """A run as a terminal shows it."""
    head = Text.assemble(
        (one_line(board.run.resolve().name), "bold"), f"  {board.plan.system}  ", (state_text(board), _style(board))
    )
    counts = f"step {board.step:,} of {board.plan.fit.steps:,}, {duration(board.seconds)} trained"
    parts: list[RenderableType] = [head, Text(counts), ProgressBar(total=1.0, completed=board.share, width=60), Text()]
    parts += [_table(board), *_notes(board)]
    if board.samples:
        parts.append(Text(f"samples: {one_line(str(board.samples[max(board.samples)]))}", style="dim"))
    return Group(*parts)


def _style(board: Board) -> str:
    return {"running": "green", "finished": "green", "stopped": "yellow", "begun": "dim"}[board.state]


def _table(board: Board) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False)
    for name, curve in board.losses.items():
        table.add_row(
            Text(one_line(name)), Text(f"{curve[-1][1]:.4g}", justify="right"), Text(sparks(curve), style="cyan")
        )
    for name, (curve, baseline, against) in board.measured.items():
        value = Text(f"{curve[-1][1]:.4g}", justify="right")
        table.add_row(Text(one_line(name)), value, Text(sparks(curve), style="magenta"), f"{against} {baseline:.4g}")
    return table


def _notes(board: Board) -> Iterator[Text]:
    for line in board.notes[-5:]:
        yield Text(f"! {one_line(line)}", style="yellow")


def sparks(curve: Curve) -> str:
    """A curve in one line of letters, each the mean of its share of the steps.

    >>> sparks([(1, 0.0), (2, 1.0)])
    '▁█'
    """
    values = [value for _, value in curve if abs(value) < float("inf")]
    size = max(1, -(-len(values) // _WIDTH))
    means = [sum(values[at : at + size]) / len(values[at : at + size]) for at in range(0, len(values), size)]
    low, high = min(means, default=0.0), max(means, default=0.0)
    return "".join(_BARS[round((len(_BARS) - 1) * (value - low) / ((high - low) or 1.0))] for value in means)
