"""The rows of tables 1 and 2 of pix2pix on facades: one budget for each, several seeds, the same measurements.

It trains small networks, so that it can be repeated; what is compared is the order of the rows. A run that is there is
gone on with, or only measured.
"""

import itertools
import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from torch import Tensor

from limner.data.pairs import PairsConfig, as_rgb
from limner.files.image import write_image
from limner.files.picture import Picture, from_tensor
from limner.loops.step_report import Watcher
from limner.measure.report import Report, Row, Table
from limner.measure.translation import Sample, translation_report, translation_samples
from limner.runtime.device import choose_device
from limner.runtime.run_options import RunOptions
from limner.systems.adversarial.pix2pix import ABLATIONS
from limner.training.train import is_begun, plan, train
from limner.verbs.segment.segmenter import Segmenter
from limner.verbs.translate.translator import Translator, translated
from pix2pix import TASKS
from program import Device, run_recipe

_SHOWN = (3, 31, 58, 77)  # pictures of the sheet


def trained(
    row: str, seed: int, *, data: Path, minutes: float, device: str, runs: Path, settings: Sequence[str],
    watchers: Sequence[Watcher],
) -> Translator | None:  # fmt: skip
    """The model of a row, from its run, which is begun or gone on with where it has to be; None if it is stopped."""
    run = runs / f"{row.replace(', ', ' ').replace(' ', '-')}-{seed}"
    changes = [f"{name}={json.dumps(value)}" for name, value in ABLATIONS[row].items()]
    task = TASKS["facades"]
    goal = plan(
        "pix2pix", data / task.train, preset=task.recipe.preset, minutes=minutes, seed=seed, validation=0.0,
        assignments=[*task.recipe.settings, *changes, *settings],
    )  # fmt: skip
    result = train(goal, run, resume=is_begun(run), device=device, watchers=watchers)
    return Translator(str(run), RunOptions(device=device, precision="exact")) if result.finished else None


def _made(model: Translator, sample: Sample) -> Tensor:
    return translated(model.runner, model.ports, *sample.given)


def means(report: Report, seeds: int) -> Report:
    """The rows of several seeds as one, with the means of their figures."""
    return replace(report, tables=tuple(replace(table, rows=_mean_rows(table, seeds)) for table in report.tables))


def _mean_rows(table: Table, seeds: int) -> tuple[Row, ...]:
    found: dict[str, list[Row]] = {}
    for row in table.rows:
        found.setdefault(row.method.rpartition(" seed ")[0] or row.method, []).append(row)
    return tuple(
        replace(
            rows[0],
            method=name,
            figures={one: statistics.fmean(row.figures[one] for row in rows) for one in rows[0].figures},
            note=f"{len(rows)} of {seeds} seeds",
        )
        for name, rows in found.items()
    )


def sheet(models: Mapping[str, Translator], samples: Sequence[Sample]) -> Picture:
    """Labels, what each model makes of them, and the photo, a row for each of some pictures."""
    rows = []
    for number in _SHOWN:
        sample = samples[number % len(samples)]
        made = [_made(model, sample)[0] for model in models.values()]
        rows.append(torch.cat([as_rgb(one) for one in (sample.given[0][0], *made, sample.target[0])], -1))
    return from_tensor(torch.cat(rows, -2)[None], like=Picture(np.zeros((1, 1, 3), np.uint8)))


def main(
    data: Annotated[Path, typer.Option(help="Folder with train and val of the facades.")],
    minutes: Annotated[float, typer.Option(help="Of training, for each row and seed.")] = 10.0,
    seeds: Annotated[int, typer.Option(min=1, help="Of each row.")] = 2,
    row: Annotated[
        list[str] | None, typer.Option(help=f"Of {', '.join(ABLATIONS)}; repeatable, without it all.")
    ] = None,
    segmenter: Annotated[str | None, typer.Option(help="A model that reads the labels again, for seg-score.")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="A field of all rows, as of limner train.")
    ] = None,
    device: Device = "auto",
    run: Annotated[Path, typer.Option(help="Folder of all runs, and of the report.")] = Path("runs/pix2pix_ablations"),
) -> None:
    """Train all rows, and write ablations.md, ablations.json and ablations.png."""
    place = str(choose_device(device))

    def work(watchers: Sequence[Watcher]) -> Report | None:
        models: dict[str, Translator] = {}
        for name, seed in itertools.product(row or ABLATIONS, range(seeds)):
            model = trained(
                name, seed, data=data, minutes=minutes, device=place, runs=run, settings=settings or [],
                watchers=watchers,
            )  # fmt: skip
            if model is None:
                return None
            models[f"{name} seed {seed}"] = model
        asked = [*TASKS["facades"].recipe.settings, *(settings or [])]
        own = PairsConfig.parse(plan("pix2pix", data / "train", assignments=asked).data)
        test = own.model_copy(update={"held_out": 0.0})
        samples = translation_samples(test, data / "val", own.patch)
        reads = Segmenter(segmenter, RunOptions(device=place, precision="exact")) if segmenter else None
        methods = {name: partial(_made, model) for name, model in models.items()}
        report = means(translation_report(methods, samples, distance=True, segmenter=reads), seeds)
        (run / "ablations.md").write_text(report.to_markdown(), encoding="utf-8")
        (run / "ablations.json").write_text(report.to_json(), encoding="utf-8")
        first = {name: model for name, model in models.items() if name.endswith(" seed 0")}
        write_image(run / "ablations.png", sheet(first, samples), overwrite=True)
        return report

    run_recipe(run, work)


if __name__ == "__main__":
    typer.run(main)
