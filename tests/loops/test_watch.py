"""What watchers write and show, and that watching changes nothing."""

import csv
import io
import random
import shutil
import sys
from pathlib import Path

import pytest
import torch
from rich.console import Console
from torch import nn

from limner.errors import LimnerError
from limner.loops.checkpoint import random_state
from limner.loops.step_report import StepReport
from limner.loops.watch import CsvLog, SampleGrid, TensorBoardLog, Terminal


def report(step: int, system: nn.Module | None = None, seconds: float | None = None, **losses: float) -> StepReport:
    values = {f"network/{name}": torch.tensor(value) for name, value in (losses or {"mse": step / 10}).items()}
    seconds = float(step) if seconds is None else seconds
    return StepReport(step, step / 100, seconds, 4, values, {"network": 1e-3}, lambda: system or nn.Identity())


def rows(path: Path) -> list[list[str]]:
    with path.open(newline="") as file:
        return list(csv.reader(file))


HEADER = ["step", "seconds", "network/mse", "network/learning_rate"]


def log(path: Path, start: int, steps: range) -> None:
    watcher = CsvLog(path, every=10)
    watcher.start(start)
    for step in steps:
        watcher.step(report(step))
    watcher.close()


def test_csv_has_a_header_and_a_row_every_so_often(tmp_path: Path):
    path = tmp_path / "new" / "log.csv"
    log(path, 0, range(1, 26))
    assert rows(path) == [HEADER, ["10", "10.0", "1.0", "0.001"], ["20", "20.0", "2.0", "0.001"]]


def test_csv_rows_of_slow_steps_are_20_seconds_apart_and_no_step_is_the_last_one_unseen(tmp_path: Path):
    watcher = CsvLog(tmp_path / "log.csv", every=50)
    watcher.start(0)
    for step, seconds in ((1, 15.0), (2, 30.0), (3, 45.0), (4, 60.0), (50, 62.0), (51, 64.0), (100, 65.0)):
        watcher.step(report(step, seconds=seconds))
    watcher.close()
    assert [row[0] for row in rows(tmp_path / "log.csv")] == ["step", "2", "4", "50", "100"]
    watcher.start(100)
    watcher.step(report(101, seconds=66.0)._replace(share=0.5))
    watcher.step(report(102, seconds=87.0)._replace(share=0.5))
    watcher.close()
    assert [row[0] for row in rows(tmp_path / "log.csv")][-2:] == ["100", "102"]


def test_csv_rows_are_on_disk_at_once(tmp_path: Path):
    watcher = CsvLog(tmp_path / "log.csv", every=1)
    watcher.start(0)
    watcher.step(report(1))
    assert len(rows(tmp_path / "log.csv")) == 2
    watcher.close()


def test_a_resumed_csv_drops_the_rows_beyond_its_step(tmp_path: Path):
    path = tmp_path / "log.csv"
    log(path, 0, range(1, 41))
    log(path, 25, range(26, 36))
    assert [row[0] for row in rows(path)] == ["step", "10", "20", "30"]
    assert list(tmp_path.iterdir()) == [path]


def test_a_new_run_starts_a_new_csv(tmp_path: Path):
    path = tmp_path / "log.csv"
    log(path, 0, range(1, 41))
    log(path, 0, range(1, 11))
    assert [row[0] for row in rows(path)] == ["step", "10"]


def test_a_resumed_csv_drops_half_a_row_and_empty_lines(tmp_path: Path):
    path = tmp_path / "log.csv"
    log(path, 0, range(1, 21))
    with path.open("a") as file:
        file.write("\n2")  # a process was killed within "20,..."
    log(path, 29, range(30, 31))
    assert [row[0] for row in rows(path)] == ["step", "10", "20", "30"]


def test_an_empty_csv_gets_its_header_on_resume(tmp_path: Path):
    path = tmp_path / "log.csv"
    path.touch()
    log(path, 5, range(6, 11))
    assert [row[0] for row in rows(path)] == ["step", "10"]


def test_losses_stay_in_their_columns(tmp_path: Path):
    path = tmp_path / "log.csv"
    watcher = CsvLog(path, every=1)
    watcher.start(0)
    watcher.step(report(1, mse=1.0))
    watcher.step(report(2, penalty=3.0, mse=2.0))
    watcher.step(report(3, mse=4.0))
    watcher.close()
    assert rows(path) == [
        [*HEADER, "network/penalty"],
        ["1", "1.0", "1.0", "0.001", ""],
        ["2", "2.0", "2.0", "0.001", "3.0"],
        ["3", "3.0", "4.0", "0.001", ""],
    ]


def test_tensorboard_scalars_can_be_read_again(tmp_path: Path):
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    for start, steps in ((0, range(1, 41)), (20, range(21, 31))):
        watcher = TensorBoardLog(tmp_path, every=10)
        watcher.start(start)
        for step in steps:
            watcher.step(report(step))
        watcher.close()
    events = accumulator.EventAccumulator(str(tmp_path))
    events.Reload()
    assert set(events.Tags()["scalars"]) == {"loss/network/mse", "learning_rate/network"}
    losses = events.Scalars("loss/network/mse")
    assert [event.step for event in losses] == [10, 20, 30]  # 30 and 40 of the first run are gone
    assert [event.value for event in losses] == [1.0, 2.0, 3.0]


def test_a_missing_tensorboard_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(LimnerError, match="needs the train extra"):
        TensorBoardLog(tmp_path)


def test_a_grid_is_drawn_every_so_many_seconds_and_at_the_end(tmp_path: Path):
    drawn: list[str] = []
    grid = SampleGrid(tmp_path / "grids", lambda system, path: drawn.append(path.name), seconds=30.0)
    grid.start(0)
    for step in (1, 20, 40, 60, 80, 100):
        grid.step(report(step))
    grid.close()
    assert drawn == [f"step-{step:07d}.png" for step in (1, 40, 80, 100)]
    assert (tmp_path / "grids").is_dir()


def test_a_folder_of_grids_that_was_tidied_away_is_made_again_but_not_that_of_the_run(tmp_path: Path):
    grid = SampleGrid(tmp_path / "run" / "grids", lambda system, path: path.touch(), seconds=30.0)
    grid.start(0)
    grid.step(report(1))
    shutil.rmtree(tmp_path / "run" / "grids")
    grid.step(report(40))
    assert [path.name for path in (tmp_path / "run" / "grids").iterdir()] == ["step-0000040.png"]
    shutil.rmtree(tmp_path / "run")
    with pytest.raises(FileNotFoundError):
        grid.step(report(80))


class NotDrawnError(Exception):
    pass


@pytest.mark.parametrize("fails", [False, True])
def test_drawing_is_in_evaluation_mode_and_changes_nothing(tmp_path: Path, fails: bool):
    system = nn.Sequential(nn.BatchNorm1d(2), nn.Dropout(), nn.BatchNorm1d(2).eval())
    modes = [module.training for module in system.modules()]
    seen: list[object] = []

    def draw(drawn: nn.Module, path: Path) -> None:
        seen.extend([drawn is system, torch.is_grad_enabled(), *(module.training for module in drawn.modules())])
        torch.rand(5), random.random()
        if fails:
            raise NotDrawnError

    grid = SampleGrid(tmp_path, draw)
    grid.start(0)
    before, numbers = [value.clone() for value in system.state_dict().values()], random_state()
    try:
        grid.step(report(1, system))
        assert not fails
    except NotDrawnError:
        assert fails
    assert seen == [True, False, False, False, False, False]
    assert [module.training for module in system.modules()] == modes == [True, True, True, False]
    assert torch.is_grad_enabled()
    assert all(torch.equal(a, b) for a, b in zip(before, system.state_dict().values(), strict=True))
    assert torch.equal(numbers["torch"], random_state()["torch"])
    assert numbers["python"] == random_state()["python"]


def show(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr("limner.loops.watch.time.monotonic", lambda: clock[0])
    terminal = Terminal(console)
    terminal.start(40)
    for step in (50, 51, 100):
        clock[0] += 10.0 if step == 50 else 0.1
        terminal.step(report(step, seconds=36.0 * step, mse=0.00123456, adversarial=2.0))
    terminal.close()


def test_where_there_is_no_terminal_lines_are_plain(monkeypatch: pytest.MonkeyPatch):
    out = io.StringIO()
    show(Console(file=out, width=40), monkeypatch)
    first, last = out.getvalue().splitlines()  # the first and the last, and no broken lines
    assert first == "step 50  mse 0.00123  adversarial 2  0.4 samples/s  50.0%  30 min left"
    assert last.startswith("step 100")
    assert last.endswith("100.0%  0 min left")


def test_losses_of_one_name_are_told_apart_by_their_players():
    out = io.StringIO()
    names = ("discriminator/adversarial", "generator/adversarial", "generator/l1")
    losses = {name: torch.tensor(float(number)) for number, name in enumerate(names)}
    Terminal(Console(file=out)).step(StepReport(1, 1.0, 1.0, 4, losses, {}, nn.Identity))
    assert "  discriminator adversarial 0  generator adversarial 1  l1 2  " in out.getvalue()


def test_on_a_terminal_there_is_a_bar(monkeypatch: pytest.MonkeyPatch):
    out = io.StringIO()
    show(Console(file=out, force_terminal=True, width=150), monkeypatch)
    assert "100%" in out.getvalue()
    assert "mse 0.00123" in out.getvalue()
    assert "\x1b[" in out.getvalue()


def test_a_loss_may_have_brackets_in_its_name(monkeypatch: pytest.MonkeyPatch):
    out = io.StringIO()
    terminal = Terminal(Console(file=out))
    terminal.start(0)
    terminal.step(report(1, **{"gram[bold]": 1.0}))
    assert "gram[bold] 1" in out.getvalue()


def test_closing_before_starting_is_harmless(tmp_path: Path):
    for watcher in (Terminal(Console(file=io.StringIO())), CsvLog(tmp_path / "a.csv"), TensorBoardLog(tmp_path)):
        watcher.close()
