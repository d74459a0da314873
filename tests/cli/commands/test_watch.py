"""`limner watch`: a run in the terminal and on a page."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def run(place: Path, limner: Callable, quickly: list[str], drawn: Callable[..., Path]) -> Path:
    for number in range(3):
        drawn(place / "photos" / f"{number}.png", 40, 40)
    assert limner("train", "vdsr", "--data", "photos", "-o", "run", "--steps", 60, *quickly).code == 0
    return place / "run"


def test_a_run_is_shown_and_its_page_is_written(run: Path, limner: Callable) -> None:
    done = limner("watch", "run", "--once")
    assert done.code == 0
    assert "step 60 of 60" in done.out
    assert "finished" in done.out
    assert "network/mse" in done.out
    assert "there are 3 pictures to learn from" in done.out
    assert (run / "watch.html").is_file()
    told = json.loads(limner("watch", "run", "--json", "-o", "board.html").out)
    assert told["state"] == "finished"
    assert Path("board.html").is_file()


def test_what_is_no_run_is_refused_and_a_place_that_is_not_there(run: Path, limner: Callable) -> None:
    assert "holds no run" in limner("watch", "photos").error
    assert "make it first" in limner("watch", "run", "-o", "no/where.html").error


def test_no_file_but_the_page_of_a_run_is_replaced(run: Path, limner: Callable) -> None:
    Path("mine.txt").write_text("important")
    done = limner("watch", "run", "--once", "-o", "mine.txt")
    assert done.code == 2
    assert "is already there" in done.error
    assert Path("mine.txt").read_text() == "important"
    assert [limner("watch", "run", "--once", "-o", "board.html").code for _ in range(2)] == [0, 0]
