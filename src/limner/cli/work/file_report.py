"""What a command says of the files that `media.many_files` works through."""

import time
from typing import Any

import typer

from limner.cli.errors import describe, say
from limner.cli.printing import print_json, print_line
from limner.cli.progress import FileBars
from limner.media.many_files import Written
from limner.media.outputs import Job
from limner.memory import peak_bytes


class FileReport(FileBars):
    """An observer that shows bars, prints a line for each result, and says in the end what went wrong.

    Args of the constructor:
        num_files: That there are to work on.
        as_json: Print one JSON object in the end instead of lines.
    """

    def __init__(self, num_files: int, *, as_json: bool) -> None:
        super().__init__(num_files)
        self.num_files, self.as_json, self._begun = num_files, as_json, time.perf_counter()
        self.written: list[Written] = []
        self.failed: list[tuple[Job, Exception]] = []

    @property
    def _seconds(self) -> float:
        """Since this was made."""
        return time.perf_counter() - self._begun

    def file_started(self, job: Job) -> None:
        """Show a bar of its own."""
        self.next_file(job.source.name)

    def file_written(self, written: Written) -> None:
        """Print where the result lies."""
        self.file_done()
        self.written.append(written)
        if not self.as_json:
            print_line(f"{written.job.target}  {written.width}x{written.height}")

    def file_failed(self, job: Job, error: Exception) -> None:
        """Keep the error for the end."""
        self.file_done()
        self.failed.append((job, error))

    def note(self, text: str) -> None:
        """Say it at once."""
        say(text)

    def raise_if_alone(self) -> None:
        """Raise the error of a file that was the only one."""
        if self.failed and self.num_files == 1:
            raise self.failed[0][1]

    def print_json(self, **facts: Any) -> None:
        """One JSON object: all files, other facts, and the cost."""
        print_json(
            {
                "files": [facts_of(one) for one in self.written],
                "failed": [{"source": str(job.source), "error": reason(job, error)} for job, error in self.failed],
                **facts,
                "seconds": round(self._seconds, 3),
                "peak_memory_bytes": peak_bytes(),
            }
        )

    def conclude(self, done: str, *, by: str = "", verbose: bool = False) -> None:
        """Say what did the work, what went wrong and, if asked for, what it cost.

        Args:
            done: Such as `pictures are enlarged`.
            by: What did it, such as `painted by many-styles`; empty where the user has named it.
            verbose: Whether the cost is said.

        Raises:
            typer.Exit: With 1, if a file has failed.
        """
        for job, error in self.failed:
            say(f"error: {reason(job, error)}")
        if self.failed:
            say(f"{len(self.written)} of {len(self.written) + len(self.failed)} {done}")
        if by and self.written and not self.as_json:
            say(f"{by} in {self._seconds:.1f} s")
        if verbose:
            say(f"{self._seconds:.1f} s, {peak_bytes() / 2**20:.0f} MiB at the peak")
        if self.failed:
            raise typer.Exit(1)


def facts_of(written: Written) -> dict[str, Any]:
    """What `--json` says of one file."""
    return {
        "source": str(written.job.source),
        "output": str(written.job.target),
        "width": written.width,
        "height": written.height,
        "seconds": round(written.seconds, 3),
        **written.facts,
    }


def reason(job: Job, error: Exception) -> str:
    """Why a file has no result, in one line that names it."""
    line, names = describe(error), (" ".join(str(place).split()) for place in (job.source, job.target))
    if line:
        return line if line.startswith(tuple(names)) else f"{job.source}: {line}"
    return (
        f"{job.source}: {type(error).__name__}: {' '.join(str(error).split())}: this is a bug in limner: please report "
        "it with what limner says of this file alone"
    )
