"""What goes wrong in a recipe is told on one line, with an exit code; a bug is not."""

import io
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
import typer
from rich.console import Console

from limner.loops.step_report import Watcher
from limner.measure.report import Report
from program import run_recipe


def refused(run: Path, error: Exception | None = None) -> tuple[int, str]:
    def make(watchers: Sequence[Watcher]) -> Report | None:
        if error is not None:
            raise error
        shutil.rmtree(run)
        watchers[0].start(0)
        shutil.rmtree(run)
        (run / "training.pt").touch()
        return None

    told = io.StringIO()
    with pytest.raises(typer.Exit) as ended:
        run_recipe(run, make, Console(file=told))
    return ended.value.exit_code, told.getvalue()


def test_a_folder_that_goes_away_is_one_line(tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert refused(run) == (2, f"error: {run / 'training.pt'}: no such file or directory: name another place\n")


def test_a_place_where_no_folder_can_be_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    code, told = refused(tmp_path / "file" / "run")
    assert code == 2 and told.startswith(f"error: {tmp_path / 'file'}") and told.count("\n") == 1


def test_too_little_memory_is_one_line(tmp_path: Path) -> None:
    code, told = refused(tmp_path / "run", MemoryError())
    assert code == 1 and told.startswith("error: there is not enough memory") and told.count("\n") == 1


def test_a_bug_keeps_its_traceback(tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        refused(tmp_path / "run", KeyError("ours"))
