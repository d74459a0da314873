"""How a cluster's processes are begun, fed and lost, on a Ray that is made up."""

import socket
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from limner.errors import LimnerError
from limner.files.picture import Picture
from limner.media import cluster
from limner.media.cluster import Need, work_on_cluster
from limner.media.cluster_connection import ClusterError
from limner.media.many_files import Observer, Worker, Written
from limner.media.outputs import Job


class Copier(Worker):
    """Makes of a picture the same."""

    def work(self, job: Job, picture: Picture, observer: Observer) -> Picture:
        return picture


class DiedError(Exception):
    """What Ray says of a process that is no more."""


class Method:
    """Of an actor: what is called at once is done when it is asked for."""

    def __init__(self, of: "Actor", name: str) -> None:
        self.of, self.name = of, name

    def remote(self, *arguments: Any) -> Callable[[], Any]:
        def call() -> Any:
            if (self.of.number, self.name) in self.of.deadly:
                raise DiedError("its node has died")
            return getattr(self.of.work, self.name)(*arguments)

        return call


class Actor:
    def __init__(self, number: int, deadly: set[tuple[int, str]], work: Any) -> None:
        self.number, self.deadly, self.work = number, deadly, work
        self.begin, self.do = Method(self, "begin"), Method(self, "do")


class Ray:
    """One that runs everything here, one by one; some calls of some actors, counted from 0, kill them."""

    def __init__(self, deadly: Sequence[tuple[int, str]] = (), resources: Sequence[dict[str, float]] = ()) -> None:
        self.deadly, self.resources = set(deadly), resources or [{"CPU": 1.0}]
        self.exceptions = type("exceptions", (), {"RayError": DiedError})
        self.actors: list[Actor] = []
        self.ended: list[Actor] = []
        self.asked: dict[str, Any] = {}

    def is_initialized(self) -> bool:
        return True

    def put(self, value: Any) -> Any:
        return value

    def nodes(self) -> list[dict[str, Any]]:
        return [{"Alive": True, "Resources": one} for one in self.resources]

    def remote(self, kind: type) -> Any:
        self.kind = kind
        return type("Class", (), {"options": lambda _, **asked: self._asked(asked)})()

    def _asked(self, asked: dict[str, Any]) -> Any:
        self.asked = asked
        return type("Made", (), {"remote": lambda _, *arguments: self._actor(*arguments)})()

    def _actor(self, *arguments: Any) -> Actor:
        self.actors.append(Actor(len(self.actors), self.deadly, self.kind(*arguments)))
        return self.actors[-1]

    def wait(self, calls: list[Any], **_: Any) -> tuple[list[Any], list[Any]]:
        return calls[:1], calls[1:]

    def get(self, call: Callable[[], Any]) -> Any:
        return call()

    def kill(self, actor: Actor) -> None:
        self.ended.append(actor)


class Log:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.written: list[str] = []
        self.failed: dict[str, str] = {}
        self.notes: list[str] = []

    def file_started(self, job: Job) -> None: ...

    def part_done(self, done: int, total: int) -> None: ...

    def file_written(self, written: Written) -> None:
        self.written.append(written.job.source.name)

    def file_failed(self, job: Job, error: Exception) -> None:
        self.failed[job.source.name] = str(error)

    def note(self, text: str) -> None:
        self.notes.append(text)


@pytest.fixture
def run(place: Path, drawn: Callable, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Log]:
    """Copy pictures on a made-up Ray."""
    monkeypatch.setattr(cluster, "_LOOK", 0.0)

    def done(ray: Ray, number: int, make: Callable[[], Worker] = Copier, **options: Any) -> Log:
        monkeypatch.setitem(sys.modules, "ray", ray)
        jobs = [Job(drawn(Path(f"{one}.png")), Path(f"out/{one}.png"), None) for one in range(number)]
        log = Log()
        work_on_cluster("ray", jobs, make, lambda worker: {}, log, **{"need": Need(1), **options})
        return log

    return done


def test_all_is_done_and_all_processes_are_ended(run: Callable) -> None:
    ray = Ray(resources=[{"CPU": 2.0}, {"CPU": 1.0}])
    log = run(ray, 9)
    assert sorted(log.written) == [f"{one}.png" for one in range(9)]
    assert len(ray.actors) == 3 and set(ray.ended) == set(ray.actors)
    assert (ray.asked["num_cpus"], ray.asked["num_gpus"], ray.asked["max_task_retries"]) == (1, 0, 0)


def test_there_are_no_more_processes_than_files(run: Callable) -> None:
    ray = Ray(resources=[{"CPU": 64.0}])
    run(ray, 3)
    assert len(ray.actors) == 3


def test_where_there_are_gpus_each_process_has_one(run: Callable) -> None:
    nodes = [{"CPU": 8.0, "GPU": 2.0}, {"CPU": 4.0}, {"CPU": 4.0, "GPU": 8.0}]
    ray = Ray(resources=nodes)
    run(ray, 40, need=Need(2))
    assert (len(ray.actors), ray.asked["num_gpus"], ray.asked["num_cpus"]) == (4, 1, 2)
    ray = Ray(resources=nodes)
    run(ray, 40, need=Need(2, gpu=False))
    assert (len(ray.actors), ray.asked["num_gpus"]) == (8, 0)


def test_files_of_a_process_that_dies_go_to_another(run: Callable) -> None:
    log = run(Ray([(0, "do")]), 3)
    assert sorted(log.written) == ["0.png", "1.png", "2.png"] and not log.failed
    assert log.notes == [
        "note: a process died (DiedError: its node has died): the 2 files that it had will be tried again"
    ]


def test_processes_that_die_as_they_begin_stop_nothing_once_one_has_begun(run: Callable) -> None:
    """As those that are begun on a node of which it is not known yet that it is dead."""
    dying = [(0, "do"), *((number, "begin") for number in range(1, 6))]
    log = run(Ray(dying), 3)
    assert sorted(log.written) == ["0.png", "1.png", "2.png"] and not log.failed


def test_where_no_process_can_begin_the_run_ends(run: Callable) -> None:
    ray = Ray([(number, "begin") for number in range(10)])
    with pytest.raises(ClusterError, match=r"no process of the cluster could begin \(DiedError: its node has died\)"):
        run(ray, 3)
    assert len(ray.actors) == 3


def test_a_file_whose_processes_die_is_given_up(run: Callable) -> None:
    log = run(Ray([(number, "do") for number in range(3)]), 1)
    assert log.failed == {"0.png": "0.png: 3 processes died at work on it (DiedError: its node has died): try it alone"}


def test_what_the_worker_refuses_is_raised(run: Callable) -> None:
    def make() -> Worker:
        raise LimnerError("no such model: name another")

    with pytest.raises(LimnerError, match="no such model: name another"):
        run(Ray(), 2, make)


def test_a_cluster_without_a_place_is_told(run: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "_NO_PLACE", 0.0)
    with pytest.raises(ClusterError, match="the cluster has no node with 4 CPUs for 0 s: add one, or pass fewer"):
        run(Ray(resources=[{"CPU": 2.0}]), 2, need=Need(4))


def test_refused_files_need_no_cluster(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = Log()
    job = Job(Path("a.png"), Path("a.png"), None, LimnerError("a.png: there is no such file"))
    assert work_on_cluster("ray", [job], Copier, lambda worker: {}, log, need=Need(1)) == {}
    assert log.failed == {"a.png": "a.png: there is no such file"}


def test_where_nothing_listens_is_told_at_once() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"ray://127.0.0.1:{free.getsockname()[1]}"
    begun = time.monotonic()
    with pytest.raises(ClusterError, match=r"no cluster answers .ConnectionRefusedError: .*: check the address"):
        work_on_cluster(address, [Job(Path("a"), Path("b"), None)], Copier, lambda worker: {}, Log(), need=Need(1))
    assert time.monotonic() - begun < 10
