"""What int8 would gain and lose where `fast` is float32: `python -m benchmarks.runtime.int8`.

Networks that ship are quantised as torch does it for oneDNN: weights by channel, activations calibrated on crops of one
photo; convolutions are in int8, and what is between them is in float32. They run on one thread beside the prepared
float32 network, on crops of another photo. Seconds are of the processor, in turns. For AVX2 run it with
ONEDNN_MAX_CPU_ISA=AVX2 ATEN_CPU_CAPABILITY=avx2 in the environment. Written to results/int8-<class of processor>.md and
.json.
"""

import statistics
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import torch
import torch.nn.functional as F
import typer
from torch import Tensor, fx, nn

from benchmarks.runtime.reports import RESULTS, made_by, of_class, publish
from limner.catalog.models import load
from limner.files.image import is_image_path, read_image, to_tensor
from limner.metrics.quality import psnr
from limner.processor import Machine
from limner.runtime.allocator import keep_freed_memory
from limner.runtime.prepare import prepare
from limner.runtime.tracing import trace
from limner.verbs.stylize.network_painter import one_pass

DEMO = Path(__file__).parents[2] / "src" / "limner" / "demo"
CALIBRATING, HELD_OUT = DEMO / "astronaut.jpg", DEMO / "chelsea.jpg"
SIDE = 128  # pixels of a crop
LEAST = 44.0
"""Decibels to the float32 result that `fast` must keep."""


class Case(NamedTuple):
    """A network, the channels of its input, and how many times larger the picture has been made for it."""

    network: Callable[[], nn.Module]
    channels: int = 3
    enlarged: int = 1


CASES = {
    "edsr-x2": Case(lambda: load("edsr-x2")[0]),
    "photo-x2": Case(lambda: load("photo-x2")[0]),
    "vdsr": Case(lambda: load("vdsr")[0], channels=1, enlarged=2),
    "many-styles, great-wave": Case(lambda: one_pass({"great-wave": 1.0})),
}


def crops(photo: Path, case: Case, count: int) -> list[Tensor]:
    """Inputs of a network along the diagonal of a photo."""
    image = to_tensor(read_image(photo))
    steps = [(side - SIDE) // max(1, count - 1) for side in image.shape[-2:]]
    made = [image[..., n * steps[0] :, n * steps[1] :][..., :SIDE, :SIDE] for n in range(count)]
    if case.channels == 1:
        made = [one.mean(1, keepdim=True) for one in made]
    large = case.enlarged
    return [F.interpolate(one, scale_factor=large, mode="bicubic").clamp(0, 1) if large > 1 else one for one in made]


def quantized(system: nn.Module, inputs: Sequence[Tensor]) -> fx.GraphModule:
    """A network in int8, calibrated on its inputs; what has no int8 stays float32."""
    from torch.ao.quantization import QConfigMapping, get_default_qconfig
    from torch.ao.quantization.quantize_fx import convert_fx, prepare_fx

    torch.backends.quantized.engine = "onednn"
    how, settings = QConfigMapping(), get_default_qconfig("onednn")
    for kind in (nn.Conv2d, nn.ReLU, F.relu):
        how.set_object_type(kind, settings)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        watched = prepare_fx(trace(system), how, (inputs[0],))
        for one in inputs:
            watched(one)
        made: fx.GraphModule = convert_fx(watched)
    return made


def seconds(ways: dict[str, Callable[[Tensor], Any]], image: Tensor, rounds: int) -> dict[str, float]:
    """Of the processor, for one run: medians of rounds in which the ways take turns, after one that does not count."""
    found: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(rounds + 1):
        for way, network in ways.items():
            begun = time.process_time()
            network(image)
            found[way].append(time.process_time() - begun)
    return {way: statistics.median(times[1:]) for way, times in found.items()}


@torch.inference_mode()
def measure(case: Case, rounds: int, photos: Sequence[Path] = (HELD_OUT,)) -> dict[str, float]:
    """The figures of one network; four crops of each photo are held out."""
    system = case.network().eval()
    exact = prepare(system, torch.device("cpu"), "exact")
    small = quantized(system, crops(CALIBRATING, case, 6))
    held_out = [crop for photo in photos for crop in crops(photo, case, 4)]
    pairs = [(exact(one).clamp(0, 1), small(one).clamp(0, 1)) for one in held_out]
    took = seconds({"exact": exact, "int8": small}, held_out[0], rounds)
    return {
        "seconds_exact": took["exact"],
        "seconds_int8": took["int8"],
        "times_faster": took["exact"] / took["int8"],
        "least_decibels": min(float(psnr(one, other)) for one, other in pairs),
        "largest_difference": max(float((one - other).abs().max()) for one, other in pairs),
    }


def report(found: dict[str, Any]) -> Iterator[str]:
    """The lines of the Markdown report."""
    yield "# int8 beside float32"
    yield from ("", made_by(found), "")
    yield f"Crops of {SIDE}x{SIDE}, one thread, processor seconds, medians of {found['rounds']} rounds in turns."
    yield f"PSNR is that of the worst of {found['held_out']} held-out crops to the float32 result; `fast` must keep"
    yield f"{LEAST:g} dB."
    yield from ("", "| network | float32, ms | int8, ms | times faster | PSNR, dB | largest difference | |")
    yield "|---|---|---|---|---|---|---|"
    for name, one in found["networks"].items():
        pays = one["times_faster"] > 1 and one["least_decibels"] >= LEAST
        yield (
            f"| {name} | {1000 * one['seconds_exact']:.1f} | {1000 * one['seconds_int8']:.1f} | "
            f"{one['times_faster']:.2f} | {one['least_decibels']:.1f} | {one['largest_difference']:.3f} | "
            f"{'pays' if pays else 'does not pay'} |"
        )


def main(
    rounds: Annotated[int, typer.Option(min=1, help="Runs of each network in each way.")] = 7,
    network: Annotated[list[str] | None, typer.Option(help="One of them; again for several.")] = None,
    held_out: Annotated[Path | None, typer.Option(help="Folder of photos that are held out, too.")] = None,
    out: Annotated[Path, typer.Option(help="Folder of the report.")] = RESULTS,
) -> None:
    """Measure and write the report."""
    keep_freed_memory()
    torch.set_num_threads(1)
    machine = Machine.here()
    photos = [HELD_OUT, *(sorted(path for path in held_out.iterdir() if is_image_path(path)) if held_out else ())]
    found = {
        "machine": asdict(machine),
        "command": f"python -m benchmarks.runtime.int8 --rounds {rounds}" + " --held-out FOLDER" * bool(held_out),
        "held_out": 4 * len(photos),
        "rounds": rounds,
        "networks": {name: measure(CASES[name], rounds, photos) for name in network or CASES},
    }
    publish(of_class("int8", machine), found, report(found), out)


if __name__ == "__main__":
    typer.run(main)
