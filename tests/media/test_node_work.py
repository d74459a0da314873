"""What a process of a cluster does, in this process."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pytest

from limner.errors import LimnerError
from limner.files.bucket import BucketPath, UnreachableError, stamp
from limner.files.image import Picture, read_image
from limner.files.lock import alone_at
from limner.media import node_work
from limner.media.inputs import find_pictures
from limner.media.many_files import Observer, Worker
from limner.media.names import Naming
from limner.media.node_work import NodeWork, Task
from limner.media.outputs import Job, plan_outputs


class Inverter(Worker):
    """Turns every sample round, and writes a line on it beside the result."""

    num_worked = 0

    def work(self, job: Job, picture: Picture, observer: Observer) -> Picture:
        self.num_worked += 1
        observer.note(f"{job.source}: inverted")
        return replace(picture, pixels=255 - picture.pixels)

    def finish(self, job: Job, picture: Picture, result: Picture) -> Mapping[str, Any]:
        beside = job.target.with_suffix(".txt")
        beside.write_text(f"{result.width} wide")
        return {"beside": str(beside)}


@pytest.fixture
def worker() -> Inverter:
    return Inverter()


@pytest.fixture
def node(worker: Inverter, place: Path) -> NodeWork:
    work = NodeWork(lambda: worker, lambda one: {"model": "inverter"}, place)
    assert work.begin() == {"model": "inverter"}
    return work


@pytest.fixture
def bucket(place: Path, drawn: Callable) -> BucketPath:
    """One with two pictures, and a file that is none."""
    fsspec.filesystem("memory").store.clear()
    folder = BucketPath("memory://bucket")
    for number, name in enumerate(("a.png", "deep/b.png")):
        (folder / "in" / name).store(drawn(Path("here.png"), 20 + number))
    Path("here.png").write_text("no picture")
    (folder / "in" / "bad.png").store(Path("here.png"))
    return folder


def tasks(source: Path, output: str | BucketPath) -> list[Task]:
    found = find_pictures([source], recursive=True)
    jobs = plan_outputs(found, Naming("{stem}_new"), output=output, suffix=None).jobs
    return [Task(job, dict.fromkeys((job.target, job.target.with_suffix(".txt")))) for job in jobs]


def again(task: Task) -> Task:
    return task._replace(tries=1)


def test_files_of_a_bucket_are_worked_on_as_copies(node: NodeWork, bucket: BucketPath, tmp_path: Path) -> None:
    planned = tasks(bucket / "in", bucket / "out")
    done = node.do(planned)
    assert [str(one.job.target) for one in done.written] == [
        "memory://bucket/out/a_new.png",
        "memory://bucket/out/deep/b_new.png",
    ]
    assert [one.job for one in done.written] == [planned[0].job, planned[2].job]
    assert done.written[0].facts == {"beside": "memory://bucket/out/a_new.txt"}
    assert (done.written[1].width, done.written[1].height) == (21, 16)
    assert done.notes == ["memory://bucket/in/a.png: inverted", "memory://bucket/in/deep/b.png: inverted"]
    ((bad, error),) = done.failed
    assert bad == planned[1].job and str(error).startswith("memory://bucket/in/bad.png: is not an image")
    for name in ("a", "deep/b"):
        (bucket / "in" / f"{name}.png").fetch(tmp_path / "before.png")
        (bucket / "out" / f"{name}_new.png").fetch(tmp_path / "after.png")
        assert np.array_equal(
            read_image(tmp_path / "after.png").pixels, 255 - read_image(tmp_path / "before.png").pixels
        )
    assert len((bucket / "out").contents(recursive=True)[0]) == 4
    assert 0 < done.seconds < 60


def test_of_local_files_the_results_are_written_where_they_go(
    node: NodeWork, drawn: Callable, bucket: BucketPath
) -> None:
    drawn(Path("in/a.png"))
    (one,) = node.do(tasks(Path("in"), "out/")).written
    assert (one.job.target, read_image(one.job.target).width) == (Path("out/a_new.png"), 20)
    node.do(tasks(Path("in"), bucket / "mixed"))
    assert (bucket / "mixed" / "a_new.png").exists()


def test_a_file_that_is_there_is_not_replaced_in_a_bucket(node: NodeWork, bucket: BucketPath) -> None:
    first, *_ = tasks(bucket / "in", bucket / "out")
    node.do([first])
    before = stamp(first.job.target)
    ((_, error),) = node.do([first]).failed
    assert "memory://bucket/out/a_new" in str(error) and "is already there" in str(error)
    assert stamp(first.job.target) == before


def test_a_file_that_is_gone_fails_by_itself(node: NodeWork, bucket: BucketPath) -> None:
    planned = tasks(bucket / "in", bucket / "out")
    fsspec.filesystem("memory").rm("/bucket/in/a.png")
    done = node.do(planned)
    assert "memory://bucket/in/a.png: there is no such file: check the name" in [str(error) for _, error in done.failed]
    assert len(done.written) == 1


@pytest.mark.parametrize("where", ["disk", "bucket"])
def test_what_a_dead_process_has_finished_is_counted_and_not_written_again(
    node: NodeWork, worker: Inverter, drawn: Callable, bucket: BucketPath, where: str
) -> None:
    drawn(Path("in/a.png"))
    first, *_ = tasks(Path("in"), "out/") if where == "disk" else tasks(bucket / "in", bucket / "out")
    node.do([first])
    stamps = [stamp(one) for one in first.places]
    (written,) = node.do([again(first)]).written
    assert (written.job, written.width, written.height) == (first.job, 20, 16)
    assert [stamp(one) for one in first.places] == stamps
    assert worker.num_worked == 1


@pytest.mark.parametrize("where", ["disk", "bucket"])
def test_what_a_dead_process_has_begun_is_made_anew(
    node: NodeWork, worker: Inverter, drawn: Callable, bucket: BucketPath, where: str
) -> None:
    drawn(Path("in/a.png"))
    first, *_ = tasks(Path("in"), "out/") if where == "disk" else tasks(bucket / "in", bucket / "out")
    node.do([first])
    beside = first.job.target.with_suffix(".txt")
    if isinstance(beside, BucketPath):
        fsspec.filesystem("memory").rm(str(beside))
    else:
        beside.unlink()
    assert len(node.do([again(first)]).written) == 1
    assert beside.exists() and worker.num_worked == 2
    assert not worker.overwrite


def test_what_was_there_before_the_run_does_not_count(node: NodeWork, worker: Inverter, drawn: Callable) -> None:
    drawn(Path("in/a.png"))
    (first,) = tasks(Path("in"), "out/")
    node.do([first])
    worker.overwrite = True  # as with --force
    forced = first._replace(places={one: stamp(one) for one in first.places}, tries=1)
    assert len(node.do([forced]).written) == 1
    assert worker.num_worked == 2


def test_a_process_that_is_about_to_die_is_waited_for(
    node: NodeWork, worker: Inverter, drawn: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn(Path("in/a.png"))
    (first,) = tasks(Path("in"), "out/")
    Path("out").mkdir()
    with alone_at(first.job.target, "this file"):
        monkeypatch.setattr(node_work, "_PATIENCE", 0.0)
        ((_, error),) = node.do([again(first)]).failed
        assert "another run is at work on this file" in str(error)
    monkeypatch.setattr(node_work, "_PATIENCE", 60.0)
    holds, released = alone_at(first.job.target, "this file"), threading.Timer(0.7, lambda: holds.__exit__(*[None] * 3))
    holds.__enter__()
    released.start()
    assert len(node.do([again(first)]).written) == 1


def test_a_bucket_that_does_not_answer_may_answer_later(
    node: NodeWork, bucket: BucketPath, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(*_: object) -> None:
        raise ConnectionError("the line is cut")

    first, *_ = tasks(bucket / "in", bucket / "out")
    with monkeypatch.context() as patched:
        patched.setattr(type(fsspec.filesystem("memory")), "put_file", cut)
        ((job, error),) = node.do([first]).failed
    assert job == first.job and isinstance(error, UnreachableError)
    assert len(node.do([again(first)]).written) == 1


def test_a_worker_that_cannot_be_made_is_told(place: Path) -> None:
    def make() -> Worker:
        raise LimnerError("no such model: name another")

    error = NodeWork(make, lambda one: {}, place).begin()
    assert isinstance(error, LimnerError) and str(error) == "no such model: name another"


def test_an_error_that_cannot_be_sent_is_sent_as_what_it_says() -> None:
    class Own(Exception):
        """Known here alone."""

    error = node_work.sendable(Own("words"))
    assert (type(error), str(error)) == (RuntimeError, "Own: words")
    assert isinstance(node_work.sendable(ZeroDivisionError("by nought")), ZeroDivisionError)
