"""How long `limner upscale` of a 256x256 picture takes from the start of its process, and where the time goes.

`python -m benchmarks.runtime.cold_start` writes benchmarks/results/cold_start.md and .json; with `--side 512` a larger
picture is enlarged. The command takes turns with a bare `import torch`, below which nothing that runs a network in
torch can go. Beside each stands the most memory that its process held. The record of measured backends is left out, for
what a user has at first is none.
"""

import collections
import contextlib
import functools
import importlib
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

HERE = Path(__file__).parents[1]
PHOTO = HERE.parent / "src" / "limner" / "demo" / "astronaut.jpg"
RESULTS = HERE / "results"
BARE = "import torch"
UPSCALE, FAST = "limner upscale", "limner upscale --model vdsr-fast"
WATCHED = (UPSCALE, FAST)
AIM = 1.5
_TOP = 12  # imports that are listed
_WATCHED = (
    ("limner.files.image", "read_image", "read the picture"),
    ("limner.catalog.models", "load", "load the weights"),
    ("limner.runtime.runner", "Runner.__init__", "prepare the network"),
    ("limner.runtime.runner", "Runner.__call__", "run the network the first time"),
    ("limner.files.image", "write_image", "write the picture"),
)

Phases = dict[str, float]


def commands(source: Path, target: Path) -> dict[str, list[str]]:
    """What is timed, by name."""
    upscale = ["upscale", str(source), "--output", str(target), "--force"]
    return {
        "python alone": [sys.executable, "-c", "pass"],
        "limner --help": [sys.executable, "-m", "limner", "--help"],
        BARE: [sys.executable, "-c", "import torch"],
        UPSCALE: [sys.executable, "-m", "limner", *upscale],
        FAST: [sys.executable, "-m", "limner", *upscale, "--model", "vdsr-fast"],
    }


def watch(module: str, name: str, phase: str, found: Phases) -> None:
    """Have a function or method add the seconds of its calls to `found`."""
    owner: Any = importlib.import_module(module)
    *classes, attribute = name.split(".")
    for part in classes:
        owner = getattr(owner, part)
    function: Callable[..., Any] = getattr(owner, attribute)

    @functools.wraps(function)
    def timed(*args: object, **kwargs: object) -> object:
        started = time.monotonic()
        try:
            return function(*args, **kwargs)
        finally:
            found[phase] = found.get(phase, 0.0) + time.monotonic() - started

    setattr(owner, attribute, timed)


def phases(arguments: list[str], born: float) -> Phases:
    """Run the command line in this process, and say how long each of its parts took since the process was started."""
    found = {"start Python": time.monotonic() - born}
    started = time.monotonic()
    import torch  # noqa: F401

    found["import torch"] = time.monotonic() - started
    started = time.monotonic()
    for watched in _WATCHED:
        watch(*watched, found)
    importlib.import_module("limner.cli.work.upscale")
    found["import the rest"] = time.monotonic() - started
    from limner.cli.main import program

    sys.argv[1:] = arguments
    with contextlib.suppress(SystemExit):
        program()
    found["all else"] = time.monotonic() - born - sum(found.values())
    return found


def imports(command: list[str]) -> dict[str, float]:
    """Seconds of each module that a Python command imports, without those that it imports in turn."""
    listed = subprocess.run([command[0], "-X", "importtime", *command[1:]], check=True, capture_output=True, text=True)
    found = re.findall(r"import time: +(\d+) \| +\d+ \| +(\S+)", listed.stderr)
    return {module: int(microseconds) / 1e6 for microseconds, module in found}


def extra_imports(bare: dict[str, float], whole: dict[str, float]) -> list[tuple[str, float]]:
    """What `whole` imports and `bare` does not: seconds by package, the dearest first."""
    packages: dict[str, float] = collections.defaultdict(float)
    for module, seconds in whole.items():
        if module not in bare:
            parts = module.split(".")
            packages[".".join(parts[:2] if parts[0] in ("torch", "limner") else parts[:1])] += seconds
    return sorted(packages.items(), key=lambda item: -item[1])[:_TOP]


class Ran(NamedTuple):
    """A process that has ended.

    Attributes:
        seconds: From its start to its end.
        cpu_seconds: That processors worked for it; 0 where the system does not say.
        printed: On its standard output.
        peak: The most memory that it held, in MiB; 0 where the system does not say.
    """

    seconds: float
    cpu_seconds: float
    printed: str
    peak: float


def ran(command: list[str]) -> Ran:
    """Run a command.

    Raises:
        subprocess.CalledProcessError: If it fails.
    """
    started = time.monotonic()
    with tempfile.TemporaryFile("w+") as printed, tempfile.TemporaryDirectory() as cache:
        environment = os.environ | {"XDG_CACHE_HOME": cache, "LOCALAPPDATA": cache}
        process = subprocess.Popen(command, stdout=printed, stderr=subprocess.PIPE, env=environment)
        assert process.stderr
        process.stderr.read()
        if hasattr(os, "wait4"):
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            peak = usage.ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
            cpu_seconds = usage.ru_utime + usage.ru_stime
        else:
            process.wait()
            peak = cpu_seconds = 0.0
        seconds = time.monotonic() - started
        process.stderr.close()
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, command)
        printed.seek(0)
        return Ran(seconds, cpu_seconds, printed.read(), peak)


def measure(rounds: int, side: int = 256) -> dict[str, Any]:
    """Medians, in seconds and MiB, for a picture of so many pixels a side."""
    from PIL import Image

    times: dict[str, list[float]] = collections.defaultdict(list)
    peaks: dict[str, list[float]] = collections.defaultdict(list)
    parts: dict[str, dict[str, list[float]]] = {name: collections.defaultdict(list) for name in WATCHED}
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "photo.png"), Path(folder, "large.png")
        with Image.open(PHOTO) as photo:
            photo.resize((side, side)).save(source)
        timed = commands(source, target)
        for turn in range(rounds + 1):
            for name, command in timed.items():
                one = ran(command)
                if turn:  # the first turn fills the system's file cache
                    times[name].append(one.seconds)
                    peaks[name].append(one.peak)
            for name in WATCHED:
                watched = [sys.executable, __file__, "--born", str(time.monotonic()), "--", *timed[name][3:]]
                one = ran(watched)
                found: Phases = json.loads(one.printed.splitlines()[-1])
                found["end Python"] = one.seconds - sum(found.values())
                for phase, seconds in found.items() if turn else ():
                    parts[name][phase].append(seconds)
        extra = extra_imports(imports(timed[BARE]), imports(timed[UPSCALE]))
    return {
        "rounds": rounds,
        "side": side,
        "peak_mib": {name: statistics.median(values) for name, values in peaks.items()},
        "seconds": {name: statistics.median(values) for name, values in times.items()},
        "times_import_torch": {
            name: statistics.median(all_ / bare for all_, bare in zip(times[name], times[BARE], strict=True))
            for name in WATCHED
        },
        "phases": {
            name: {phase: statistics.median(values) for phase, values in found.items()} for name, found in parts.items()
        },
        "imports": dict(extra),
    }


def report(found: dict[str, Any], machine: Any) -> Iterator[str]:
    """The lines of the report."""
    seconds = found["seconds"]
    yield f"# From the start of the process to the file: `limner upscale` of a {found['side']}x{found['side']} picture"
    yield ""
    yield f"{machine.setting}. Medians of"
    yield f"{found['rounds']} rounds, in which the commands take turns."
    yield "Made by `python -m benchmarks.runtime.cold_start`."
    yield ""
    for name, times in found["times_import_torch"].items():
        verdict = "met" if times <= AIM else "**missed**"
        yield (
            f"- `{name}`: {seconds[name]:.2f} s, {times:.2f} times a bare `import torch` ({seconds[BARE]:.2f} s); "
            f"aim {AIM}: {verdict}."
        )
    yield from ("", "| command | seconds | MiB at the peak |", "|---|---|---|")
    yield from (f"| {name} | {value:.3f} | {found['peak_mib'][name]:.0f} |" for name, value in seconds.items())
    yield from ("", f"| where the time goes | {' | '.join(WATCHED)} |", "|---" * (1 + len(WATCHED)) + "|")
    for phase in found["phases"][UPSCALE]:
        cells = [f"{found['phases'][name].get(phase, 0.0):.3f}" for name in WATCHED]
        yield f"| {phase} | {' | '.join(cells)} |"
    yield from (
        "",
        "What is imported beyond `import torch`, the dearest first, under `-X importtime`, which slows it:",
        "",
    )
    yield from ("| package | seconds |", "|---|---|")
    yield from (f"| `{name}` | {value:.3f} |" for name, value in found["imports"].items())


def main(
    arguments: Annotated[list[str] | None, typer.Argument(hidden=True)] = None,
    rounds: Annotated[int, typer.Option(min=1, help="Timed runs of each command.")] = 9,
    side: Annotated[int, typer.Option(min=16, help="Of the picture, in pixels.")] = 256,
    out: Annotated[Path, typer.Option(help="Folder of the report.")] = RESULTS,
    born: Annotated[float, typer.Option(hidden=True)] = 0.0,
) -> None:
    """Measure and write the report, or be the command line that times its own parts."""
    if arguments:
        print(json.dumps(phases(arguments, born)))
        return
    found = measure(rounds, side)
    from limner.processor import Machine  # not before: what this process holds would count as the least of the others

    machine = Machine.here()
    text = "\n".join(report(found, machine)) + "\n"
    out.mkdir(parents=True, exist_ok=True)
    (out / "cold_start.md").write_text(text, encoding="utf-8")
    (out / "cold_start.json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    typer.run(main)
