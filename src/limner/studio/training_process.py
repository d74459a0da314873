"""The process of one training: it says how far it is by lines of JSON, and SIGINT stops it with all saved."""

import json
import signal
import sys
import time
from pathlib import Path
from typing import Any

from limner.cli.commands.train import Options
from limner.cli.errors import describe
from limner.cli.work.train import extended_plan, fresh_plan
from limner.data.folder import check_headers
from limner.loops.step_report import StepReport
from limner.loops.watch import CsvLog
from limner.runtime.allocator import keep_freed_memory
from limner.runtime.device import choose_device
from limner.studio.guard import BUG
from limner.studio.lines import line_of
from limner.studio.trainings import TRAIN
from limner.training.train import Plan, data_files, held_out_pictures, train
from limner.training.validation import read_validation, verdict

_EVERY = 1.0  # seconds between two words


class Telling:
    """A watcher that prints a line of JSON every second, and of the last step."""

    def __init__(self) -> None:
        self._told = float("-inf")
        self._untold: StepReport | None = None

    def start(self, step: int) -> None:
        """Nothing is to be opened."""

    def step(self, report: StepReport) -> None:
        """Say how far it is, every now and then."""
        self._untold = report
        if time.monotonic() - self._told >= _EVERY:
            self._tell(report)

    def _tell(self, report: StepReport) -> None:
        self._told, self._untold = time.monotonic(), None
        losses = {name: float(f"{loss.item():.6g}") for name, loss in report.losses.items()}
        say(step=report.step, share=report.share, train_seconds=round(report.seconds, 2), losses=losses)

    def tell(self, text: str) -> None:
        """Say what its user should know of the run."""
        say(note=TRAIN.said(text))

    def close(self) -> None:
        """Say where the run stands now: it goes on from there."""
        if self._untold:
            self._tell(self._untold)


def say(**facts: Any) -> None:
    """One line for the service."""
    sys.stdout.buffer.write(line_of(facts).encode() + b"\n")
    sys.stdout.buffer.flush()


def check(options: Options) -> dict[str, Any]:
    """What would be trained on what; the heads of all files are read.

    Raises:
        LimnerError: If the plan or a file does not fit.
    """
    goal = fresh_plan(options)
    files, held_out = data_files(goal), held_out_pictures(goal)
    check_headers(dict.fromkeys((*files, *held_out)))
    return {
        "system": goal.system,
        "folder": goal.folder,
        "files": len(files),
        "examples": [path.name for path in files[:6]],
        "kept_for_validation": len(held_out),
        "steps": goal.fit.steps,
        "minutes": goal.minutes,
        "batch_size": goal.fit.batch_size,
        "start_from": goal.start_from,
        "classes": list(goal.config.get("class_names", ())),
    }


def learn(options: Options, goal: Plan, run: Path) -> dict[str, Any]:
    """Train to the end or until it is stopped; what has come of it.

    Raises:
        LimnerError: If pictures cannot be read, or a loss is no longer finite.
    """
    result = train(
        goal, run, resume=options.resume, accept_changes=options.accept_changes,
        device=str(choose_device(options.device)), save_every=60.0, watchers=[CsvLog(run / "log.csv"), Telling()],
    )  # fmt: skip
    if not result.finished:
        return {"state": "stopped", "step": result.step}
    measured = read_validation(run)
    figures = [figure._asdict() for figure in measured[-1]["figures"]] if measured else []
    return {
        "state": "done", "step": result.step, "validation": figures,
        "verdict": [TRAIN.said(line) for line in verdict(run)],
    }  # fmt: skip


def main() -> None:
    """Do what the service writes."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # what is begun in the background ignores it
    order = json.load(sys.stdin)
    values = order["options"]
    try:
        paths = {name: Path(values[name]) for name in ("data", "output") if values.get(name)}
        options = Options(**{**values, **paths})
        if order["do"] == "check":
            say(answer=check(options))
            return
        keep_freed_memory()
        run = paths["output"]
        say(**learn(options, extended_plan(options, run) if options.resume else fresh_plan(options), run))
    except Exception as error:
        mend = describe(error)
        say(state="failed", error=BUG if mend is None else TRAIN.said(mend))
        if mend is None:
            raise


if __name__ == "__main__":
    main()
