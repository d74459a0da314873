"""Processes that take turns: each runs once when it is asked, so that a busy machine slows them all alike.

A process of its own for each way of running a network, because malloc's settings are for a whole process.
"""

import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Self

_ROOT = Path(__file__).resolve().parents[2]  # programs of benchmarks import each other from there
_REFERENCES = Path("/proc/self/clear_refs")

_RAISED = re.compile(r"^(?:[\w.]+\.)?(\w+(?:Error|Exception|Exit)\b.*)", re.MULTILINE)  # the end of a traceback


class WorkerError(Exception):
    """A worker ended before it answered; the message is what it raised."""


class Worker:
    """A Python program that calls `serve`; use it in a `with` block, which ends it."""

    def __init__(self, program: Path, *arguments: str) -> None:
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115  # it lives as long as the process
        command = [sys.executable, str(program), *arguments]
        paths = [str(_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        self._process = subprocess.Popen(
            command,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )

    def wait(self) -> None:
        """Wait until it is ready to be asked."""
        self._read()

    def ask(self, question: Any = None) -> Any:
        """Have it answer a question that JSON can hold."""
        assert self._process.stdin
        with suppress(BrokenPipeError):  # its last line says more
            self._process.stdin.write(json.dumps(question) + "\n")
            self._process.stdin.flush()
        return self._read()

    def _read(self) -> Any:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            code = self._process.wait()
            self._errors.seek(0)
            raised = _RAISED.findall(self._errors.read())
            raise WorkerError(raised[-1] if raised else f"it ended with code {code}")
        return json.loads(line)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin and self._process.stdout
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.kill()  # it holds nothing that is worth an orderly end
        self._process.wait()
        self._process.stdout.close()
        self._errors.close()


@contextmanager
def started(program: Path, ways: Iterable[str], *options: str) -> Iterator[dict[str, Worker]]:
    """A worker of one program for each way, all of them ready: it is called with the options and `--way`."""
    with ExitStack() as stack:
        workers = {way: stack.enter_context(Worker(program, *options, "--way", way)) for way in ways}
        for worker in workers.values():
            worker.wait()
        yield workers


def in_turns(workers: Mapping[str, Worker], rounds: int, question: Any = None) -> list[dict[str, float]]:
    """The seconds that each answered in each round, after one that is not counted."""
    return [{way: worker.ask(question) for way, worker in workers.items()} for _ in range(rounds + 1)][1:]


def medians(rounds: Sequence[Mapping[str, float]], beside: str) -> dict[str, dict[str, float]]:
    """Of the seconds of each way, and of how many times faster than one of them it was in the same round."""
    return {
        "seconds": {way: statistics.median(one[way] for one in rounds) for way in rounds[0]},
        "times_faster": {way: statistics.median(one[beside] / one[way] for one in rounds) for way in rounds[0]},
    }


def serve(answer: Callable[[Any], Any]) -> None:
    """Be a worker: say that it is ready, then answer each question until there are no more."""
    with os.fdopen(os.dup(1), "w") as replies:
        os.dup2(2, 1)  # what libraries print is no answer
        print(json.dumps("ready"), file=replies, flush=True)
        for line in sys.stdin:
            print(json.dumps(answer(json.loads(line))), file=replies, flush=True)


def forget_peak() -> None:
    """Count `limner.processor.peak_bytes` anew from here; without effect but on Linux."""
    with suppress(OSError):
        _REFERENCES.write_text("5")  # proc(5)
