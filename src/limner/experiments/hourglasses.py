"""From one resolution to an hourglass with copies: what each step is worth at about the same cost.

`python -m limner.experiments.hourglasses --nuclei DATA` trains a network that keeps its resolution, one that pools and
unpools, the same with copies from the way down, and that with an encoder of residual blocks, and writes a table: the
multiplications of a pixel, how well nuclei are found, and how long the training took. The papers are those of
`systems/segmentation/hourglass.py`.
"""

from pathlib import Path

from limner.data.segmented import SegmentedPictures
from limner.experiments.command import begin, run_program, tell
from limner.experiments.options import Seed, Threads
from limner.experiments.small_segmenters import (
    NUCLEI,
    Batch,
    Nuclei,
    TableFile,
    TestSet,
    TrainingSteps,
    learnt,
    looked_at,
    multiplications,
    test_set,
    write_report,
)
from limner.measure.report import CASE, Row, Table, figure
from limner.measure.segmentation import found_in, instances
from limner.systems.segmentation.hourglass import (
    HOURGLASS,
    HOURGLASS_RESNET,
    HOURGLASS_SKIPS,
    SAME_RESOLUTION,
    HourglassNet,
    HourglassNetConfig,
)

NETWORKS = {
    "one resolution": SAME_RESOLUTION,
    "hourglass": HOURGLASS,
    "hourglass and copies": HOURGLASS_SKIPS,
    "the same, residual encoder": HOURGLASS_RESNET,
}


def row(
    name: str,
    config: HourglassNetConfig,
    samples: SegmentedPictures,
    tested: TestSet,
    *,
    steps: int,
    batch: int,
    seed: int,
) -> Row:
    """Train one of the networks, and judge it."""
    tell(f"{steps} steps of {name}")
    system, seconds = learnt(lambda: HourglassNet(config), samples, steps=steps, batch=batch, seed=seed)
    seen = looked_at(system, tested.marked)
    (judged,) = instances(seen, tested.objects, [found_in(one) for one in seen]).rows
    weights = sum(one.numel() for one in system.parameters())
    figures = {"multiplications": multiplications(HourglassNet(config)), "weights": weights, "seconds": seconds}
    return Row(name, "system", {**figures, **judged.figures})


def main(
    nuclei: Nuclei,
    output: TableFile = Path("hourglasses.md"),
    steps: TrainingSteps = 150,
    batch: Batch = 4,
    seed: Seed = 0,
    threads: Threads = None,
) -> None:
    """Train the networks alike, and write the table."""
    begin(threads)
    samples, tested = NUCLEI.load(nuclei / "train"), test_set(nuclei / "test", NUCLEI)
    rows = [
        row(name, config, samples, tested, steps=steps, batch=batch, seed=seed) for name, config in NETWORKS.items()
    ]
    columns = (
        CASE,
        figure("multiplications a pixel", "multiplications", ",.0f"),
        figure("weights", "weights", ",.0f"),
        figure("Dice", "dice", ".4f"),
        figure("F1 of objects", "f1", ".4f"),
        figure("CPU seconds", "seconds", ".0f"),
    )
    note = f"{steps} steps of {batch} samples of {NUCLEI.patch}x{NUCLEI.patch}; {len(tested.marked)} unseen pictures."
    summary = "Made by `python -m limner.experiments.hourglasses`; the same samples in the same order for each."
    write_report(
        output,
        "From one resolution to an hourglass with copies",
        summary,
        Table("networks", note, columns, tuple(rows)),
    )


if __name__ == "__main__":
    run_program(main)
