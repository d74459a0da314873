"""How much painted frames flicker: `python -m benchmarks.style.video_style --data FOLDER`.

FOLDER holds `video_flow`. For two frames with a ground-truth flow each way of painting them is told by its temporal
error: what the second one, fetched by that flow, differs from the first where nothing hides. It writes
benchmarks/results/video_style.json and .md; what is measured already is not measured again.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import torch
import typer

from benchmarks.style.flow_pairs import PAIRS, FlowPair, in_sight, temporal_error
from limner.features.optical_flow import both_ways
from limner.features.vgg16 import VGG, mean_responses
from limner.files.image import read_image, to_tensor, write_image
from limner.files.picture import Picture
from limner.media.contact_sheet import Panel, contact_sheet
from limner.ops.flows import trust
from limner.ops.resample import imresize
from limner.ops.warp import warp
from limner.processor import Machine
from limner.runtime.allocator import keep_freed_memory
from limner.systems.optimize.style import Reference
from limner.systems.optimize.video_style import (
    FramePainter,
    VideoStyleConfig,
    neighbour,
)
from limner.types import Image
from limner.verbs.stylize.optimized_video import PRESETS, Preset

RESULTS = Path(__file__).parents[1] / "results"
_AMPLIFIED = 4  # times, that differences are shown brighter


@dataclass(frozen=True)
class Row:
    """One way of painting one pair.

    Attributes:
        error: Temporal error in levels of 255, root mean square over the pixels in sight and channels.
        style: The style loss of the second frame.
        content: The content loss of the second frame.
        steps: Of the second frame.
        seconds: Of the second frame.
    """

    pair: str
    style_picture: str
    way: str
    error: float
    style: float
    content: float
    steps: int
    seconds: float


Paint = Callable[[FramePainter, FlowPair, Image], tuple[Image, int]]
"""From the two frames and the painted first one to the second one, and its steps."""


def by_itself(painter: FramePainter, pair: FlowPair, first: Image) -> tuple[Image, int]:
    """The second frame without knowing of the first, from the same start."""
    done = painter(pair.second)
    return done.image, done.step


def held(painter: FramePainter, pair: FlowPair, first: Image) -> tuple[Image, int]:
    """The second frame from the first one, warped, and held to it as far as the weight of the painter says."""
    flows = both_ways(pair.first, pair.second)
    done = painter(pair.second, [neighbour(first, flows.forward, flows.backward)])
    return done.image, done.step


def ways(config: VideoStyleConfig) -> dict[str, tuple[VideoStyleConfig, Paint]]:
    """What is compared, by name."""
    noise = config.model_copy(update={"style": config.style.model_copy(update={"start": "noise"})})
    free = config.model_copy(update={"temporal_weight": 0.0})
    return {
        "each by itself, from the same noise": (noise, by_itself),
        "each by itself, from its content": (config, by_itself),
        "warped start": (free, held),
        "warped start and temporal loss": (config, held),
    }


def measure(
    pair: FlowPair, style: Image, config: VideoStyleConfig
) -> Iterator[tuple[str, dict[str, Any], list[Image]]]:
    """Each way's figures and its two frames."""
    vgg = VGG(
        [*config.style.style_layers, *config.style.content_layers], pooling=config.style.pooling, precision="fast"
    )
    vgg.normalize(mean_responses(config.style.pooling))
    firsts: dict[str, Image] = {}
    for name, (one, paint) in ways(config).items():
        painter = FramePainter(vgg, [Reference(style)], one)
        start = one.style.start
        if start not in firsts:
            firsts[start] = painter(pair.first).image
        begun = time.monotonic()
        second, steps = paint(painter, pair, firsts[start])
        seconds = time.monotonic() - begun
        with torch.no_grad():
            losses = painter.objective(pair.second)(second)
        figures = {
            "error": temporal_error(firsts[start], second, pair),
            "style": losses["style"].item(),
            "content": losses["content"].item(),
            "steps": steps,
            "seconds": seconds,
        }
        yield name, figures, [firsts[start], second]


def flow_errors(pair: FlowPair, small: FlowPair) -> dict[str, float]:
    """The end-point error of the computed flow, in pixels, and what share of pixels is trusted.

    Args:
        pair: At the size of its files.
        small: At the size of what is painted, where the frames themselves have a temporal error too.
    """
    flows = both_ways(pair.first, pair.second)
    apart = (flows.forward - pair.truth).square().sum(1).sqrt()
    apart = apart[apart.isfinite()]
    seen = in_sight(pair.truth)
    in_view = (flows.forward - pair.truth).square().sum(1).sqrt()[0][seen]
    return {
        "mean": apart.mean().item(),
        "median": apart.median().item(),
        "mean_in_sight": in_view.mean().item(),
        "trusted": trust(flows.forward, flows.backward).mean().item(),
        "frames_themselves": temporal_error(small.first, small.second, small),
    }


def report(found: dict[str, Any]) -> str:
    """The figures as a page."""
    rows = [Row(**row) for row in found["rows"]]
    lines = [
        "# Flicker of painted frames",
        "",
        f"{found['machine']}. Made by `{found['command']}`.",
        "",
        "The temporal error is the root mean square, in levels of 255, of what the second frame, fetched by the "
        "ground-truth flow, differs from the first, over the pixels that are in sight in both. Losses, steps and "
        "seconds are of the second frame.",
        "",
        "| frames | style | way | temporal error | style loss | content loss | steps | seconds |",
        "|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {row.pair} | {row.style_picture} | {row.way} | **{row.error:.1f}** | {row.style:.3f} | {row.content:.3f} "
        f"| {row.steps} | {row.seconds:.0f} |"
        for row in rows
    ]
    lines += [
        "",
        "The computed flow (dense inverse search, to whole pixels) against ground truth, in pixels of the files; and "
        "the temporal error of the frames themselves, at the size of the painted ones:",
        "",
        "| frames | mean end-point error | median | mean in sight | trusted | temporal error of the frames |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {name} | {one['mean']:.2f} | {one['median']:.3f} | {one['mean_in_sight']:.2f} | {one['trusted']:.0%} "
        f"| {one['frames_themselves']:.1f} |"
        for name, one in found["flow"].items()
    ]
    return "\n".join([*lines, ""])


def main(
    data: Annotated[Path, typer.Option(help="The folder that holds video_flow and style_images.")],
    size: Annotated[int, typer.Option(help="The longer side, in pixels.")] = 256,
    styles: Annotated[str, typer.Option(help="Names in style_images.")] = "starry_night,wave",
    preset: Annotated[Preset, typer.Option(help="Of limner stylize-video.")] = "modern",
    sheets: Annotated[Path | None, typer.Option(help="A folder for a picture of each row of the report.")] = None,
) -> None:
    """Measure, and write the report after each way."""
    keep_freed_memory()
    if sheets:
        sheets.mkdir(exist_ok=True)
    target = RESULTS / "video_style.json"
    config = PRESETS[preset]
    asked = {"size": size, "config": config.model_dump(mode="json")}
    found: dict[str, Any] = json.loads(target.read_text()) if target.exists() else {}
    if found.get("asked") != asked:
        found = {"asked": asked, "rows": [], "flow": {}}
    machine = Machine.here()
    found["machine"] = machine.setting
    found["command"] = (
        f"python -m benchmarks.style.video_style --data DATA --size {size} --styles {styles} --preset {preset}"
    )
    for name in PAIRS:
        pair = FlowPair.read(data / "video_flow", name)
        small = pair.scaled(size)
        found["flow"][name] = flow_errors(pair, small)
        for style in styles.split(","):
            if any((row["pair"], row["style_picture"]) == (name, style) for row in found["rows"]):
                continue
            painting = to_tensor(read_image(next((data / "style_images").glob(f"{style}.*"))))
            painting = imresize(painting, size / max(painting.shape[-2:])).clamp(0, 1)
            rows, painted = [], {}
            for way, figures, images in measure(small, painting, config):
                rows.append(asdict(Row(name, style, way, **figures)))
                print(json.dumps(rows[-1]), flush=True)
                painted[way] = images
            found["rows"] += rows
            if sheets:
                place = sheets / f"{name} {style}.jpg".replace(" ", "_")
                write_image(place, sheet(small, painted), quality=70, overwrite=True)
            target.write_text(json.dumps(found, indent=2) + "\n")
            (RESULTS / "video_style.md").write_text(report(found))


def sheet(pair: FlowPair, painted: Mapping[str, Sequence[Image]]) -> Picture:
    """The frames, what they have become, and where they flicker.

    Args:
        pair: At the size of what is painted.
        painted: The two frames by way, of which the last three are shown.
    """
    ways = list(painted.items())[-3:]
    panels = [Panel("frame 1", pair.first), Panel("frame 2", pair.second), Panel("frame 1, painted", ways[0][1][0])]
    panels += [Panel(way, second) for way, (_, second) in ways]
    seen = in_sight(pair.truth)
    for _, (first, second) in ways:
        apart = (first - warp(second, pair.truth).image).abs().mean(1, keepdim=True) * seen
        panels.append(Panel(f"difference x {_AMPLIFIED}", (_AMPLIFIED * apart).clamp(0, 1).expand(-1, 3, -1, -1)))
    return contact_sheet(panels, 3, least=400)


if __name__ == "__main__":
    typer.run(main)
