"""What the studio weighs, how soon it is there, and how soon a picture follows the brush, in a real browser.

`python -m benchmarks.studio` writes benchmarks/results/studio.md and .json. It needs Chromium and playwright. From a
press of the brush to the decoded picture on the page all is counted: the wait that gathers strokes, the drawing as PNG,
the network, and the way back. The model is `facades`.
"""

import os
import re
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import psutil
import typer
from playwright.sync_api import Browser, sync_playwright

from benchmarks.runtime.reports import RESULTS, made_by, publish
from limner.processor import Machine

PAGE = Path(__file__).parents[1] / "src" / "limner" / "studio" / "page"
SIDES = (256, 512)
AIMS = {"page": 5_000_000, 256: 250.0, 512: 1000.0}  # bytes, milliseconds
_STARTS = 3
_WARM = 3  # presses that are not counted
_SECONDS = 300
_READY = re.compile(r"(http://\S+)  ready in ([\d.]+) s, (\d+) MiB")
_MODELS = re.compile(r"models are ready after ([\d.]+) s, (\d+) MiB")
_WATCH = """() => {
    window.spent = [];
    addEventListener("pointerdown", () => (window.pressed = performance.now()), true);
    new MutationObserver(() => window.spent.push(performance.now() - window.pressed))
        .observe(document.querySelector(".paper"), { childList: true });
}"""


@contextmanager
def studio() -> Iterator[tuple[str, dict[str, float]]]:
    """A studio of its own that has read its models: its address, and what it took."""
    with tempfile.TemporaryDirectory() as folder:
        words = ["studio", "--no-browser", "--port", "0", "--folder", folder]
        process = subprocess.Popen([sys.executable, "-m", "limner", *words], stderr=subprocess.PIPE, text=True)
        assert process.stderr is not None
        said = ""
        while not (models := _MODELS.search(said)):
            line = process.stderr.readline()
            assert line, said
            said += line
        ready = _READY.search(said)
        assert ready is not None
        held = sum(one.memory_info().rss for one in _family(process.pid)) / 2**20
        facts = {"ready": float(ready[2]), "models": float(models[1]), "service": float(ready[3]), "mebibytes": held}
        try:
            yield ready[1], facts
        finally:
            process.terminate()
            process.wait(60)


def _family(pid: int) -> list[psutil.Process]:
    return [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]


def follow(browser: Browser, address: str, side: int, presses: int) -> list[float]:
    """Milliseconds from each press of the brush to the picture of it."""
    page = browser.new_page()
    page.set_default_timeout(1000 * _SECONDS)
    page.goto(f"{address}#/draw?model=facades&width={side}&height={side}")
    page.wait_for_selector(".easel canvas")
    page.wait_for_timeout(500)
    box = page.locator(".easel canvas").bounding_box()
    assert box is not None
    page.evaluate(_WATCH)
    for number in range(_WARM + presses):
        share = (number + 1) / (_WARM + presses + 1)
        page.mouse.click(box["x"] + share * box["width"], box["y"] + share * box["height"])
        page.wait_for_function("(number) => window.spent.length > number", arg=number)
        page.wait_for_timeout(200)
    found: list[float] = page.evaluate("window.spent")
    page.close()
    return found[_WARM : _WARM + presses]


def measure(chromium: str, presses: int) -> dict[str, Any]:
    """All figures."""
    starts = []
    for _ in range(_STARTS - 1):
        with studio() as (_, facts):
            starts.append(facts)
    with studio() as (address, facts), sync_playwright() as playwright:
        starts.append(facts)
        browser = playwright.chromium.launch(executable_path=chromium)
        milliseconds = {str(side): follow(browser, address, side, presses) for side in SIDES}
        browser.close()
    return {
        "page_bytes": sum(path.stat().st_size for path in PAGE.rglob("*") if path.is_file()),
        "starts": starts,
        "milliseconds": milliseconds,
        "load": os.getloadavg()[1] / (os.cpu_count() or 1),
        "machine": asdict(Machine.here()),
        "command": "python -m benchmarks.studio",
    }


def table(found: dict[str, Any]) -> Iterator[str]:
    """The figures beside what they shall be."""
    starts = {name: statistics.median(one[name] for one in found["starts"]) for name in found["starts"][0]}
    yield "| figure | measured | shall be |"
    yield "|---|---|---|"
    yield f"| all files of the page | {found['page_bytes'] / 1e6:.2f} MB | below {AIMS['page'] / 1e6:.0f} MB |"
    yield f"| from the command to the page | {starts['ready']:.1f} s | |"
    yield f"| until a model can work | {starts['models']:.1f} s | |"
    yield f"| memory at rest, both processes | {starts['mebibytes']:.0f} MiB | |"
    for side in SIDES:
        median = statistics.median(found["milliseconds"][str(side)])
        name = f"from the brush to the picture, {side}x{side}, median of {len(found['milliseconds'][str(side)])}"
        yield f"| {name} | {median:.0f} ms | below {AIMS[side]:.0f} ms |"


def setting(found: dict[str, Any]) -> Iterator[str]:
    """Where they were measured."""
    yield made_by(found)
    yield f"Beside it {found['load']:.1f} programs waited for each core of the machine: at rest it would be 1 or fewer."


def report(found: dict[str, Any]) -> Iterator[str]:
    """The whole page."""
    yield from ("# The studio", "", *setting(found), "", *table(found))


def main(
    chromium: Annotated[str, typer.Option(help="The browser.")] = "/usr/bin/chromium",
    presses: Annotated[int, typer.Option(min=1, help="Of the brush, at each size.")] = 15,
    out: Annotated[Path, typer.Option(help="Where the report is written.")] = RESULTS,
) -> None:
    """Measure and write the report."""
    found = measure(chromium, presses)
    publish("studio", found, report(found), out)


if __name__ == "__main__":
    typer.run(main)
