"""How steady a video painted in one pass is: `python -m benchmarks.style.fast_style_video --model FILE --data FOLDER`.

Two frames with a ground-truth flow are painted to and fro until the mixing of `SteadyPainter` has settled, with several
steadinesses; 0 paints each frame by itself. Less flicker is bought with strokes that blur: the report has both, so that
the default can be chosen. It writes results/fast_style_video.json, .md and .svg beside this file.
"""

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import torch
import typer

from benchmarks.runtime.reports import RESULTS, made_by, publish
from benchmarks.style.flow_pairs import PAIRS, FlowPair, temporal_error
from limner.experiments.curves import Chart, svg
from limner.features.vgg16 import VGG
from limner.losses.perceptual import style_loss
from limner.losses.total_variation import total_variation
from limner.measure.fast_style import style_targets
from limner.processor import Machine
from limner.runtime.allocator import keep_freed_memory
from limner.runtime.run_options import RunOptions
from limner.systems.feedforward.fast_style import FastStyle
from limner.systems.feedforward.many_styles import ManyStyles
from limner.types import Image
from limner.verbs.stylize.named_styles import named_styles
from limner.verbs.stylize.network_painter import Painter, known_styles, one_pass
from limner.verbs.stylize.network_video import STEADINESS, SteadyPainter

SWEEP = (0.0, 0.5, 0.7, 0.9)


@dataclass(frozen=True)
class Row:
    """One pair in one style with one steadiness; all but the temporal error is of the second frame.

    Attributes:
        error: Temporal error in levels of 255, root mean square over the pixels in sight and channels.
        sharpness: The mean size of the gradient beside that of the frame painted by itself.
        moved: Root mean square distance from the frame painted by itself, in levels of 255.
        style: The style loss relative to a blank picture.
    """

    pair: str
    style_name: str
    steadiness: float
    error: float
    sharpness: float
    moved: float
    style: float


class Remembering(Painter):
    """Paints each picture once."""

    def __init__(self, network: FastStyle | ManyStyles) -> None:
        super().__init__(network, options=RunOptions(device="cpu"))
        self._done: dict[Image, torch.Tensor] = {}  # a tensor is a key as the object that it is

    def paint(self, image: Image, *others: torch.Tensor) -> torch.Tensor:
        """As at the first time."""
        if image not in self._done:
            self._done[image] = super().paint(image, *others)
        return self._done[image]


def to_and_fro(painter: Painter, pair: FlowPair, steadiness: float, times: int) -> tuple[Image, Image]:
    """The last paintings of both frames, of a video that shows them in turns so many times."""
    steady = SteadyPainter(painter, steadiness)
    for _ in range(times):
        paintings = steady(pair.first), steady(pair.second)
    return paintings


def compared(name: str, style: str, pair: FlowPair, network: FastStyle | ManyStyles, times: int) -> Iterator[Row]:
    """The rows of one pair and style.

    Args:
        name: Of the pair.
        style: One that comes with Limner.
        pair: At the size of what is painted.
        network: For that style alone.
        times: How often the frames are shown.
    """
    layers, painter = network.config.style_layers, Remembering(network)
    vgg = VGG(layers)
    with torch.inference_mode():
        targets, alone = style_targets(vgg, style, layers), painter.paint(pair.second)
        for steadiness in SWEEP:
            first, second = to_and_fro(painter, pair, steadiness, times)
            yield Row(
                name,
                style,
                steadiness,
                error=temporal_error(first, second, pair),
                sharpness=(total_variation(second, beta=1.0) / total_variation(alone, beta=1.0)).item(),
                moved=255 * (second - alone).square().mean().sqrt().item(),
                style=style_loss(vgg(second), targets, layers, relative=True).item(),
            )


def measure(folder: Path, model: str, styles: Sequence[str], size: int, times: int) -> Iterator[Row]:
    """All rows, and what each comes to on the way."""
    for name in PAIRS:
        pair = FlowPair.read(folder, name).scaled(size)
        for style in styles:
            network = one_pass({style: 1.0}, model)
            assert isinstance(network, FastStyle | ManyStyles)
            for row in compared(name, style, pair, network, times):
                print(row, flush=True)
                yield row


def mean(rows: Sequence[Row], column: str, **chosen: object) -> float:
    """Of a column over the rows whose other columns are as chosen."""
    return statistics.mean(
        getattr(row, column) for row in rows if all(getattr(row, name) == value for name, value in chosen.items())
    )


def report(found: dict[str, Any]) -> Iterator[str]:
    """The lines of the Markdown report."""
    rows = [Row(**row) for row in found["rows"]]
    yield "# Flicker of videos painted in one pass"
    yield from ("", made_by(found), "")
    yield f"Two frames of {found['size']} pixels are painted to and fro {found['times']} times. The temporal error is"
    yield "the root mean square, in levels of 255, of what the second painting, fetched by the ground-truth flow,"
    yield "differs from the first, over the pixels that are in sight in both. Steadiness 0 paints each frame by itself;"
    yield "beside that, *sharpness* is the mean gradient, and *moved* the root mean square distance in levels. Means"
    yield f"are over all pairs and styles; the default is {STEADINESS:g}."
    yield ""
    yield "| steadiness | temporal error | times less | sharpness | moved | style loss |"
    yield "|---|---|---|---|---|---|"
    for one in SWEEP:
        error, sharpness, moved, style = (
            mean(rows, column, steadiness=one) for column in ("error", "sharpness", "moved", "style")
        )
        less = mean(rows, "error", steadiness=0.0) / error
        yield f"| {one:g} | **{error:.1f}** | {less:.2f} | {sharpness:.0%} | {moved:.1f} | {style:.3f} |"
    yield from ("", "![Flicker and sharpness](fast_style_video.svg)", "", "Temporal errors by steadiness:", "")
    yield "| frames | style | themselves | " + " | ".join(f"{one:g}" for one in SWEEP) + " |"
    yield "|---|---|---|" + "---|" * len(SWEEP)
    for pair, itself in found["frames"].items():
        for style in found["styles"]:
            errors = (mean(rows, "error", pair=pair, style_name=style, steadiness=one) for one in SWEEP)
            yield f"| {pair} | {style} | {itself:.1f} | " + " | ".join(f"{error:.1f}" for error in errors) + " |"


def chart(rows: Sequence[Row]) -> str:
    """Temporal error and sharpness over steadiness, means over the styles of each pair, as SVG."""
    pairs = dict.fromkeys(row.pair for row in rows)
    titles = {"error": "Temporal error, levels of 255", "sharpness": "Sharpness beside frames by themselves"}
    return svg(
        [
            Chart(
                title,
                "steadiness",
                {pair: [(one, mean(rows, column, pair=pair, steadiness=one)) for one in SWEEP] for pair in pairs},
                {},
            )
            for column, title in titles.items()
        ]
    )


def main(
    model: Annotated[str, typer.Option(help="A network of styles that come with Limner: an embedded one, or a file.")],
    data: Annotated[Path, typer.Option(help="The folder that holds video_flow.")],
    style: Annotated[
        list[str] | None, typer.Option(help="Again for more.", show_default="all that have a picture")
    ] = None,
    size: Annotated[int, typer.Option(min=64, help="The longer side, in pixels.")] = 512,
    times: Annotated[int, typer.Option(min=1, help="How often both frames are shown.")] = 8,
    out: Annotated[Path, typer.Option(help="Folder of the report.")] = RESULTS,
) -> None:
    """Measure, and write the report; without the frames, say so and do nothing."""
    folder = data / "video_flow"
    if not folder.is_dir():
        print(f"skipped: {folder} is not there: name the folder that holds video_flow with --data")
        return
    keep_freed_memory()
    styles = style or [name for name in known_styles(model) if name in named_styles()]
    rows = list(measure(folder, model, styles, size, times))
    frames = {name: FlowPair.read(folder, name).scaled(size) for name in PAIRS}
    found = {
        "machine": asdict(Machine.here()),
        "command": f"python -m benchmarks.style.fast_style_video --model {Path(model).name} --data DATA --size {size}",
        "size": size,
        "times": times,
        "styles": styles,
        "frames": {name: temporal_error(pair.first, pair.second, pair) for name, pair in frames.items()},
        "rows": [asdict(row) for row in rows],
    }
    publish("fast_style_video", found, report(found), out)
    (out / "fast_style_video.svg").write_text(chart(rows), encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
