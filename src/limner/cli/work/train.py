"""The work of `limner train`: the plan, the run, and what is said when it ends."""

import shlex
from dataclasses import dataclass
from pathlib import Path

import typer
from rich.console import Console

from limner.catalog import find
from limner.cli.errors import say
from limner.errors import LimnerError
from limner.files.weights import read_header
from limner.loops.fit import FitResult, Watcher
from limner.loops.watch import CsvLog, TensorBoardLog, Terminal
from limner.runtime.allocator import keep_freed_memory
from limner.runtime.device import choose_device
from limner.training.train import MODEL_FILE, Plan, plan, read_plan, train
from limner.verbs.skeleton import paints

_GIVEN = {  # to networks that take something else than a photo alone
    "texture-network": ["--method", "network"],
    "adain": ["photo.jpg", "--style", "painting.jpg"],
}


@dataclass(frozen=True)
class Asked:
    """What to train, as the command line says it."""

    name: str
    data: Path | None
    styles: list[str]
    preset: str | None
    assignments: list[str]
    minutes: float | None
    steps: int | None
    seed: int | None
    start_from: str | None


def train_run(
    asked: Asked, run: Path, device: str, workers: int, resume: bool, tensorboard: bool, save_every: float
) -> None:
    """Train, and say where the model lies.

    Raises:
        LimnerError: If the plan or the pictures do not fit.
        typer.Exit: With 1, if training was stopped.
    """
    keep_freed_memory()
    goal = _extended(asked, run) if resume else _fresh(asked)
    watchers: list[Watcher] = [CsvLog(run / "log.csv"), Terminal(Console(stderr=True))]
    if tensorboard:
        watchers.append(TensorBoardLog(run / "tensorboard"))
    result = train(
        goal,
        run,
        resume=resume,
        device=str(choose_device(device)),
        num_workers=workers,
        save_every=save_every,
        watchers=watchers,
    )
    own = [f"--device={device}"] * (device != "auto") + [f"--workers={workers}"] * (workers > 0)
    own += ["--tensorboard"] * tensorboard
    _conclude(result, asked.name, run, own)


def _fresh(asked: Asked) -> Plan:
    if asked.data is None:
        raise LimnerError("training needs pictures: pass --data FOLDER")
    return plan(
        asked.name,
        asked.data,
        styles=asked.styles,
        preset=asked.preset,
        assignments=asked.assignments,
        minutes=asked.minutes,
        steps=asked.steps,
        seed=asked.seed or 0,
        start_from=asked.start_from,
    )


def _extended(asked: Asked, run: Path) -> Plan:
    """The plan of the run; only its length may be changed."""
    earlier = read_plan(run)
    if earlier.system != asked.name:
        raise LimnerError(
            f"{run} holds a run of {earlier.system}, got {asked.name}: name another --out, or {earlier.system}"
        )
    given = {
        "--data": asked.data is not None and str(asked.data.resolve()) != earlier.folder,
        "--style": bool(asked.styles),
        "--preset": asked.preset is not None,
        "--set": bool(asked.assignments),
        "--seed": asked.seed is not None and asked.seed != earlier.fit.seed,
        "--start-from": asked.start_from is not None,
    }
    if changed := [option for option, is_given in given.items() if is_given]:
        raise LimnerError(
            f"--resume goes on with the plan in {run}, so {' and '.join(changed)} cannot be given: "
            "leave out, or start another run with another --out"
        )
    fit = earlier.fit if asked.steps is None else earlier.fit.override([f"steps={asked.steps}"])
    minutes = earlier.minutes if asked.minutes is None else asked.minutes
    return Plan.parse({**earlier.model_dump(), "fit": fit.model_dump(), "minutes": minutes})


def _conclude(result: FitResult, name: str, run: Path, own: list[str]) -> None:
    model = run / MODEL_FILE
    if not result.finished:
        command = shlex.join(["limner", "train", name, "--out", str(run), "--resume", *own])
        say(f"stopped after {result.step} steps, all saved; go on with: {command}")
        raise typer.Exit(1)
    print(f"{model}  {result.step} steps, {result.seconds / 60:.1f} minutes")
    painting = paints(read_header(model))
    verb = "stylize" if painting else find(name).verbs[0]
    given = ["photo.jpg"] if painting else _GIVEN.get(name, ["photo.jpg"])
    say(f"use it with: {shlex.join(['limner', verb, *given, '--model', str(model)])}")
