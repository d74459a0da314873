"""Processes that take turns."""

import pytest
from benchmarks.runtime.workers import Worker, WorkerError, medians

PROGRAM = """
import sys
sys.path.insert(0, {folder!r})
from limner.memory import peak_bytes, resident_bytes
from benchmarks.runtime.workers import forget_peak, serve
def answer(question):
    print("noise")
    if question == "fail":
        raise ValueError("it was asked to\\nand it did")
    block = bytearray(question << 20)
    peak = peak_bytes()
    del block
    forget_peak()
    return [peak >> 20, resident_bytes() >> 20, peak_bytes() >> 20]
serve(answer)
"""


@pytest.fixture
def program(tmp_path, pytestconfig):
    path = tmp_path / "program.py"
    path.write_text(PROGRAM.format(folder=str(pytestconfig.rootpath / "benchmarks")))
    return path


def test_a_worker_answers_and_its_peak_can_be_forgotten(program):
    with Worker(program) as worker:
        worker.wait()
        peak, now, after = worker.ask(400)
        assert peak - now > 380  # MiB
        assert after - now < 20
        assert worker.ask(1)[0] - now < 20


def test_a_worker_that_fails_says_why(program):
    with Worker(program) as worker:
        worker.wait()
        with pytest.raises(WorkerError, match=r"^ValueError: it was asked to$"):
            worker.ask("fail")


def test_one_that_cannot_start_is_told_from_one_that_is_slow(tmp_path):
    with Worker(tmp_path / "none.py") as worker, pytest.raises(WorkerError, match="code 2"):
        worker.wait()


def test_medians_are_of_the_ratios_within_each_round():
    rounds = [{"a": 2.0, "b": 1.0}, {"a": 9.0, "b": 3.0}, {"a": 4.0, "b": 4.0}]
    assert medians(rounds, "a") == {"seconds": {"a": 4.0, "b": 3.0}, "times_faster": {"a": 1.0, "b": 2.0}}
