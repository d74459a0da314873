"""A recipe: train a system, measure it, and write its weight file and card as the package embeds them."""

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from limner.catalog.models import WEIGHTS, find, load, weights_path
from limner.errors import LimnerError
from limner.files.atomic import atomic_path
from limner.files.cards import Card, read_card, write_card
from limner.files.weights import Header, save_weights, sha256
from limner.loops.fit import FitResult
from limner.loops.step_report import Watcher
from limner.measure.report import Metrics, Report
from limner.processor import Machine
from limner.training.beginning import products
from limner.training.train import Plan, plan, read_plan, train


@dataclass(frozen=True)
class Recipe:
    """How an embedded model is made."""

    model: str
    """The name of the weight file."""
    system: str
    preset: str
    data: str
    data_licence: str
    licence: str
    """Of the weights."""
    known_failures: str
    file: Path
    """The recipe's own source, whose hash is in the card."""
    settings: tuple[str, ...] = ()
    """`field=value` on top of the preset, as `limner.training.train.plan` takes them."""
    start_from: str | None = None
    """A model's name or weight file, or `none`, as `limner.training.train.plan` takes it; None is the preset's."""
    share: float = 1.0
    """Of what was trained in the weights; the rest is of what training began with (Wang et al. 2018, ESRGAN,
    arXiv:1809.00219, section 3.4, network interpolation)."""


class Trained(NamedTuple):
    """A finished run and the weight file that came of it."""

    goal: Plan
    result: FitResult
    weights: Path
    device: str
    """That it was trained on."""


def train_model(
    recipe: Recipe,
    *,
    data: Path,
    minutes: float,
    device: str,
    run: Path,
    resume: bool = False,
    settings: Sequence[str] = (),
    watchers: Sequence[Watcher] = (),
) -> Trained | None:
    """Train for `minutes` in all and write `<model>.safetensors` into `run`, in half precision.

    Args:
        recipe: What to make.
        data: Training pictures.
        minutes: Training time over all resumptions.
        device: A torch device.
        run: Folder of the run.
        resume: Go on with the run in that folder.
        settings: `field=value` on top of the recipe's own.
        watchers: Called for every step.

    Returns:
        None if training was stopped by a signal (resume it).

    Raises:
        LimnerError: If the run to resume is of another plan.
    """
    goal = plan(
        recipe.system,
        data,
        preset=recipe.preset,
        assignments=[*recipe.settings, *settings],
        minutes=minutes,
        start_from=recipe.start_from,
        validation=0.0,
    )
    if resume and (earlier := read_plan(run)) != goal.model_copy(update={"minutes": earlier.minutes}):
        raise LimnerError(f"{run} holds a run of another plan: name another folder, or leave out --resume")
    result = train(goal, run, resume=resume, device=device, watchers=watchers)
    if not result.finished:
        return None
    weights = run / f"{recipe.model}.safetensors"
    provenance = f"{recipe.file.name} of Limner, {result.step} steps on {recipe.data}"
    header = Header(system=recipe.system, config=goal.config, licence=recipe.licence, provenance=provenance)
    state = find(recipe.system).product_state(result.system)
    if recipe.share < 1:
        state = _interpolated(state, goal.start_from, recipe.share)
    save_weights(weights, state, header, dtype=torch.float16)
    return Trained(goal, result, weights, device)


def _interpolated(trained: Mapping[str, Tensor], begun: Sequence[str], share: float) -> dict[str, Tensor]:
    found = products(begun)
    if not found:
        raise LimnerError(f"a share of {share} of what was trained needs a model that training begins with, got none")
    start = load(found[0])[0].state_dict()
    return {name: torch.lerp(start[name].to(one), one, share) for name, one in trained.items()}


def make(
    recipe: Recipe,
    measure: Callable[[Trained], Report],
    *,
    data: Path,
    minutes: float,
    device: str,
    run: Path,
    resume: bool = False,
    ship: bool = False,
    settings: Sequence[str] = (),
    watchers: Sequence[Watcher] = (),
) -> Report | None:
    """Train for `minutes` in all, measure, and write `<model>.safetensors`, `.toml` and `.md` into `run`.

    Args:
        recipe: What to make.
        measure: What the trained model is worth.
        data: Training pictures.
        minutes: Training time over all resumptions; more gives a better model.
        device: A torch device.
        run: Folder of the run.
        resume: Go on with the run in that folder.
        ship: Copy weights and card into the package.
        settings: `field=value` on top of the recipe's own.
        watchers: Called for every step.

    Returns:
        What was measured; None if training was stopped by a signal (resume it).

    Raises:
        LimnerError: If the run to resume is of another plan.
    """
    trained = train_model(
        recipe, data=data, minutes=minutes, device=device, run=run, resume=resume, settings=settings, watchers=watchers
    )
    if trained is None:
        return None
    report = measure(trained)
    _document(recipe, trained, report, ship=ship)
    return report


def _document(recipe: Recipe, trained: Trained, report: Report, *, ship: bool) -> None:
    """Write the card and the report beside the weights, and with `ship` copy weights and card into the package."""
    weights = trained.weights
    with atomic_path(weights.with_suffix(".md")) as temporary:
        temporary.write_text(report.to_markdown(), encoding="utf-8")
    write_card(weights.with_suffix(".toml"), _card(recipe, trained, report.machine, report.metrics))
    if ship:
        for file in (weights, weights.with_suffix(".toml")):
            with atomic_path(WEIGHTS / file.name, needs=file.stat().st_size) as temporary:
                shutil.copyfile(file, temporary)


def _card(recipe: Recipe, trained: Trained, machine: Machine, metrics: Metrics) -> Card:
    goal, result = trained.goal, trained.result
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
        weights_sha256=sha256(trained.weights),
        steps=result.step,
        minutes=round(result.seconds / 60, 1),
        samples_seen=result.step * goal.fit.batch_size * goal.fit.accumulation,
        hardware=machine.hardware,
        torch=machine.torch,
        seed=goal.fit.seed,
        start_from=" and ".join(map(_described, goal.start_from)) or None,
        share=recipe.share if recipe.share < 1 else None,
        fit=goal.fit.model_dump(exclude_none=True),
        known_failures=recipe.known_failures,
        metrics=metrics,
    )


def _described(model: str) -> str:
    """Its name, and where it has a card how long it was trained, and from what."""
    weights = weights_path(model)
    if not weights.with_suffix(".toml").exists():
        return weights.stem
    card = read_card(weights.with_suffix(".toml"))
    before = f", from {card.start_from}" if card.start_from else ""
    return f"{weights.stem} of {card.steps} steps in {card.minutes:.0f} minutes{before}"
