"""`train`: a system on one's own pictures, in a folder that holds all that a resumed run needs."""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from os import PathLike
from pathlib import Path
from typing import Any

from pydantic import field_validator

from limner import processes
from limner.arguments import check_path, check_seed, check_steps, model_text, shown
from limner.catalog.entry import Entry, Preset
from limner.catalog.models import build, find, weights_path
from limner.config import Config
from limner.data.folder import find_images
from limner.data.source import DataConfig, TrainingData
from limner.errors import LimnerError
from limner.files.json_text import parse_json
from limner.files.lock import alone_at
from limner.files.shard_path import unpacked
from limner.files.weights import MODEL_FILE, Header, save_weights
from limner.loops.checkpoint import seed_everything
from limner.loops.fit import STATE_FILE, FitConfig, FitResult, fit
from limner.loops.step_report import Watcher
from limner.loops.watch import SampleGrid
from limner.training.beginning import begin_with
from limner.training.fields import check_field, length_and_rate
from limner.training.notes import NOTES_FILE, Told, health_watch, note_writer, noting_why_it_stopped
from limner.training.quick_check import quick_lines
from limner.training.run_folder import FILES_FILE, Kept, checked_files, listed, parents_of, telling_of_lost
from limner.training.sheets import sheet_writer
from limner.training.small_samples import telling_of_small_samples
from limner.training.validation import VALIDATION_FILE, Validation, measure_of
from limner.verbs.stylize.named_styles import style_picture

PLAN_FILE = "plan.json"


class Plan(Config):
    """What a run is: written when it starts, read when it is resumed."""

    system: str
    config: dict[str, Any]
    fit: FitConfig
    data: dict[str, Any]
    folder: str
    minutes: float | None = None
    start_from: tuple[str, ...] = ()
    """Models whose weights training begins with: one that is used, players of its game; plans of old name one, or
    null."""
    validation: str | None = None
    """A folder of pictures that it is measured on; None: on what `data.held_out` keeps from training."""

    @field_validator("start_from", mode="before")
    @classmethod
    def _one_or_none(cls, value: Any) -> Any:
        return () if value is None else (value,) if isinstance(value, str) else value


def plan(
    name: str,
    folder: str | Path,
    *,
    preset: str | None = None,
    assignments: Sequence[str] = (),
    minutes: float | None = None,
    steps: int | None = None,
    seed: int = 0,
    start_from: str | PathLike[str] | Sequence[str | PathLike[str]] | None = None,
    styles: Sequence[str | Path] = (),
    learning_rate: float | None = None,
    batch_size: int | None = None,
    validation: float | str | Path = 0.1,
) -> Plan:
    """Say what to train, before anything is read or written.

    Args:
        name: A system of the catalog.
        folder: Of training pictures.
        preset: One of the system's presets; None is its first.
        assignments: `field=value` for the system's configuration, `fit.field=value`, `data.field=value`.
        minutes: Training time; learning-rate schedules run over it. None: `steps` count.
        steps: Overrides the preset's number of steps.
        seed: Of weights and samples.
        start_from: The model, or its weight file, whose weights training begins with, or several: also a discriminator
            that `import_model` has written. `none` begins with chance, None with what the preset says.
        styles: Pictures, or names of those that come with Limner, for a system that learns to paint as they are.
        learning_rate: Of every player, instead of the preset's.
        batch_size: Instead of the preset's.
        validation: What is kept from training, for measuring what the model is worth: a share of the pictures, or a
            folder of others. Of fewer than six pictures a tenth is none.

    Raises:
        LimnerError: If a name is unknown or a value does not fit.

    Example:
        >>> import limner
        >>> goal = limner.plan("vdsr", "photos", minutes=60)
        >>> goal.system, goal.minutes
        ('vdsr', 60.0)
    """
    check_path("folder", folder)
    check_seed(seed)
    check_steps(steps)
    folder = Path(folder)
    if isinstance(validation, float | int) and not 0 <= validation < 1:
        raise LimnerError(f"validation must be a share of at least 0 and below 1, or a folder, got {validation:g}")
    if minutes is not None and not 0 < minutes < math.inf:
        raise LimnerError(f"minutes must be above 0 and finite, got {minutes}")
    entry = find(name)
    chosen = entry.preset(preset)
    counts = [f"fit.seed={seed}"] + ([f"fit.steps={steps}"] if steps is not None else [])
    counts += [f"fit.{one}" for one in length_and_rate(chosen.fit, learning_rate, batch_size)]
    share = validation if isinstance(validation, float | int) else 0.0
    pictures = [style_picture(style) for style in styles]
    config, fit_config, data = _overridden(chosen, pictures, [f"data.held_out={share}", *assignments, *counts])
    if entry.check:
        entry.check(config, data)
    config = _with_facts(config, data.facts(unpacked(folder)), assignments)
    return Plan(
        system=name,
        config=config.model_dump(mode="json"),  # as read_plan gives it back: no tuples
        fit=fit_config,
        data=data.model_dump(mode="json"),
        folder=str(folder.resolve()),
        minutes=minutes,
        start_from=_models(chosen.start_from if start_from is None else start_from),
        validation=None if isinstance(validation, float | int) else str(Path(validation).resolve()),
    )


def _with_facts(config: Config, facts: Mapping[str, Any], assignments: Sequence[str]) -> Config:
    """A configuration with what the data decide of it, which the user may say too, but not otherwise."""
    decided = config.override([f"{name}={json.dumps(value)}" for name, value in facts.items()])
    chosen = {text.partition("=")[0].strip() for text in assignments}
    for name in facts:
        asked, found = getattr(config, name), getattr(decided, name)
        if name in chosen and asked != found:
            raise LimnerError(f"{name} is {found} in the data, got {asked}: leave out --set {name}, or name other data")
    return decided


def _models(given: str | PathLike[str] | Sequence[str | PathLike[str]] | None) -> tuple[str, ...]:
    """Their names, or where their weight files are, whatever the current folder will be."""
    several = given if isinstance(given, list | tuple) else () if given is None else (given,)
    names = [name for name in map(model_text, several) if name != "none"]
    places = {name: weights_path(name) for name in names}
    return tuple(str(places[name].resolve()) if name.endswith(".safetensors") else name for name in names)


def _overridden(
    preset: Preset, styles: Sequence[Path], assignments: Sequence[str]
) -> tuple[Config, FitConfig, DataConfig]:
    def of(section: str) -> list[str]:
        return [text.removeprefix(section) for text in assignments if text.startswith(section)]

    own = [text for text in assignments if not text.startswith(("fit.", "data."))]
    for text in own:
        check_field(text, preset)
    data = preset.data.with_styles(styles) if styles else preset.data
    return preset.config.override(own), preset.fit.override(of("fit.")), data.override(of("data."))


def data_of(plan: Plan) -> DataConfig:
    """How a run reads its data."""
    return type(find(plan.system).default.data).parse(plan.data)


def data_files(plan: Plan) -> list[Path]:
    """All files that a run reads."""
    return data_of(plan).files(unpacked(Path(plan.folder)))


def held_out_pictures(plan: Plan) -> list[Path]:
    """The files that a run is measured on; none where data are no folder of pictures."""
    data, place = data_of(plan), unpacked(Path(plan.validation or plan.folder))
    if plan.validation:
        return find_images(place)
    if not data.held_out or not place.is_dir():
        return []
    try:
        return data.model_copy(update={"part": "held out"}).pictures(place)
    except LimnerError:  # idx files
        return []


def forget(run: Path) -> None:
    """Remove what an earlier run of a folder goes on from."""
    for name in (STATE_FILE, PLAN_FILE, MODEL_FILE, VALIDATION_FILE, FILES_FILE, NOTES_FILE):
        (run / name).unlink(missing_ok=True)


def is_begun(run: Path) -> bool:
    """Whether a folder holds a run, finished or not."""
    return (run / PLAN_FILE).exists()


def read_plan(run: Path) -> Plan:
    """The plan of an earlier run.

    Raises:
        LimnerError: If the folder holds none.
    """
    path = run / PLAN_FILE
    if not path.is_file():
        raise LimnerError(f"{run} holds no run, for there is no {PLAN_FILE}: name its folder, or start one")
    try:
        values = parse_json(path.read_bytes())
    except (OSError, ValueError) as error:
        raise LimnerError(f"{path} is not the plan of a run ({error}): start a new run") from None
    if not isinstance(values, dict):
        raise LimnerError(f"{path} is not the plan of a run (no object of JSON): start a new run")
    if isinstance(trained := values.get("fit"), dict):
        trained.pop("channels_last", None)  # of older plans; the processor decides now
    return Plan.parse(values)


def train(
    plan: Plan,
    run: str | Path,
    *,
    resume: bool = False,
    overwrite: bool = False,
    accept_changes: bool = False,
    device: str = "cpu",
    memory: int | None = None,
    num_workers: int = 0,
    save_every: float = 300.0,
    watchers: Sequence[Watcher] = (),
) -> FitResult:
    """Train what `plan` says; `run` then holds the plan, the training state, sample sheets and `model.safetensors`.

    What goes wrong in a game without an error is told to those of `watchers` that can `tell`, and in `notes.txt`.

    Processes that torchrun has started train as one: each computes its part of every batch, the first one writes.

    All files of the training data are read before the first step. What they hold is kept as hashes in `run`, so that a
    run is not resumed with other pictures by mistake.

    Args:
        plan: What to train, on what and for how long.
        run: The folder of the run; one process at a time may train in it.
        resume: Go on with the run that is there.
        overwrite: Begin anew where a run is already, unless it is resumed.
        accept_changes: Resume also where the pictures are no longer those that the run began with.
        device: `cpu`, `cuda` or `mps`.
        memory: Bytes of pictures that each process keeps, as for `DataConfig.load`.
        num_workers: Processes that draw samples; 0 draws them in this one.
        save_every: Seconds between two saves of the training state.
        watchers: Called for every step.

    Raises:
        LimnerError: If pictures cannot be read (all are named) or have changed, `run` holds another run and `resume` is
            not set, or another process trains in it.
        TrainingStopped: If a loss is not finite.
        NoSpaceError: If the disk is full; the last saved state stays.

    Example:
        >>> limner.train(limner.plan("vdsr", "photos", minutes=60), "runs/mine").step  # doctest: +SKIP
        4321
    """
    if not isinstance(plan, Plan):
        raise LimnerError(f"training takes a plan, got {shown(plan)}: make one with limner.plan")
    check_path("run", run)
    run = Path(run)
    data, place = data_of(plan), unpacked(Path(plan.folder))
    with ExitStack() as held:
        own: list[Watcher] = []
        if processes.started_as().is_first:  # of processes that train as one, one writes
            held.enter_context(parents_of(run))
            held.enter_context(alone_at(run, "this run"))
            files = checked_files(data, place, run, resume=resume, accept_changes=accept_changes)
            told = [] if resume else quick_lines(data, place, files)
            own = [Kept(run / FILES_FILE, listed(files)), Told(told, note_writer(run, watchers))]
            if overwrite and not resume:
                forget(run)  # not before others are known not to be at work on it, and the pictures to be good
        where = held.enter_context(processes.joined(device))
        processes.wait_for_all()
        load = partial(data.load, place, memory=memory)
        return _trained(
            plan, run, load, resume=resume, device=where, num_workers=num_workers, save_every=save_every,
            watchers=[*watchers, *own],
        )  # fmt: skip


def _trained(
    plan: Plan,
    run: Path,
    load: Callable[[], TrainingData],
    *,
    resume: bool,
    device: str,
    num_workers: int,
    save_every: float,
    watchers: Sequence[Watcher],
) -> FitResult:
    entry = find(plan.system)
    samples = load()
    seed_everything(plan.fit.seed)
    system = build(plan.system, plan.config)
    if plan.start_from and not resume:
        begin_with(plan.start_from, entry, system, plan.config)
    if not processes.place().is_first:
        return fit(
            system, samples, plan.fit, run=run, resume=resume, device=device, minutes=plan.minutes,
            num_workers=num_workers,
        )  # fmt: skip
    run.mkdir(parents=True, exist_ok=True)
    measuring = _validation(entry, plan, run)
    sheets = SampleGrid(run / "samples", sheet_writer(samples.sheet))
    health = health_watch(system, samples, run, note_writer(run, watchers))
    with telling_of_lost(run), telling_of_small_samples(), noting_why_it_stopped(run):
        result = fit(
            system,
            samples,
            plan.fit,
            run=run,
            resume=resume,
            device=device,
            minutes=plan.minutes,
            save_every=save_every,
            num_workers=num_workers,
            watchers=[
                *watchers, sheets, *measuring, *health, Kept(run / PLAN_FILE, plan.model_dump_json(indent=2) + "\n")
            ],
        )  # fmt: skip
        provenance = f"limner train {plan.system}, {result.step} steps"
        style = Path(plan.data["style"]).stem if plan.data.get("style") else ""
        header = Header(system=plan.system, config=plan.config, provenance=provenance, style=style)
        save_weights(run / MODEL_FILE, entry.product_state(result.system), header)
    return result


def _validation(entry: Entry, plan: Plan, run: Path) -> list[Validation]:
    """What measures a run, where anything is kept from training and the system can be measured."""
    data, pictures = data_of(plan), held_out_pictures(plan)
    if not pictures:
        return []
    held_out = {"held_out": 0.0} if plan.validation else {"part": "held out"}
    samples = data.model_copy(update=held_out).load(unpacked(Path(plan.validation or plan.folder)))
    measure = measure_of(entry, plan.config, samples, pictures)
    return [Validation(run / VALIDATION_FILE, measure)] if measure else []
