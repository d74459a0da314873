"""What the parts of DeepWarp are worth: the squared error over the turn of the gaze, of the paper's networks.

`python -m limner.experiments.redirections --data eyes/` trains each in as many steps, and draws the curves of people
that none has seen. Ganin et al. 2016, arXiv:1607.07215, section 4, figure 5.

Differs from the paper: rendered eyes, smaller networks, and minutes of training.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer
from torch import nn

from limner.data.gazes import GazePairs, GazesConfig
from limner.errors import LimnerError
from limner.experiments.command import begin, run_program, tell
from limner.experiments.curves import Chart, svg
from limner.experiments.fitted import fitted
from limner.experiments.options import Seeds, TableBeside, Threads
from limner.experiments.seeds import column, over_seeds
from limner.experiments.small_segmenters import Batch, TrainingSteps, write_report
from limner.files.atomic import atomic_path
from limner.measure.geometry import Turned, turned
from limner.measure.report import METHOD, Row, Table
from limner.systems.feedforward.deep_warp import FIT_MODERN, MODERN, DeepWarp, DeepWarpConfig

NETWORKS: Mapping[str, DeepWarpConfig] = {
    "colours made directly": MODERN.model_copy(update={"warps": False, "lightness": False}),
    "one warp": MODERN.model_copy(update={"scales": 1, "lightness": False}),
    "coarse and fine warp": MODERN.model_copy(update={"lightness": False}),
    "and lightness": MODERN,
}
"""Those of section 4, by what they have."""

_WIDTH = 10  # degrees of yaw that are measured together
_FARTHEST = 30  # degrees of yaw, of the middle of the last of them

_Data = Annotated[Path, typer.Option(metavar="FOLDER", help="Pictures of eyes and their meta.json.")]
_Output = Annotated[
    Path, typer.Option("--output", "-o", metavar="FILE", help="The curves, as SVG; one that is there is replaced.")
]


def trained(config: DeepWarpConfig, pairs: GazePairs, *, steps: int, batch: int, seed: int) -> DeepWarp:
    """A new network of so many steps, in evaluation mode.

    Raises:
        typer.Exit: With 1, if it was stopped.
    """
    schedule = FIT_MODERN.schedule.model_copy(update={"warmup_steps": max(1, steps // 10)})
    changed = {"steps": steps, "batch_size": batch, "seed": seed, "ema_decay": None, "schedule": schedule}
    return fitted(lambda: DeepWarp(config), pairs, FIT_MODERN.model_copy(update=changed))


def over_yaw(found: Sequence[Turned]) -> dict[str, dict[int, float]]:
    """By method, 1000 times the mean error around each yaw, in degrees.

    Raises:
        LimnerError: If no gaze turns so far.
    """
    errors: dict[str, dict[int, list[float]]] = {}
    for one in found:
        middle = _WIDTH * round(one.yaw / _WIDTH)
        if abs(middle) <= _FARTHEST:
            for method, error in one.errors.items():
                errors.setdefault(method, {}).setdefault(middle, []).append(error)
    if not errors:
        raise LimnerError(f"must hold gazes that differ by at most {_FARTHEST} degrees of yaw, got none: add some")
    return {
        method: {middle: 1e3 * sum(values) / len(values) for middle, values in sorted(by_middle.items())}
        for method, by_middle in errors.items()
    }


def rows(trainings: Sequence[Mapping[str, Mapping[int, float]]]) -> list[Row]:
    """Of each method the mean and deviation over trainings, a figure a yaw."""
    return [
        Row(
            "1000 x MSE",
            method,
            over_seeds([{str(yaw): error for yaw, error in one[method].items()} for one in trainings]),
        )
        for method in trainings[0]
    ]


def chart(found: Sequence[Row], yaws: Sequence[int]) -> Chart:
    """The means, a curve a method."""
    curves = {one.method: [(float(yaw), one.figures[str(yaw)]) for yaw in yaws] for one in found}
    return Chart("Mean squared error x 1000", "yaw to turn by, in degrees", curves, {})


def main(
    data: _Data,
    output: _Output = Path("redirections.svg"),
    table: TableBeside = Path("redirections.md"),
    steps: TrainingSteps = 1500,
    batch: Batch = 16,
    seeds: Seeds = 2,
    threads: Threads = None,
) -> None:
    """Train all networks, and write the table and the curves."""
    begin(threads)
    config = GazesConfig(held_out=0.1)
    pairs = config.load(data)
    unseen = config.model_copy(update={"part": "held out", "augment": False}).load(data)
    trainings = []
    for seed in range(seeds):
        systems: dict[str, nn.Module] = {}
        for name, one in NETWORKS.items():
            systems[name] = trained(one, pairs, steps=steps, batch=batch, seed=seed)
            tell(f"{name}, seed {seed}: trained")
        trainings.append(over_yaw(list(turned(systems, unseen))))
    found, yaws = rows(trainings), list(trainings[0]["copy"])
    note = (
        f"{len(unseen.people)} unseen people; {steps} steps of {batch} pairs each, mean and deviation of {seeds} "
        "trainings."
    )
    columns = (METHOD, *(column(f"{yaw}", str(yaw), ".2f") for yaw in yaws))
    made = Table("1000 x mean squared error over the yaw, in degrees", note, columns, tuple(found))
    write_report(table, "Networks of DeepWarp", "Made by `python -m limner.experiments.redirections`.", made)
    with atomic_path(output) as temporary:
        temporary.write_text(svg([chart(found, yaws)]), encoding="utf-8")
    print(output)  # noqa: T201


if __name__ == "__main__":
    run_program(main)
