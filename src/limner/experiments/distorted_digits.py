"""What a spatial transformer is worth: classifiers of distorted digits with and without, of equally many weights.

`python -m limner.experiments.distorted_digits --digits digits.png --held-out mnist/` learns from a sheet of digits and
counts errors on digits of others. Jaderberg et al. 2015, arXiv:1506.02025, table 1.

Differs from the paper: few digits, small networks, and minutes of training.
"""

import statistics
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import typer

from limner.arguments import check_word
from limner.data.distorted import DistortedConfig, DistortedPictures, Distortion
from limner.experiments.command import begin, run_program, tell
from limner.experiments.fitted import fitted
from limner.experiments.options import Threads
from limner.experiments.small_segmenters import TableFile, write_report
from limner.measure.geometry import wrong_share
from limner.measure.report import CASE, METHOD, Column, Row, Table, figure
from limner.systems.feedforward.spatial_transformer import FIT_MODERN, SpatialTransformer, SpatialTransformerConfig

CANVASES: Mapping[Distortion, int] = {
    "rotation": 28, "similarity": 42, "projective": 28, "elastic": 28, "clutter": 60,
}  # fmt: skip
"""The side of the pictures of each distortion, in pixels; all but the last are those of table 1."""

FULLY_CONNECTED = SpatialTransformerConfig(
    transformation="none", classifier="fully connected", kilo_parameters=100, localisation=32
)
CONVOLUTIONAL = SpatialTransformerConfig(transformation="none", kilo_parameters=30)

PUBLISHED: Mapping[Distortion, Mapping[str, float]] = {
    "rotation": {"FCN": 2.1, "ST-FCN affine": 1.2, "CNN": 1.2, "ST-CNN affine": 0.7},
    "similarity": {"FCN": 5.2, "ST-FCN affine": 0.8, "CNN": 0.8, "ST-CNN affine": 0.5},
    "projective": {"FCN": 3.1, "ST-FCN affine": 1.5, "CNN": 1.5, "ST-CNN affine": 0.8},
    "elastic": {
        "FCN": 3.2, "ST-FCN affine": 2.7, "ST-FCN thin plate": 2.4,
        "CNN": 1.4, "ST-CNN affine": 1.2, "ST-CNN thin plate": 1.1,
    },
    "clutter": {"FCN": 13.2, "ST-FCN affine": 2.0, "CNN": 3.5, "ST-CNN affine": 1.7},
}  # fmt: skip
"""Errors in percent of table 1 and, for clutter, section 4.1, of larger networks after 150,000 steps of 256 digits."""

_Digits = Annotated[Path, typer.Option(metavar="FILE", help="A sheet of digits of 20x20 pixels, 500 of each class.")]
_HeldOut = Annotated[Path, typer.Option(metavar="FOLDER", help="Digits of others, as idx files.")]
_Seeds = Annotated[int, typer.Option(min=2, metavar="N", help="Trainings of each network.")]
_Steps = Annotated[int, typer.Option(min=2, metavar="N", help="Of a fully connected network.")]
_Fewer = Annotated[int, typer.Option(min=2, metavar="N", help="Of a convolutional network.")]
_Kinds = Annotated[Literal["both", "FCN", "CNN"], typer.Option(help="Fully connected or convolutional networks alone.")]
_Distortions = Annotated[
    str, typer.Option(metavar="LIST", help="Of rotation, similarity, projective, elastic, clutter, by commas.")
]
_Batch = Annotated[int, typer.Option(min=1, metavar="N", help="Samples in a step.")]
_Copies = Annotated[int, typer.Option(min=1, metavar="N", help="Distortions of each digit that is learnt from.")]


class Case(NamedTuple):
    """A distortion, pictures to learn from and pictures to judge by."""

    distortion: Distortion
    training: DistortedPictures
    held_out: DistortedPictures


def case(distortion: Distortion, digits: Path, held_out: Path, copies: int) -> Case:
    """The pictures of one distortion; those that are judged by are distorted by another seed."""
    config = DistortedConfig(distortion=distortion, canvas=CANVASES[distortion], copies=copies)
    others = config.model_copy(update={"copies": 1, "seed": 1})
    return Case(distortion, config.model_copy(update={"tile": 20}).load(digits), others.load(held_out))


def networks(distortion: Distortion, kinds: str = "both") -> dict[str, SpatialTransformerConfig]:
    """Those of table 1 by their names there; a spline only where it is the distortion."""
    found: dict[str, SpatialTransformerConfig] = {}
    for name, plain in (("FCN", FULLY_CONNECTED), ("CNN", CONVOLUTIONAL)):
        if kinds not in ("both", name):
            continue
        larger = 4 if distortion == "clutter" else 1  # or a localisation net of so large a picture took all
        sized = plain.model_copy(
            update={"side": CANVASES[distortion], "kilo_parameters": larger * plain.kilo_parameters}
        )
        pool = {"pool": 2} if distortion in ("similarity", "clutter") else {}
        found |= {name: sized, f"ST-{name} affine": sized.model_copy(update={"transformation": "affine", **pool})}
        if distortion == "elastic":
            found[f"ST-{name} thin plate"] = sized.model_copy(update={"transformation": "thin plate"})
    return found


def error(config: SpatialTransformerConfig, one: Case, *, steps: int, batch: int, seed: int) -> float:
    """The percentage of held-out digits that a network takes for another, once it is trained.

    Raises:
        typer.Exit: With 1, if it was stopped.
    """
    schedule = FIT_MODERN.schedule.model_copy(update={"warmup_steps": steps // 10})
    changed = {"steps": steps, "batch_size": batch, "seed": seed, "ema_decay": None, "schedule": schedule}
    system = fitted(lambda: SpatialTransformer(config), one.training, FIT_MODERN.model_copy(update=changed))
    return 100 * wrong_share(system, one.held_out)


def table(errors: Mapping[tuple[Distortion, str], list[float]], num_digits: int) -> Table:
    """Mean and deviation of the errors, by distortion and network, and which share of them a transformer leaves.

    The paper's errors stand beside them, and the share that it is left with there.
    """
    means = {key: statistics.mean(values) for key, values in errors.items()}
    rows = []
    for (distortion, name), values in errors.items():
        plain, published = _without(name), PUBLISHED[distortion]
        figures = {"error": means[distortion, name], "deviation": statistics.stdev(values) if len(values) > 1 else 0.0}
        figures["published"] = published[name]
        if plain != name:
            figures |= {"left": figures["error"] / means[distortion, plain]}
            figures |= {"published_left": published[name] / published[plain]}
        rows.append(Row(distortion, name, figures, {"trainings": len(values)}))
    columns = (
        CASE,
        METHOD,
        Column("error (%)", lambda row: f"{row.figures['error']:.2f} ± {row.figures['deviation']:.2f}"),
        figure("of the error without", "left", ".2f"),
        Column("trainings", lambda row: str(row.facts["trainings"])),
        figure("paper (%)", "published", ".1f"),
        figure("paper, of the error without", "published_left", ".2f"),
    )
    return Table("distorted digits", f"{num_digits} digits of others.", columns, tuple(rows))


def _without(name: str) -> str:
    """The network that has no transformer: FCN of ST-FCN affine."""
    return name.removeprefix("ST-").split(" ")[0]


def main(
    digits: _Digits,
    held_out: _HeldOut,
    output: TableFile = Path("distorted_digits.md"),
    steps: _Steps = 4000,
    fewer_steps: _Fewer = 2000,
    batch: _Batch = 64,
    copies: _Copies = 20,
    distortions: _Distortions = "rotation,similarity,projective,elastic",
    kinds: _Kinds = "both",
    seeds: _Seeds = 3,
    threads: Threads = None,
) -> None:
    """Train all networks, and write the table after each seed."""
    begin(threads)
    for name in distortions.split(","):
        check_word("a distortion", name, CANVASES)
    cases = [case(name, digits, held_out, copies) for name in CANVASES if name in distortions.split(",")]
    errors: dict[tuple[Distortion, str], list[float]] = {}
    for seed in range(seeds):
        for one in cases:
            for name, config in networks(one.distortion, kinds).items():
                own = steps if config.classifier == "fully connected" else fewer_steps
                found = error(config, one, steps=own, batch=batch, seed=seed)
                errors.setdefault((one.distortion, name), []).append(found)
                tell(f"{one.distortion}, {name}, seed {seed}: {found:.2f} %")
        summary = (
            f"Made by `python -m limner.experiments.distorted_digits`: {steps} steps of fully connected networks of "
            f"{FULLY_CONNECTED.kilo_parameters},000 weights, {fewer_steps} of convolutional ones of "
            f"{CONVOLUTIONAL.kilo_parameters},000, "
            f"{batch} samples each; mean and deviation."
        )
        write_report(output, "What a spatial transformer is worth", summary, table(errors, len(cases[0].held_out)))


if __name__ == "__main__":
    run_program(main)
