"""Write figures into the documents from where they were measured: `python docs/figures.py`. Tests compare the two.

From the cards of the embedded models: the tables in the README and in the pages of their kinds, between two marks. From
the timings of `make bench`: the tables in docs/performance.md, between the same marks, and the claim of speed in the
README, between marks of its own. From what benchmarks and experiments wrote to benchmarks/results: tables
in docs/studio.md, docs/gaze.md and docs/moving-pixels.md.
"""

import json
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from limner.importers.formats import FORMATS
from limner.processor import Machine

ROOT = Path(__file__).resolve().parent.parent
WEIGHTS = ROOT / "src" / "limner" / "weights"
RESULTS = ROOT / "benchmarks" / "results"
TIMINGS, TIMINGS_AVX2 = (RESULTS / f"runtime-{name}.json" for name in ("avx-512-bf16", "avx2"))
START, END = "<!-- figures: written by docs/figures.py -->", "<!-- end of figures -->"
SPEED_START, SPEED_END = "<!-- speed: written by docs/figures.py -->", "<!-- end of speed -->"
PROTOCOLS = (
    "sr-y-shave",
    "sr-y-4",
    "rgb",
    "photo",
)  # in the order of preference for the README: one row a model and scale

Card = dict[str, Any]


def cards() -> list[Card]:
    """The cards of the embedded models, by name."""
    return [
        tomllib.loads(path.read_text(encoding="utf-8"))
        for path in sorted(WEIGHTS.glob("*.toml"), key=lambda one: one.stem)
    ]


def of_super_resolution() -> list[Card]:
    """Those that are measured in decibels."""
    return [card for card in cards() if any(name in card["metrics"] for name in PROTOCOLS)]


def rows() -> Iterator[str]:
    """The README's table: each embedded model of super-resolution at each scale on Set5, by its paper's protocol."""
    yield "| model | scale | bicubic | this model | paper | protocol | trained for | on |"
    yield "|---|---|---|---|---|---|---|---|"
    for card in of_super_resolution():
        protocol = next(name for name in PROTOCOLS if name in card["metrics"])
        for name, figures in card["metrics"][protocol].items():
            if name.startswith("Set5 "):
                trained = [f"`{protocol}`", f"{card['minutes']:.0f} min", card["hardware"]]
                yield _line([f"`{card['model']}`", name.removeprefix("Set5 "), *_psnrs(figures), *trained])


def page() -> Iterator[str]:
    """Of docs/super-resolution.md: every figure of every card."""
    yield "Written by `python docs/figures.py` from the cards of the embedded models, which their recipes wrote when"
    yield "they measured them, in float32. `limner evaluate super-resolution --data FOLDER` measures them again."
    yield "PSNR is in decibels; the column *paper* is filled where the network is the paper's own. VGG distance is how"
    yield "differently VGG-16 sees the result and the original (`limner.metrics.vgg_distance`): less is nearer."
    for protocol in PROTOCOLS:
        found = [card for card in cards() if protocol in card["metrics"]]
        rows = [(name, card["model"], row) for card in found for name, row in card["metrics"][protocol].items()]
        if rows:
            yield from ["", f"## {protocol}", "", *tabled(rows)]
    yield from ["", "## How they were trained", "", "| model | data | steps | minutes | on |", "|---|---|---|---|---|"]
    yield from (trained(card) for card in of_super_resolution())


def trained(card: Card) -> str:
    """A row: what a model was trained on, and for how long."""
    begun = f", from {card['start_from']}" if "start_from" in card else ""
    minutes = f"{card['minutes']:.0f}{begun}"
    return _line([f"`{card['model']}`", card["data"], str(card["steps"]), minutes, card["hardware"]])


def styles() -> Iterator[str]:
    """Of docs/style.md: every figure of every network that paints."""
    for card in cards():
        for protocol, found in card["metrics"].items() if card["system"] == "fast-style" else ():
            yield f"`{card['model']}`, {protocol}:"
            yield from ("", "| style | style loss of the photo | of the painting | content loss |", "|---|---|---|---|")
            for style, row in found.items():
                yield _line([style, *(f"{row[name]:.3f}" for name in ("photo_style", "style", "content"))])
            yield from ("", "| model | data | steps | minutes | on |", "|---|---|---|---|---|", trained(card), "")
    yield from learnt_styles()
    yield from any_style()
    yield from textures()


def learnt_styles() -> Iterator[str]:
    """Of docs/style.md: how near each style of a network is that learnt it by scales and shifts alone."""
    for card in cards():
        for protocol, found in card["metrics"].items() if card["system"] == "many-styles" else ():
            yield f"`{card['model']}`, {protocol}:"
            yield from ("", "| style | distance of the photo | of the painting | its share |", "|---|---|---|---|")
            for style, row in found.items():
                yield _line([style, *(f"{row[name]:.3f}" for name in ("photo", "painting", "share"))])
            yield from ("", "| model | data | steps | minutes | on |", "|---|---|---|---|---|", trained(card), "")


def any_style() -> Iterator[str]:
    """Of docs/style.md: every network of any style beside the optimisation of pixels."""
    for card in cards():
        for pairs, row in card["metrics"].get("held-out pairs beside Gatys", {}).items():
            against = "300 iterations of Gatys et al. (its content loss as a mean)"
            yield f"`{card['model']}` beside {against}, {pairs}, none of them seen in training:"
            yield from ("", "| loss | photo | network | Gatys et al. |", "|---|---|---|---|")
            yield _line(["style", *(f"{row[name]:.3f}" for name in ("photo_style", "style", "gatys_style"))])
            yield _line(["content", "0", *(f"{row[name]:.3f}" for name in ("content", "gatys_content"))])
            yield from ("", "| model | data | steps | minutes | on |", "|---|---|---|---|---|", trained(card), "")


def segmenters() -> Iterator[str]:
    """Of docs/segmentation.md: every figure of every network that segments, on pictures that it has not learnt from."""
    yield from measured([card for card in cards() if "overlap" in card["metrics"]])


def translators() -> Iterator[str]:
    """Of docs/translation.md: every figure of every network that translates, on pairs that it has not learnt from."""
    yield from measured([card for card in cards() if "translation-rgb" in card["metrics"]])
    yield from ("", "Small networks of one budget, and how far their pictures of one map differ:", "")
    yield from _kept("translation_noise")


def generators() -> Iterator[str]:
    """Of docs/generation.md: every figure of every network that generates, beside pictures that it has not seen."""
    kinds = ("memorisation", "held-out views")
    yield from measured([card for card in cards() if any(kind in card["metrics"] for kind in kinds)])
    yield from ("", "Chairs that were seen from few sides, learnt beside others:", "", *_kept("chair_counts"))


def measured(found: list[Card]) -> Iterator[str]:
    """A table of all figures of some cards, of the overlaps of classes their means alone, and one of their training."""
    yield from ("| model | measured | what | figure |", "|---|---|---|---|")
    for card in found:
        for protocol, sets in card["metrics"].items():
            shown = {"mean": sets["mean"]} if protocol == "overlap" else sets
            for case, row in shown.items():
                for name, value in row.items():
                    yield _line([f"`{card['model']}`", f"{protocol}, {case}", name.replace("_", " "), f"{value:.4g}"])
    yield from ("", "| model | data | steps | minutes | on |", "|---|---|---|---|---|")
    yield from (trained(card) for card in found)


def gazes() -> Iterator[str]:
    """Of docs/gaze.md: how far eyes that were turned are from those that truly look there, and from where they were."""
    for card in (one for one in cards() if "redirection" in one["metrics"]):
        yield f"`{card['model']}`, mean squared error x 1000 on people that it has not seen:"
        yield from ("", "| turn | left as it was | turned |", "|---|---|---|")
        for case, row in card["metrics"]["redirection"].items():
            yield _line([case, f"{row['copy_mse']:.3f}", f"**{row['mse']:.3f}**"])
        yield from ("", "| model | data | steps | minutes | on |", "|---|---|---|---|---|", trained(card), "")
    yield from ("How fast, at 1920x1080 pixels:", "", *_table("redirect"), "")
    yield from ("What the parts of the paper's network are worth:", "", *_kept("redirections"))


def straightened() -> Iterator[str]:
    """Of docs/moving-pixels.md: how many distorted digits are taken for others."""
    for card in (one for one in cards() if "distorted" in one["metrics"]):
        yield f"`{card['model']}`, the share of digits of others that it takes for another class:"
        yield from ("", "| distortion | wrong |", "|---|---|")
        for case, row in card["metrics"]["distorted"].items():
            yield _line([case, f"{row['wrong']:.2f} %"])
        yield from ("", "| model | data | steps | minutes | on |", "|---|---|---|---|---|", trained(card), "")
    yield from ("What the transformer adds:", "", *_kept("distorted_digits"))


def _table(name: str) -> Iterator[str]:
    """What a benchmark has written to benchmarks/results, without its heading."""
    yield from (RESULTS / f"{name}.md").read_text(encoding="utf-8").splitlines()[2:]


def _kept(name: str) -> Iterator[str]:
    """What an experiment has written to benchmarks/results: what each table is of, the table, and the command."""
    head, *parts = (RESULTS / f"{name}.md").read_text(encoding="utf-8").split("\n## ")
    setting = next(line for line in head.splitlines() if line.startswith("- processor: "))
    for part in parts:
        yield from (*part.strip().splitlines()[2:], "")
    yield f"On {setting.removeprefix('- processor: ')}."


def textures() -> Iterator[str]:
    """Of docs/style.md: every figure of every network of one texture."""
    found = [card for card in cards() if "texture loss" in card["metrics"]]
    yield "| texture | trained on | minutes | loss of its samples | of optimised pixels | of noise |"
    yield "|---|---|---|---|---|---|"
    for card in found:
        for size, row in card["metrics"]["texture loss"].items():
            losses = [f"{row[name]:.4g}" for name in ("loss", "optimised_loss", "noise_loss")]
            yield _line([f"`{card['model']}`, {size}", card["data"], f"{card['minutes']:.0f}", *losses])


def formats() -> Iterator[str]:
    """Of docs/import.md: every format that is read, and what it becomes."""
    yield from ("| format | of | becomes |", "|---|---|---|")
    for one in FORMATS:
        yield _line([f"`{one.name}`", one.title, f"`{one.system}`" + (f", its {one.part}" if one.part else "")])


def tabled(rows: list[tuple[str, str, dict[str, float]]]) -> Iterator[str]:
    """A table of rows (set and scale, model, figures), with the distance where one of them has it."""
    with_distance = any("vgg_distance" in figures for _, _, figures in rows)
    headings = ["set", "model", "bicubic", "this model", "paper", "SSIM"]
    headings += ["bicubic's VGG distance", "VGG distance"] if with_distance else []
    yield _line(headings)
    yield "|" + "---|" * len(headings)
    for name, model, figures in rows:
        distances = [_distance(figures, key) for key in ("bicubic_vgg_distance", "vgg_distance")]
        cells = [name, f"`{model}`", *_psnrs(figures), f"{figures['ssim']:.4f}"]
        yield _line([*cells, *(distances if with_distance else [])])


def _distance(figures: dict[str, float], key: str) -> str:
    return f"{figures[key]:.4f}" if key in figures else ""


def _psnrs(figures: dict[str, float]) -> list[str]:
    paper = f"{figures['paper_psnr']:.2f}" if "paper_psnr" in figures else ""
    return [f"{figures['bicubic_psnr']:.2f}", f"**{figures['psnr']:.2f}**", paper]


def _line(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def timings(found: dict[str, Any]) -> Iterator[str]:
    """Of docs/performance.md: what the runtime aims at, and how many times faster each way is, size by size."""
    peaks = " and ".join(f"{value:.0f} GFLOP/s in {name}" for name, value in found["peak_gflops"].items())
    yield f"On {Machine(**found['machine']).setting}."
    yield f"In the median round it reached {peaks}."
    yield from ("", "| figure | measured | aim | worst result | |", "|---|---|---|---|---|")
    for target in found["targets"]:
        verdict = "met" if target["met"] else "missed"
        figures = [_figure(target[name], target["unit"]) for name in ("figure", "least")]
        yield _line([target["title"], *figures, target["quality"], verdict])
    rows = found["rows"]
    for size in dict.fromkeys(row["size"] for row in rows):
        ways = list(dict.fromkeys(row["way"] for row in rows if row["size"] == size and row["way"] != "eager"))
        yield from ("", f"Times faster than eager at {size}:", "")
        yield _line(["network", "eager, ms", *ways])
        yield "|---|---|" + "---|" * len(ways)
        for title in dict.fromkeys(row["title"] for row in rows if row["size"] == size):
            known = {row["way"]: row for row in rows if (row["size"], row["title"]) == (size, title)}
            times = [f"{known[way]['times_faster']:.2f}" if way in known else "" for way in ways]
            yield _line([title, f"{known['eager']['milliseconds']:.0f}", *times])


def speed(found: dict[str, Any]) -> str:
    """The README's claim: how many times faster than plain PyTorch, on the class of processor that was measured."""
    figures = {target["title"]: target["figure"] for target in found["targets"]}
    times = [f"{figures[f'512x512, median of the networks, times faster, {way}']:.1f}" for way in ("exact", "fast")]
    machine = found["machine"]
    return (
        f"On a processor of the class {machine['processor_class']} the median of well-known networks at 512x512 is "
        f"{times[0]} times as fast\nas plain PyTorch in float32, and {times[1]} times with `--precision fast`."
    )


def speed_block() -> str:
    """What stands in the README between the marks of its claim of speed, marks included."""
    return "\n".join([SPEED_START, speed(json.loads(TIMINGS.read_text(encoding="utf-8"))), SPEED_END])


def _figure(value: float | None, unit: str) -> str:
    if value is None:
        return ""
    return f"{value:.2f}{unit}" if unit else f"{value:.0%}"


def performance() -> Iterator[str]:
    """Of docs/performance.md: the timings that were kept."""
    yield from timings(json.loads(TIMINGS.read_text(encoding="utf-8")))
    yield from ("", "Most laptops have AVX2 alone, where `fast` is `exact`:", "")
    yield from timings(json.loads(TIMINGS_AVX2.read_text(encoding="utf-8")))
    for name in ("avx-512-bf16", "avx2"):
        yield from ("", "Steps of trainings beside the usual loop:", "", *_table(f"training-{name}"))


def studio() -> Iterator[str]:
    """Of docs/studio.md: what `python -m benchmarks.studio` has written, without its heading."""
    yield from _table("studio")


def between(lines: Iterator[str]) -> str:
    """Lines between the two marks."""
    return "\n".join([START, "", *lines, "", END])


def replaced(document: str, block: str, start: str = START, end: str = END) -> str:
    """A document with its block between two marks made anew."""
    before, _, rest = document.partition(start)
    _, _, after = rest.partition(end)
    return before + block + after


PAGES: Mapping[str, Callable[[], Iterator[str]]] = {
    "README.md": rows,
    "docs/super-resolution.md": page,
    "docs/style.md": styles,
    "docs/segmentation.md": segmenters,
    "docs/translation.md": translators,
    "docs/generation.md": generators,
    "docs/gaze.md": gazes,
    "docs/import.md": formats,
    "docs/moving-pixels.md": straightened,
    "docs/performance.md": performance,
    "docs/studio.md": studio,
}
"""What stands between the marks of each document."""


def main() -> None:
    """Write them all."""
    for name, lines in PAGES.items():
        _renew(ROOT / name, between(lines()))
    _renew(ROOT / "README.md", speed_block(), SPEED_START, SPEED_END)


def _renew(document: Path, made: str, start: str = START, end: str = END) -> None:
    document.write_text(replaced(document.read_text(encoding="utf-8"), made, start, end), encoding="utf-8")


if __name__ == "__main__":
    main()
