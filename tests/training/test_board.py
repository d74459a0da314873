"""A run as its folder tells: while it is at work, when it has ended, and where its files are half written."""

import os
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage

from limner.errors import LimnerError
from limner.loops.watch import CsvLog
from limner.training.board import board_of
from limner.training.board_page import page, write_page
from limner.training.train import plan, train

SMALL = [
    "base_channels=2",
    "num_downs=4",
    "data.resize=32",
    "data.patch=32",
    "fit.batch_size=1",
    "fit.precision=float32",
]


@pytest.fixture
def run(place: Path) -> Path:
    for number in range(20):
        half = np.random.default_rng(number).integers(0, 256, (32, 32, 3), dtype=np.uint8)
        (place / "pairs").mkdir(exist_ok=True)
        PillowImage.fromarray(np.hstack([half, 255 - half])).save(place / "pairs" / f"{number}.png")
    goal = plan("pix2pix", place / "pairs", steps=6, assignments=SMALL)
    train(goal, place / "run", watchers=[CsvLog(place / "run" / "log.csv", every=1)])
    return place / "run"


def test_a_finished_run(run: Path) -> None:
    board = board_of(run)
    assert (board.state, board.step, board.share) == ("finished", 6, 1.0)
    assert set(board.losses) == {"discriminator/adversarial", "generator/adversarial", "generator/l1"}
    assert [step for step, _ in board.losses["generator/l1"]] == [1, 2, 3, 4, 5, 6]
    assert set(board.rates) == {"discriminator", "generator"}
    assert set(board.measured) == {"PSNR (dB)"}
    assert list(board.samples) == [1, 6]
    assert board.as_json()["losses"]["generator/l1"] == board.losses["generator/l1"][-1][1]


def test_a_run_at_work_and_one_that_stopped(run: Path) -> None:
    (run / "model.safetensors").unlink()
    now = (run / "log.csv").stat().st_mtime
    assert board_of(run, now=now + 5).state == "running"
    assert board_of(run, now=now + 5000).state == "stopped"
    assert "stopped 83 min ago" in page(board_of(run, now=now + 5000))


def test_a_run_that_measures_or_saves_is_at_work_though_its_log_is_silent(run: Path) -> None:
    (run / "model.safetensors").unlink()
    for name in ("plan.json", "log.csv", "training.pt", "validation.csv"):
        os.utime(run / name, (1000.0, 1000.0))
    assert board_of(run, now=1200.0).state == "stopped"
    for name in ("training.pt", "validation.csv"):
        os.utime(run / name, (1150.0, 1150.0))
        assert board_of(run, now=1200.0).state == "running"
        os.utime(run / name, (1000.0, 1000.0))


def test_half_written_files_and_no_numbers(run: Path) -> None:
    text = (run / "log.csv").read_text()
    (run / "log.csv").write_text(f"{text}7,1.0,nan,inf,oops,1,1\n8,0.")
    (run / "validation.csv").write_text("step,sec")
    (run / "samples" / "step-0000006.png").write_bytes(b"\x89PNG")
    (run / "notes.txt").write_bytes(b"step 3: <b>\xff</b>\n")
    board = board_of(run)
    assert board.step == 7
    shown = page(board)
    assert "step 3: &lt;b&gt;" in shown
    assert board.marks == [3]
    assert shown.count('class="mark"') == len(board.losses)


def test_a_run_that_has_only_begun(run: Path) -> None:
    for name in ("log.csv", "validation.csv", "model.safetensors"):
        (run / name).unlink()
    assert board_of(run).state == "begun"
    assert "No step has been logged yet" in page(board_of(run))


def test_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LimnerError, match=r"is not a folder"):
        board_of(tmp_path / "none")
    with pytest.raises(LimnerError, match=r"holds no run"):
        board_of(tmp_path)


def test_the_page_needs_nothing_else_and_asks_to_be_read_again_while_the_run_is_at_work(run: Path) -> None:
    write_page(board_of(run), run / "watch.html")
    text = (run / "watch.html").read_text()
    assert not re.findall(r"https?://|<link|@import|url\(|src=\"(?!data:)", text)
    assert "http-equiv" not in text
    assert text.count("<polyline") >= 6
    (run / "model.safetensors").unlink()
    os.utime(run / "log.csv")
    assert 'http-equiv="refresh"' in page(board_of(run))
