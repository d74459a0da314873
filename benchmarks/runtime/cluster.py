"""What a cluster of two nodes paints beside two processes: `python -m benchmarks.runtime.cluster`.

Small pictures go through `limner stylize` twice in turns: in two processes at the same time, each of which has half of
them, and on two nodes of one core, which Ray starts on this machine. In the end one node is killed on the way. It
writes pictures a second, and whether all results are those of the processes, to results/cluster.json and .md. It needs
the extra ray.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import psutil
import typer
from PIL import Image as PillowImage

import limner
from benchmarks.runtime.reports import RESULTS, made_by, publish
from limner.processor import Machine

_STYLE = "great-wave"
_NODE = {"num_cpus": 1, "object_store_memory": 80 * 2**20}


def pictures(folder: Path, numbers: range, side: int) -> None:
    """So many PNG of smooth noise, each of its own number."""
    folder.mkdir(parents=True)
    for number in numbers:
        coarse = np.random.default_rng(number).integers(0, 256, (12, 12, 3), dtype=np.uint8)
        large = PillowImage.fromarray(coarse).resize((side, side), PillowImage.Resampling.BICUBIC)
        large.save(folder / f"{number:05}.png")


@contextmanager
def two_nodes() -> Iterator[Callable[[], None]]:
    """A cluster of this machine whose address the environment has; a function that kills one of its nodes."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    from ray.cluster_utils import Cluster

    cluster: Any = Cluster(initialize_head=True, head_node_args=_NODE | {"num_cpus": 0})
    nodes = [cluster.add_node(**_NODE) for _ in range(2)]
    os.environ["RAY_ADDRESS"] = cluster.address
    try:
        yield lambda: cluster.remove_node(nodes[-1], allow_graceful=False)
    finally:
        cluster.shutdown()


def begin(source: Path, target: Path, *options: str) -> subprocess.Popen[bytes]:
    """Paint a folder in a process of its own."""
    words = ["stylize", str(source), "--style", _STYLE, "--output", f"{target}/", *options]
    command = [sys.executable, "-m", "limner", *words]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def rates(run: Sequence[tuple[subprocess.Popen[bytes], Path]], *, with_nodes: bool) -> list[float]:
    """Pictures a second of some processes, added: with their start, and from their first result to their last.

    At last those for a second of CPU time, of these processes or of all that this one has begun, the nodes among them.
    """
    started, before, spent = time.perf_counter(), seconds_of_cpu(), dict[int, float]()
    ends: dict[int, float] = {}
    while len(ends) < len(run):
        for number, (process, _) in enumerate(run):
            if process.poll() is not None:
                ends.setdefault(number, time.perf_counter() - started)
        spent |= seconds_of_cpu()
        time.sleep(0.1)
    counted = spent if with_nodes else {process.pid: spent[process.pid] for process, _ in run}
    seconds = sum(one - before.get(process, 0) for process, one in counted.items())
    whole, steady, total = 0.0, 0.0, 0
    for number, (process, target) in enumerate(run):
        assert process.returncode == 0, process.args
        times = sorted(path.stat().st_mtime for path in target.iterdir())
        total += len(times)
        whole += len(times) / ends[number]
        steady += (len(times) - 1) / (times[-1] - times[0])
    return [whole, steady, total / seconds]


def seconds_of_cpu() -> dict[int, float]:
    """Of each process that this one has begun, and that runs."""
    found = {}
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            times = process.cpu_times()
            found[process.pid] = times.user + times.system
    return found


def kill_amid(target: Path, number: int, kill: Callable[[], None]) -> int:
    """Wait for so many results, then kill; how many there are at that time."""
    while (there := len(list(target.glob("*.png"))) if target.is_dir() else 0) < number:
        time.sleep(0.05)
    kill()
    return there


def measure(place: Path, number: int, side: int, rounds: int) -> dict[str, Any]:
    """All rounds, and the one in which a node dies."""
    halves = [place / "first", place / "second"]
    pictures(place / "all", range(number), side)
    pictures(halves[0], range(number // 2), side)
    pictures(halves[1], range(number // 2, number), side)
    found: dict[str, Any] = {"processes": [], "cluster": []}
    with two_nodes() as kill:
        for count in range(rounds):
            targets = [place / f"alone{count}" / half.name for half in halves]
            two = [
                (begin(half, target, "--threads", "1"), target) for half, target in zip(halves, targets, strict=True)
            ]
            found["processes"].append(rates(two, with_nodes=False))
            target = place / f"cluster{count}"
            one = [(begin(place / "all", target, "--on", "ray"), target)]
            found["cluster"].append(rates(one, with_nodes=True))
        expected = {path.name: path.read_bytes() for target in targets for path in target.iterdir()}
        found["equal"] = _contents(target) == expected
        last = begin(place / "all", place / "killed", "--on", "ray")
        told: list[int] = []
        killer = threading.Thread(target=lambda: told.append(kill_amid(place / "killed", number // 4, kill)))
        killer.start()
        found["killed"] = {"code": last.wait(), "equal": _contents(place / "killed") == expected}
        killer.join()
        found["killed"]["at"] = told[0]
    return found


def _contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def report(found: dict[str, Any]) -> Iterator[str]:
    """The lines of the report."""
    yield from ("# Two nodes beside two processes", "", made_by(found), "")
    measured, number = found["measured"], found["pictures"]
    yield (
        f"{number:,} PNG of {found['side']}x{found['side']} pixels by `limner stylize --style {_STYLE}`: pictures, "
        f"the median of {len(measured['cluster'])} rounds in turns. {found['load']:.1f} processes ran on this machine "
        "in the minute before."
    )
    yield from ("", "| | two processes, added | two nodes | ratio, median | of the rounds |", "|---|---|---|---|---|")
    names = ("a second, with the start", "a second, from the first result to the last", "for a second of CPU time")
    for place, name in enumerate(names):
        alone, cluster = ([one[place] for one in measured[which]] for which in ("processes", "cluster"))
        ratios = [two / one for one, two in zip(alone, cluster, strict=True)]
        each = ", ".join(f"{one:.2f}" for one in ratios)
        medians = (f"{statistics.median(some):.1f}" for some in (alone, cluster))
        yield f"| {name} | {' | '.join(medians)} | {statistics.median(ratios):.2f} | {each} |"
    killed = measured["killed"]
    yield ""
    yield f"All results of the nodes are those of the processes, bit by bit: {'yes' if measured['equal'] else 'no'}."
    yield (
        f"With one node killed after {killed['at']:,} results, all {number:,} were there once and the same: "
        f"{'yes' if killed['equal'] and killed['code'] == 0 else 'no'}."
    )


def main(
    number: Annotated[int, typer.Option("--pictures", min=40)] = 2000,
    side: Annotated[int, typer.Option(min=32, help="Of the pictures, in pixels.")] = 192,
    rounds: Annotated[int, typer.Option(min=1)] = 3,
    out: Annotated[Path, typer.Option(help="Folder of the report.")] = RESULTS,
) -> None:
    """Make the pictures, measure, and write the report."""
    os.environ["PYTHONPATH"] = str(Path(limner.__file__).parents[1])
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as temporary:
        measured = measure(Path(temporary), number, side, rounds)
    found = {
        "machine": asdict(Machine.here()),
        "command": "python -m benchmarks.runtime.cluster",
        "pictures": number,
        "side": side,
        "load": load,
        "measured": measured,
    }
    publish("cluster", found, report(found), out)


if __name__ == "__main__":
    typer.run(main)
