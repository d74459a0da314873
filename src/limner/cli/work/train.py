"""The work of `limner train`: the plan, the run, and what is said when it ends."""

import shlex
from pathlib import Path
from typing import Any

import typer
from rich.console import Console

from limner import processes
from limner.catalog.models import ENTRIES, build, find, tasks_of
from limner.cli.command import changed
from limner.cli.commands.train import Options
from limner.cli.errors import say
from limner.cli.printing import print_json, print_line
from limner.cli.work.dry_run import show
from limner.data.folder import check_headers
from limner.data.pairs import PairsConfig
from limner.errors import LimnerError
from limner.files.weights import MODEL_FILE, read_header
from limner.loops.fit import STATE_FILE, FitResult
from limner.loops.step_report import Watcher
from limner.loops.watch import CsvLog, TensorBoardLog, Terminal
from limner.runtime.allocator import keep_freed_memory
from limner.runtime.device import choose_device
from limner.runtime.memory import parse_bytes
from limner.training.beginning import begin_with
from limner.training.fields import length_and_rate
from limner.training.train import (
    Plan,
    data_files,
    held_out_pictures,
    is_begun,
    plan,
    read_plan,
    train,
)
from limner.training.validation import read_validation, verdict

_OF_THE_PLAN = ("data", "styles", "derive", "preset", "seed", "start_from", "validation")


def run(options: Options) -> None:
    """Train, and say where the model lies.

    Raises:
        LimnerError: If the plan or the pictures do not fit.
        typer.Exit: With 1, if training was stopped.
    """
    keep_freed_memory()
    folder = options.output or Path("runs") / options.name
    is_first = processes.started_as().is_first
    goes_on = processes.was_restarted() and (folder / STATE_FILE).is_file()
    resume, force = options.resume or goes_on, options.force or processes.was_restarted()
    if is_first and not resume and not force and is_begun(folder):
        raise LimnerError(
            f"{folder} holds a run already: pass --resume to go on, --force to begin anew, or name another --output"
        )
    goal = read_plan(folder) if goes_on else extended_plan(options, folder) if resume else fresh_plan(options)
    if options.dry_run:
        _show(options, goal, folder)
        return
    watchers: list[Watcher] = [CsvLog(folder / "log.csv"), Terminal(Console(stderr=True))] if is_first else []
    if options.tensorboard and is_first:
        watchers.append(TensorBoardLog(folder / "tensorboard"))
    result = train(
        goal,
        folder,
        resume=resume,
        overwrite=force,
        accept_changes=options.accept_changes,
        memory=None if options.memory is None else parse_bytes(options.memory),
        device=str(choose_device(options.device)),
        num_workers=options.workers,
        save_every=options.save_every,
        watchers=watchers,
    )
    if is_first:
        _conclude(options, result, folder)
    elif not result.finished:
        raise typer.Exit(1)


def _show(options: Options, goal: Plan, folder: Path) -> None:
    """What would be trained, on what, and for how long.

    Raises:
        LimnerError: If training would refuse the pictures or the models that it begins with.
    """
    if goal.start_from and not options.resume:
        begin_with(goal.start_from, find(goal.system), build(goal.system, goal.config), goal.config)
    length = f"{goal.fit.steps} steps" + (f" or {goal.minutes:g} minutes" if goal.minutes else "")
    held_out = held_out_pictures(goal)
    check_headers(dict.fromkeys((*data_files(goal), *held_out)))
    facts: dict[str, Any] = {
        "system": goal.system,
        "length": length,
        "batch_size": goal.fit.batch_size,
        "kept_for_validation": len(held_out),
        "device": str(choose_device(options.device)),
    }
    show([(goal.folder, folder / MODEL_FILE)], as_json=options.as_json, **facts)


def fresh_plan(options: Options) -> Plan:
    """What is asked for, of a run that begins.

    Raises:
        LimnerError: If something is missing or does not fit.
    """
    if options.data is None:
        raise LimnerError("training needs pictures: pass --data FOLDER")
    return plan(
        options.name,
        options.data,
        styles=options.styles,
        preset=options.preset,
        assignments=[*_derived(options), *options.assignments],
        minutes=options.minutes,
        steps=options.steps,
        seed=options.seed or 0,
        start_from=options.start_from or None,
        learning_rate=options.learning_rate,
        batch_size=options.batch_size,
        validation=_validation(options.validation),
    )


def _derived(options: Options) -> list[str]:
    """What `--derive` assigns.

    Raises:
        LimnerError: If the system does not learn from pairs.
    """
    if not options.derive:
        return []
    if not isinstance(find(options.name).default.data, PairsConfig):
        able = ", ".join(entry.name for entry in ENTRIES if isinstance(entry.default.data, PairsConfig))
        raise LimnerError(f"--derive makes pairs, and {options.name} does not learn from them: leave it out, or {able}")
    return [f"data.derive={options.derive}"]


def _validation(text: str) -> float | Path:
    """A share, or a folder of other pictures."""
    try:
        return float(text)
    except ValueError:
        return Path(text)


def extended_plan(options: Options, folder: Path) -> Plan:
    """The plan of the run in a folder; only its length, and how it is optimised, may be changed.

    Raises:
        LimnerError: If it is another run, or something else is asked for.
    """
    earlier = read_plan(folder)
    if earlier.system != options.name:
        raise LimnerError(
            f"{folder} holds a run of {earlier.system}, got {options.name}: name another --output, or {earlier.system}"
        )
    is_same = {
        "data": options.data is not None and str(options.data.resolve()) == earlier.folder,
        "seed": options.seed == earlier.fit.seed,
    }
    names = [name for name in _OF_THE_PLAN if not is_same.get(name)]
    if refused := changed(options, *names):
        raise LimnerError(
            f"--resume goes on with the plan in {folder}, so {' and '.join(refused)} cannot be given: "
            "leave out, or start another run with another --output"
        )
    others = [text for text in options.assignments if not text.startswith("fit.")]
    if others:
        raise LimnerError(
            f"--resume goes on with the plan in {folder}, so of --set only fit.FIELD may be given, such as "
            f"fit.optimizer.learning_rate=0.0001, got {others[0]}: leave it out, or start another run"
        )
    changes = [text.removeprefix("fit.") for text in options.assignments]
    changes += [f"steps={options.steps}"] * (options.steps is not None)
    changes += length_and_rate(earlier.fit, options.learning_rate, options.batch_size)
    fit = earlier.fit.override(changes)
    minutes = earlier.minutes if options.minutes is None else options.minutes
    return Plan.parse({**earlier.model_dump(), "fit": fit.model_dump(), "minutes": minutes})


def _conclude(options: Options, result: FitResult, folder: Path) -> None:
    name, model = options.name, folder / MODEL_FILE
    if not result.finished:
        own = [f"--device={options.device}"] * (options.device != "auto")
        own += [f"--workers={options.workers}"] * (options.workers > 0) + ["--tensorboard"] * options.tensorboard
        command = shlex.join(["limner", "train", name, "--output", str(folder), "--resume", *own])
        say(f"stopped after {result.step} steps, all saved; go on with: {command}")
        raise typer.Exit(1)
    measured = read_validation(folder)
    if options.as_json:
        figures = [figure._asdict() for figure in measured[-1]["figures"]] if measured else []
        facts = {"output": str(model), "steps": result.step, "seconds": round(result.seconds, 1)}
        print_json({**facts, "system": name, "validation": figures})
    else:
        print_line(f"{model}  {result.step} steps, {result.seconds / 60:.1f} minutes")
    for line in verdict(folder):
        say(line)
    for task in tasks_of(read_header(model)):
        if task.evaluation:
            say(f"measure it with: limner evaluate {task.evaluation} --model {shlex.quote(str(model))} --data FOLDER")
        say(f"use it with: {task.hint(model)}")
