"""Every backend and precision against plain eager float32: time, share of the machine's peak, memory, agreement.

`python -m benchmarks.runtime.runtime` writes benchmarks/results/runtime-<class of processor>.md, .json and .svg. Each
way of running a network is a process of its own, as the command line is; they take turns, and the peak is measured in
every round among them.
"""

import json
import math
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks.runtime.measuring import Block, Found, is_large, measure, pixels
from benchmarks.runtime.networks import NETWORKS
from benchmarks.runtime.plot import svg
from benchmarks.runtime.reports import RESULTS, of_class
from benchmarks.runtime.summary import Row, markdown, plain
from benchmarks.runtime.ways import EAGER, WAYS
from limner.processor import Machine

SIZES = ("256", "512", "1080p")
STYLE = "johnson"


def plan(networks: Sequence[str], sizes: Sequence[str], ways: Sequence[str], rounds: int | None) -> Iterator[Block]:
    """What is measured, the dearest last: large pictures in all ways for the style network, else in torch alone."""
    ways = (EAGER, *(way for way in ways if way != EAGER))  # what the others are compared with
    small = tuple(size for size in sizes if not is_large(size))
    large = tuple(size for size in sizes if is_large(size))
    if small:
        yield from (Block(network, small, ways, rounds) for network in networks)
    for network in sorted(networks, key=lambda network: network != STYLE) if large else ():
        style = network == STYLE
        chosen = ways if style else tuple(way for way in ways if way == EAGER or way.startswith("torch"))
        yield Block(network, large, chosen, rounds or (3 if style else 1))


def expected_minutes(block: Block, rows: Sequence[Row]) -> float:
    """How long a block of large pictures will take, from the largest small ones of the same network; 0 if unknown."""
    known = {row.way: row for row in rows if row.network == block.network}  # the last size of each way
    if not block.rounds or not known:
        return 0.0
    grown = sum(math.prod(pixels(size)) / math.prod(pixels(known[EAGER].size)) for size in block.sizes)
    turn = sum(row.milliseconds for way, row in known.items() if way in block.ways) / 60_000
    return turn * grown * (block.rounds + 1)


def keep_earlier(report: dict[str, Any], found: Found) -> None:
    """Add what an earlier report has of networks and sizes that were not measured now."""
    measured, titles = {(row.network, row.size) for row in found.rows}, {row.title for row in found.rows}
    whole: list[dict[str, Any]] = [
        {key: math.inf if value is None else value for key, value in row.items()} for row in report["rows"]
    ]
    found.rows[:0] = [row for row in (Row(**values) for values in whole) if (row.network, row.size) not in measured]
    found.rows.sort(key=lambda row: list(NETWORKS).index(row.network))
    earlier = [(note["what"], note["why"]) for note in report["not_measured"]]
    found.notes[:0] = [(what, why) for what, why in earlier if not any(what.startswith(title) for title in titles)]


def main(
    quick: Annotated[bool, typer.Option("--quick", help="512x512 alone, three rounds.")] = False,
    network: Annotated[list[str] | None, typer.Option(help="One of them; again for more.")] = None,
    size: Annotated[list[str] | None, typer.Option(help="Such as 512 or 1080p; again for more.")] = None,
    way: Annotated[list[str] | None, typer.Option(help="Such as 'torch fast'; again for more.")] = None,
    rounds: Annotated[int | None, typer.Option(min=1, help="Timed runs of each; else as many as fit.")] = None,
    minutes: Annotated[float, typer.Option(help="No large picture is begun that would end later.")] = 16,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the report's rows of other networks and sizes.")] = False,
    out: Annotated[Path, typer.Option(help="Folder of the report.")] = RESULTS,
) -> None:
    """Measure, and write the report."""
    for given, known in ((network, NETWORKS), (way, WAYS)):
        for name in given or ():
            if name not in known:
                raise typer.BadParameter(f"{name!r} is none of {', '.join(known)}")
    blocks = plan(
        network or list(NETWORKS),
        size or (SIZES[1:2] if quick else SIZES),
        way or WAYS,
        rounds or (3 if quick else None),
    )
    found, started = Found(), time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        for block in blocks:
            passed = (time.monotonic() - started) / 60
            if passed + expected_minutes(block, found.rows) > minutes:
                found.notes.append((f"{NETWORKS[block.network].title} {', '.join(block.sizes)}", "no time was left"))
                continue
            print(f"{passed:4.1f} min: {NETWORKS[block.network].title}, {', '.join(block.sizes)}", flush=True)
            measure(block, Path(folder), found)
    machine, passed = Machine.here(), (time.monotonic() - started) / 60
    stem = of_class("runtime", machine)
    if keep:
        keep_earlier(json.loads((out / f"{stem}.json").read_text(encoding="utf-8")), found)
    out.mkdir(parents=True, exist_ok=True)
    report = markdown(found.rows, found.peak(), found.notes, machine, passed)
    (out / f"{stem}.md").write_text(report, encoding="utf-8")
    values = plain(found.rows, found.peak(), found.notes, machine)
    (out / f"{stem}.json").write_text(json.dumps(values, indent=2, allow_nan=False) + "\n", encoding="utf-8")
    (out / f"{stem}.svg").write_text(svg(found.rows), encoding="utf-8")
    print(report)


if __name__ == "__main__":
    typer.run(main)
