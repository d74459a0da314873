"""Write what the embedded models are worth from their cards: `python docs/figures.py`. A test compares the two.

It writes the table in the README between its two marks, and docs/super-resolution.md whole.
"""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
WEIGHTS = ROOT / "src" / "limner" / "weights"
PAGE = ROOT / "docs" / "super-resolution.md"
START, END = "<!-- figures: written by docs/figures.py -->", "<!-- end of figures -->"
PROTOCOLS = ("sr-y-shave", "sr-y-4", "rgb")  # in the order of preference for the README: one row a model and scale

Card = dict[str, Any]


def cards() -> list[Card]:
    """The cards of the embedded models, by name."""
    return [tomllib.loads(path.read_text(encoding="utf-8")) for path in sorted(WEIGHTS.glob("*.toml"))]


def rows() -> Iterator[str]:
    """The README's table: each embedded model at each scale on Set5, by its paper's protocol."""
    yield "| model | scale | bicubic | this model | paper | protocol | trained for | on |"
    yield "|---|---|---|---|---|---|---|---|"
    for card in cards():
        protocol = next(name for name in PROTOCOLS if name in card["metrics"])
        for name, figures in card["metrics"][protocol].items():
            if name.startswith("Set5 "):
                trained = [f"`{protocol}`", f"{card['minutes']:.0f} min", card["hardware"]]
                yield _line([f"`{card['model']}`", name.removeprefix("Set5 "), *_psnrs(figures), *trained])


def page() -> Iterator[str]:
    """Docs/super-resolution.md: every figure of every card."""
    yield "# Super-resolution on benchmark sets"
    yield ""
    yield "Written by `python docs/figures.py` from the cards of the embedded models, which their recipes wrote when"
    yield "they measured them, in float32. `limner evaluate super-resolution --data FOLDER` measures them again."
    yield "PSNR is in decibels; the column *paper* is filled where the network is the paper's own."
    for protocol in PROTOCOLS:
        found = [card for card in cards() if protocol in card["metrics"]]
        if found:
            yield from ["", f"## {protocol}", "", "| set | model | bicubic | this model | paper | SSIM |"]
            yield "|---|---|---|---|---|---|"
        for card in found:
            for name, figures in card["metrics"][protocol].items():
                yield _line([name, f"`{card['model']}`", *_psnrs(figures), f"{figures['ssim']:.4f}"])
    yield from ["", "## How they were trained", "", "| model | data | steps | minutes | on |", "|---|---|---|---|---|"]
    for card in cards():
        cost = [str(card["steps"]), f"{card['minutes']:.0f}", card["hardware"]]
        yield _line([f"`{card['model']}`", card["data"], *cost])


def _psnrs(figures: dict[str, float]) -> list[str]:
    paper = f"{figures['paper_psnr']:.2f}" if "paper_psnr" in figures else ""
    return [f"{figures['bicubic_psnr']:.2f}", f"**{figures['psnr']:.2f}**", paper]


def _line(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def block() -> str:
    """What stands in the README between the two marks, marks included."""
    return "\n".join([START, "", *rows(), "", END])


def replaced(readme: str) -> str:
    """The README with its block made anew."""
    before, _, rest = readme.partition(START)
    _, _, after = rest.partition(END)
    return before + block() + after


def main() -> None:
    """Write both."""
    readme = ROOT / "README.md"
    readme.write_text(replaced(readme.read_text(encoding="utf-8")), encoding="utf-8")
    PAGE.write_text("\n".join(page()) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
