"""A recipe: train a system, measure it, and write its weight file and card as the package embeds them."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from limner.catalog import WEIGHTS, find
from limner.errors import LimnerError
from limner.files.cards import Card, write_card
from limner.files.weights import Header, save_weights, sha256
from limner.loops.fit import FitResult, Watcher
from limner.verbs.evaluate import OnStep, evaluate_super_resolution
from limner.verbs.evaluation_report import Report
from limner.verbs.train import Plan, plan, read_plan, train
from limner.verbs.upscale import evaluable


@dataclass(frozen=True)
class Recipe:
    """How an embedded super-resolution model is made."""

    model: str
    """The name of the weight file."""
    system: str
    preset: str
    data: str
    data_licence: str
    licence: str
    """Of the weights."""
    protocols: tuple[str, ...]
    known_failures: str
    file: Path
    """The recipe's own source, whose hash is in the card."""
    settings: tuple[str, ...] = ()
    """`field=value` on top of the preset, as `limner.verbs.train.plan` takes them."""
    start_from: str | None = None
    """A model's name or weight file, or `none`, as `limner.verbs.train.plan` takes it; None is the preset's."""
    distance: bool = False
    """Whether the card also tells the VGG distance."""


def make_model(
    recipe: Recipe,
    *,
    data: Path,
    benchmarks: Path,
    minutes: float,
    device: str,
    run: Path,
    resume: bool = False,
    ship: bool = False,
    watchers: Sequence[Watcher] = (),
    on_step: OnStep | None = None,
) -> Report | None:
    """Train for `minutes` in all, evaluate, and write `<model>.safetensors`, `.toml` and `.md` into `run`.

    Args:
        recipe: What to make.
        data: Folder of training pictures.
        benchmarks: Folder of benchmark sets.
        minutes: Training time over all resumptions; more gives a better model.
        device: A torch device.
        run: Folder of the run.
        resume: Go on with the run in that folder.
        ship: Copy weights and card into the package.
        watchers: Told of every step.
        on_step: Told of every picture evaluated.

    Returns:
        The evaluation; None if training was stopped by a signal (resume it).
    """
    goal = plan(
        recipe.system,
        data,
        preset=recipe.preset,
        assignments=recipe.settings,
        minutes=minutes,
        start_from=recipe.start_from,
    )
    if resume and (earlier := read_plan(run)) != goal.model_copy(update={"minutes": earlier.minutes}):
        raise LimnerError(f"{run} holds a run of another plan: name another folder, or leave out --resume")
    result = train(goal, run, resume=resume, device=device, watchers=watchers)
    if not result.finished:
        return None
    weights = run / f"{recipe.model}.safetensors"
    provenance = f"{recipe.file.name} of Limner, {result.step} steps on {recipe.data}"
    header = Header(system=recipe.system, config=goal.config, licence=recipe.licence, provenance=provenance)
    entry = find(recipe.system)
    save_weights(weights, entry.product_of(result.system).state_dict(), header, dtype=torch.float16)
    model = evaluable(str(weights), device=device)
    model.name = entry.published_name(goal.config) or recipe.model
    report = evaluate_super_resolution(
        benchmarks,
        [model],
        scales=model.scales,
        protocols=recipe.protocols,
        distance=recipe.distance,
        on_step=on_step,
    )
    weights.with_suffix(".md").write_text(report.to_markdown(), encoding="utf-8")
    write_card(weights.with_suffix(".toml"), _card(recipe, goal, result, report, weights))
    if ship:
        for file in (weights, weights.with_suffix(".toml")):
            shutil.copyfile(file, WEIGHTS / file.name)
    return report


def _card(recipe: Recipe, goal: Plan, result: FitResult, report: Report, weights: Path) -> Card:
    machine = report.machine
    accelerator = "" if machine.accelerator == "none" else f", {machine.accelerator}"
    return Card(
        model=recipe.model,
        system=recipe.system,
        paper=find(recipe.system).paper,
        config=goal.config,
        data=recipe.data,
        data_licence=recipe.data_licence,
        licence=recipe.licence,
        recipe=f"recipes/{recipe.file.name}",
        recipe_sha256=sha256(recipe.file),
        weights_sha256=sha256(weights),
        steps=result.step,
        minutes=round(result.seconds / 60, 1),
        samples_seen=result.step * goal.fit.batch_size * goal.fit.accumulation,
        hardware=f"{machine.processor}, {machine.threads} threads{accelerator}",
        torch=machine.torch,
        seed=goal.fit.seed,
        fit=goal.fit.model_dump(exclude_none=True),
        known_failures=recipe.known_failures,
        metrics=_metrics(report),
    )


def _metrics(report: Report) -> dict[str, dict[str, dict[str, float]]]:
    """Protocol -> "Set5 x2" -> the model's figures beside bicubic's and the paper's."""
    bicubic = {(row.protocol, row.benchmark, row.scale): row for row in report.rows if row.method == "bicubic"}
    metrics: dict[str, dict[str, dict[str, float]]] = {}
    for row in report.rows:
        if row.method == "bicubic":
            continue
        key = (row.protocol, row.benchmark, row.scale)
        figures = {
            "psnr": round(row.psnr, 3),
            "ssim": round(row.ssim, 4),
            "bicubic_psnr": round(bicubic[key].psnr, 3),
        }
        if row.published:
            figures["paper_psnr"] = row.published[0]
        if row.distance is not None:
            figures["vgg_distance"] = round(row.distance, 4)
            figures["bicubic_vgg_distance"] = round(bicubic[key].distance or 0.0, 4)
        metrics.setdefault(row.protocol, {})[f"{row.benchmark} x{row.scale}"] = figures
    return metrics
