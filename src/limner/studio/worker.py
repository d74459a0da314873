"""The process that does the work: one job at a time, and between its steps what is asked for at once.

It is told what to do by lines of JSON on its standard input, and answers by lines on its standard output.
A picture that is drawn waits for one step of a long job, not for all of it, and still there is one call of a model
at a time.
"""

import contextlib
import io
import json
import os
import re
import signal
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterable
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import IO, Any, TypeVar

import typer

from limner.cli.errors import describe
from limner.cli.progress import told_of_progress
from limner.errors import LimnerError
from limner.studio.guard import BUG
from limner.studio.lines import line_of, read_line
from limner.studio.places import without_places
from limner.studio.verbs import Verb, find_verb

_PLACE = re.compile(r"\.\./results(/|(?=:))")  # of results, which is no user's matter
_OFTEN = 0.1  # seconds between two words of progress
_EVERY = 10  # steps between two previews
_OPTIMISES = (None, "gatys", "optimize")  # the methods that can be watched
_OF_VERB = {"draw": "translate", "sample": "generate"}  # what is done at once, and the verb that it belongs to

Made = TypeVar("Made")


class Worker:
    """Takes orders and does them.

    Args of the constructor:
        answers: Where lines go.
        quick: What is done between the steps of a job, by its name: from an order to an answer.
        places: Folders that nobody is told of.
    """

    def __init__(
        self,
        answers: IO[str],
        quick: dict[str, Callable[[dict[str, Any]], dict[str, Any]]],
        places: Iterable[str] = (),
    ) -> None:
        self._answers, self.quick, self._places = answers, quick, dict.fromkeys(places, "")
        self._asked, self._jobs = deque[dict[str, Any]](), deque[dict[str, Any]]()
        self._news, self._writing = threading.Condition(), threading.Lock()
        self._job: str | None = None
        self._cancelled = self._breakable = self._is_broken_off = False
        self._told = 0.0

    def listen(self, orders: IO[str]) -> None:
        """Read orders until the other side has gone; then end at once, whatever is being done."""
        for text in orders:
            order = json.loads(text)
            with self._news:
                if order["do"] == "cancel":
                    self._cancel(order["id"])
                else:
                    (self._jobs if order["do"] == "job" else self._asked).append(order)
                    self._news.notify()
        os._exit(0)

    def serve(self) -> None:
        """Do what is asked for, for ever."""
        signal.signal(signal.SIGINT, self._break_off)
        while True:
            with self._news:
                while not self._asked and not self._jobs:
                    self._news.wait()
            self._do_quick()
            with self._news:
                job = self._jobs.popleft() if self._jobs else None
                self._job = job["id"] if job else None
            if job:
                self._do_job(job)

    def _cancel(self, job: str) -> None:
        """Stop a job in the middle of what it does; one that has not begun never begins."""
        if job == self._job and not self._cancelled:
            self._cancelled = True
            os.kill(os.getpid(), signal.SIGINT)
        elif waiting := [one for one in self._jobs if one["id"] == job]:
            self._jobs.remove(waiting[0])
            self.answer(id=job, state="cancelled", error=None, notes=[], facts=None)

    def _break_off(self, number: int, frame: FrameType | None) -> None:
        """Of a job that does not end by itself when it is interrupted, as those of optimisations do."""
        self._is_broken_off = self._job is not None
        if self._is_broken_off and self._breakable:
            raise KeyboardInterrupt

    def _breakably(self, does: Callable[..., Made], *given: Any) -> Made:
        """Call what a cancelled job breaks off; nothing else is broken off, as half a line of an answer would be."""
        self._breakable = True
        try:
            if self._is_broken_off:
                raise KeyboardInterrupt
            return does(*given)
        finally:
            self._breakable = False

    def answer(self, **facts: Any) -> None:
        """Write one line."""
        with self._writing:
            self._answers.write(line_of(facts) + "\n")
            self._answers.flush()

    def _do_quick(self) -> None:
        while self._asked:
            order = self._asked[0]  # it stays there until it is answered, for a job's cancellation breaks it off
            self.answer(id=order["id"], begun=True)
            try:
                self.answer(id=order["id"], answer=self._breakably(self.quick[order["do"]], order))
            except Exception as error:
                line = _line(error, find_verb(_OF_VERB.get(order["do"], "stylize")))
                self.answer(id=order["id"], error=without_places(line, known=self._places))
            self._asked.popleft()

    def _progress(self, share: float) -> None:
        self._breakable = False
        try:
            self._do_quick()
            if time.monotonic() - self._told > _OFTEN or share >= 1:
                self._told = time.monotonic()
                self.answer(id=self._job, done=share)
        finally:
            self._breakable = True
        if self._is_broken_off:
            raise KeyboardInterrupt

    def _do_job(self, order: dict[str, Any]) -> None:
        self.answer(id=self._job, state="running")
        said, printed = io.StringIO(), io.StringIO()
        error: str | None = None
        verb = find_verb(order["verb"])
        try:
            with (
                contextlib.redirect_stdout(printed),
                contextlib.redirect_stderr(said),
                told_of_progress(self._progress),
            ):
                self._breakably(run, verb, order)
        except KeyboardInterrupt:
            self._cancelled = True
        except typer.Exit as ended:
            error = "some files have no result" if ended.exit_code else None
        except Exception as failed:
            error = _line(failed, verb)
        with self._news:
            job, is_cancelled = self._job, self._cancelled
            self._job, self._cancelled, self._is_broken_off = None, False, False
        state = "cancelled" if is_cancelled else "failed" if error else "done"
        lines = [line for line in said.getvalue().splitlines() if line.strip() and not line.startswith("step ")]
        notes = [verb.said(line.removeprefix("note: ")) for line in lines]
        known = {**self._places, order["folder"]: "", **_names_of_styles()}
        became = {"error": error, "notes": notes[-50:], "facts": _facts(printed.getvalue())}
        self.answer(id=job, state=state, **without_places(became, known=known))


def run(verb: Verb, order: dict[str, Any]) -> None:
    """Run a command in the folder of a job's inputs.

    Args:
        verb: Which.
        order: `folder` of the job, `options` that were parsed, `files` by the fields that name them, `machine`: the
            fields that the service decides.
    """
    inputs, results = Path(order["folder"]) / "inputs", Path(order["folder"]) / "results"
    os.chdir(inputs)
    results.mkdir(exist_ok=True)
    values: dict[str, Any] = {**verb.parse(order["options"]), **order["models"]}
    for name, files in order["files"].items():
        values[name] = (
            files if name == "styles" else [Path(one) for one in files] if isinstance(files, list) else Path(files)
        )
    machine = {"output": verb.output(order["options"]), "as_json": True, "force": True, **order["machine"]}
    if values.get("method") in _OPTIMISES and (verb.name != "stylize" or "method" in values):
        machine["preview_every"] = _EVERY
    machine["preview"] = results / "learning_preview.png"
    if verb.name == "learn-style":
        del machine["output"]
    values |= {name: value for name, value in machine.items() if verb.has(name)}
    import_module(verb.work).run(verb.options(**values))
    if verb.gives == "style":  # how it paints is all that there is to be seen of it
        machine["preview"].rename(results / f"{Path(order['files']['paintings'][-1]).stem}_learnt.png")


def _names_of_styles() -> dict[str, str]:
    """Of those that are learnt, by the files that commands call them by."""
    from limner.verbs.learnt_styles import learnt_names  # is there already, and takes seconds before the first job

    with contextlib.suppress(LimnerError):
        return learnt_names()
    return {}


def _facts(printed: str) -> Any:
    try:
        return read_line(printed)
    except ValueError:
        return None


def _line(error: Exception, verb: Verb) -> str:
    """One line for its user; of a bug the rest goes where the service was started."""
    line = describe(error)
    if line is None:
        traceback.print_exception(error, file=sys.__stderr__)
        return BUG
    return verb.said(_PLACE.sub("", line))


def main() -> None:
    """Serve the process that has started this one."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what libraries print is no answer
    settings = json.loads(sys.argv[1])
    places = [Path(one) for one in settings["models"]]
    worker = Worker(answers, {}, settings["models"])
    threading.Thread(target=worker.listen, args=(sys.stdin,), daemon=True).start()
    from limner.studio.described import described  # takes seconds, in which orders are taken already
    from limner.studio.drawing import Drawing
    from limner.studio.sampling import Sampling
    from limner.studio.thumbnails import write_thumbnails

    worker.quick |= {
        "list": lambda order: described(places),
        "draw": Drawing(settings).draw,
        "sample": Sampling(settings).sample,
        "thumbnails": write_thumbnails,
    }
    worker.answer(id="hello", answer=described(places))
    worker.serve()


if __name__ == "__main__":
    main()
