"""The four commands that work on a cluster: on one of two nodes, of which one dies on the way."""

import json
import os
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pytest
from PIL import Image as PillowImage
from tests.segmenters import bright_parts

import limner as package
from limner.catalog.models import build_product
from limner.files.bucket import BucketPath
from limner.files.picture import Picture
from limner.files.weights import Header, save_weights
from limner.media.cluster import Need, work_on_cluster
from limner.media.many_files import Observer, Worker, Written
from limner.media.outputs import Job

ONE_CPU = {"num_cpus": 1, "object_store_memory": 80 * 2**20}


class Nodes:
    """A head that does no work, and two nodes of one core."""

    def __init__(self, cluster: Any) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.clients_port = free.getsockname()[1]
        self.cluster = cluster
        cluster.add_node(**ONE_CPU | {"num_cpus": 0}, ray_client_server_port=self.clients_port)
        self.two = [cluster.add_node(**ONE_CPU) for _ in range(2)]

    def kill_one(self) -> None:
        """As if its plug were pulled."""
        self.cluster.remove_node(self.two.pop(), allow_graceful=False)

    def complete(self) -> None:
        """Two again. A node sets a handler of SIGTERM, which other threads than the main one cannot."""
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr("signal.signal", lambda *_: None)
            while len(self.two) < 2:
                self.two.append(self.cluster.add_node(**ONE_CPU))


@pytest.fixture(scope="module")
def started() -> Iterator[Nodes]:
    pytest.importorskip("ray", reason="needs the extra ray")
    from ray.cluster_utils import Cluster

    before = {name: os.environ.get(name) for name in ("PYTHONPATH", "RAY_USAGE_STATS_ENABLED")}
    os.environ["PYTHONPATH"] = str(Path(package.__file__).parents[1])  # the nodes' processes import the same Limner
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    cluster = Cluster()
    try:
        yield Nodes(cluster)
    finally:
        cluster.shutdown()
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


@pytest.fixture
def nodes(started: Nodes, monkeypatch: pytest.MonkeyPatch) -> Nodes:
    started.complete()
    monkeypatch.setenv("RAY_ADDRESS", started.cluster.address)
    return started


def photos(folder: Path, number: int, side: int) -> Path:
    folder.mkdir()
    for one in range(number):
        coarse = np.random.default_rng(one).integers(0, 256, (8, 8, 3), dtype=np.uint8)
        PillowImage.fromarray(coarse).resize((side, side), PillowImage.Resampling.BICUBIC).save(
            folder / f"{one:04}.png"
        )
    return folder


class Watch(threading.Thread):
    """Sees each result appear, does something when so many are there, and tells which were written more than once."""

    def __init__(self, folder: Path, number: int, then: Callable[[], None]) -> None:
        super().__init__(daemon=True)
        self.folder, self.number, self.then = folder, number, then
        self.seen: dict[str, int] = {}
        self.twice: set[str] = set()
        self.at_the_time: int | None = None
        self.is_over = threading.Event()

    def run(self) -> None:
        while not self.is_over.wait(0.01):
            self.look()
            if self.at_the_time is None and len(self.seen) >= self.number:
                self.at_the_time = len(self.seen)
                self.then()

    def look(self) -> None:
        for path in self.folder.glob("[!.]*") if self.folder.is_dir() else ():
            inode = path.stat().st_ino
            if self.seen.setdefault(path.name, inode) != inode:
                self.twice.add(path.name)

    def stop(self) -> None:
        self.is_over.set()
        self.join()
        self.look()


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def painted_while_a_node_dies(limner: Callable, nodes: Nodes, number: int, side: int, dies_at: int) -> Any:
    photos(Path("in"), number, side)
    Path("in/bad.png").write_text("no picture")
    alone = limner("stylize", "in", "--style", "great-wave", "--threads", 1, "-o", "alone/")
    watch = Watch(Path("out"), dies_at, nodes.kill_one)
    watch.start()
    done = limner("stylize", "in", "--style", "great-wave", "--on", "ray", "-o", "out/")
    watch.stop()
    assert (done.code, alone.code) == (1, 1), done.err
    assert watch.at_the_time is not None and watch.at_the_time < number, "it was over before the node died"
    assert not watch.twice
    assert len(watch.seen) == number
    assert contents(Path("out")) == contents(Path("alone"))
    assert sorted(done.out.splitlines()) == [line.replace("alone/", "out/") for line in alone.out.splitlines()]
    assert alone.err.splitlines()[:2] == done.err.splitlines()[-3:-1]  # the bad file, and how many are painted
    return done


def test_a_node_dies_and_every_result_is_there_once_and_that_of_one_process(
    limner: Callable, nodes: Nodes, place: Path
) -> None:
    done = painted_while_a_node_dies(limner, nodes, 40, 192, dies_at=6)
    assert "note: a process died" in done.err
    again = limner("stylize", "in", "--style", "great-wave", "--on", "ray", "-o", "out/")
    assert (again.code, again.out) == (2, "")
    assert again.err.splitlines()[0] == "note: 40 of them are there already: passed by, --force makes all anew"


@pytest.mark.slow
def test_a_node_dies_amid_2000_pictures(limner: Callable, nodes: Nodes, place: Path) -> None:
    painted_while_a_node_dies(limner, nodes, 2000, 96, dies_at=500)


def translation_model(path: Path) -> str:
    config = {"base_channels": 2, "num_downs": 4}
    save_weights(path, build_product("pix2pix", config).state_dict(), Header(system="pix2pix", config=config))
    return path.name


@pytest.mark.slow
@pytest.mark.parametrize(
    ("verb", "options"),
    [
        ("upscale", ("--compare",)),
        ("segment", ("--model", "classes.safetensors", "--overlay", "--objects")),
        ("translate", ("--model", "pairs.safetensors")),
        ("stylize", ("--style", "great-wave")),
    ],
)
def test_buckets_are_read_and_written_as_folders_are(
    limner: Callable, nodes: Nodes, place: Path, verb: str, options: tuple[str, ...]
) -> None:
    bright_parts(Path("classes.safetensors"), in_channels=3)
    translation_model(Path("pairs.safetensors"))
    photos(Path("in"), 4, 64)
    photos(Path("in/deep"), 1, 64)
    here = limner(verb, "in", "-r", *options, "--threads", 1, "-o", "alone/", "--json")
    source, target = f"file://{place}/in", f"file://{place}/out/"
    there = limner(verb, source, "-r", *options, "--on", "ray", "-o", target, "--json")
    assert there.code == 0, there.err
    assert contents(place / "out") == contents(place / "alone")
    first, second = (json.loads(one.out) for one in (here, there))
    for told in (first, second):
        for one in told["files"]:
            del one["seconds"]
        del told["seconds"], told["peak_memory_bytes"]
    as_bucket = json.loads(json.dumps(first).replace('"alone/', f'"{target}').replace('"in/', f'"{source}/'))
    second["files"].sort(key=lambda one: one["source"])
    as_bucket["files"].sort(key=lambda one: one["source"])
    assert second == as_bucket
    again = limner(verb, source, "-r", *options, "--on", "ray", "-o", target, "--resume", "--json")
    assert len(json.loads(again.out)["finished"]) == 5


@pytest.mark.slow
def test_a_client_far_away_works_by_the_address_of_the_cluster(limner: Callable, nodes: Nodes, place: Path) -> None:
    photos(Path("in"), 6, 64)
    assert limner("stylize", "in", "--style", "great-wave", "--threads", 1, "-o", "alone/").code == 0
    address = f"ray://127.0.0.1:{nodes.clients_port}"
    done = limner("stylize", "in", "--style", "great-wave", "--on", address, "-o", "out/")
    assert done.code == 0, done.err
    assert contents(Path("out")) == contents(Path("alone"))


class Killer(Worker):
    """Dies of one file, and cannot do another at the first try."""

    def work(self, job: Job, picture: Picture, observer: Observer) -> Picture:
        if "deadly" in job.source.name:
            os._exit(1)
        if "second" in job.source.name and not Path("tried").exists():
            Path("tried").touch()
            raise ZeroDivisionError("not yet")
        return picture


class Log:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.written: list[str] = []
        self.failed: dict[str, str] = {}

    def file_started(self, job: Job) -> None: ...

    def part_done(self, done: int, total: int) -> None: ...

    def file_written(self, written: Written) -> None:
        self.written.append(written.job.source.name)

    def file_failed(self, job: Job, error: Exception) -> None:
        self.failed[job.source.name] = str(error)

    def note(self, text: str) -> None: ...


def facts(worker: Worker) -> Mapping[str, Any]:
    return {"kind": type(worker).__name__}


@pytest.mark.slow
def test_what_kills_its_process_is_given_up_and_the_others_are_done(nodes: Nodes, place: Path, drawn: Callable) -> None:
    from ray import cloudpickle

    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    names = [f"{one}.png" for one in ("deadly", "second", *"abcdef")]
    jobs = [Job(drawn(Path(name)), Path("out") / name, None) for name in names]
    log = Log()
    told = work_on_cluster("ray", jobs, Killer, facts, log, need=Need(1))
    assert told == {"kind": "Killer"}
    assert sorted(log.written) == sorted(names[1:])
    (words,) = log.failed.values()
    assert words.startswith("deadly.png: 3 processes died at work on it (") and words.endswith("): try it alone")


@pytest.mark.slow
def test_a_node_that_comes_later_gets_its_share(limner: Callable, nodes: Nodes, place: Path) -> None:
    nodes.kill_one()
    photos(Path("in"), 200, 192)
    watch = Watch(Path("out"), 4, nodes.complete)
    watch.start()
    done = limner("stylize", "in", "--style", "great-wave", "--on", "ray", "-o", "out/")
    watch.stop()
    assert done.code == 0, done.err
    assert len(contents(Path("out"))) == 200 and not watch.twice


def test_a_dry_run_tells_what_would_become_of_a_bucket(
    limner: Callable, tiny: Path, place: Path, drawn: Callable
) -> None:
    fsspec.filesystem("memory").store.clear()
    for name in ("a.png", "b_x2_tiny.png", "deep/c.jpg"):
        BucketPath(f"memory://photos/{name}").store(drawn(Path("here.png")))
    words = ("upscale", "memory://photos", "--model", tiny, "--on", "ray", "--dry-run")
    assert limner(*words).out == (
        "memory://photos/a.png -> memory://photos/a_x2_tiny.png\n"
        "memory://photos/b_x2_tiny.png -> memory://photos/b_x2_tiny_x2_tiny.png\n"
        "scale: 2\n"
    )
    done = limner(*words, "-r", "-o", "memory://photos/large", "--format", "webp")
    assert done.out.splitlines()[2] == "memory://photos/deep/c.jpg -> memory://photos/large/deep/c_x2_tiny.webp"
    BucketPath("memory://photos/a_x2_tiny.png").store(Path("here.png"))
    refusal = limner("upscale", "memory://photos/a.png", *words[2:]).error
    assert refusal.startswith("memory://photos/a_x2_tiny.png: is already there: pass --force")
    assert "1 of them is there already" in limner(*words).err


def test_a_bucket_needs_a_cluster(limner: Callable, tiny: Path, place: Path) -> None:
    words = "is in a bucket, which a cluster reads and writes: pass --on ray"
    assert limner("upscale", "s3://photos/a.png", "--model", tiny).error == f"s3://photos/a.png: {words}"
    assert limner("stylize", "a.png", "-o", "gs://out/", "--style", "mosaic").error == f"gs://out: {words}"


def test_without_the_extra_one_line_names_it(
    limner: Callable, tiny: Path, place: Path, drawn: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn(Path("in/a.png"))
    monkeypatch.setitem(sys.modules, "ray", None)
    done = limner("upscale", "in", "--model", tiny, "--on", "ray", "-o", "out")
    assert (done.code, done.error) == (
        2,
        "--on needs the ray extra, here and on all nodes: pip install '.[ray]' in the folder of Limner",
    )


@pytest.mark.parametrize(
    "address", ["spark", "ray:", "ray://", "ray:/x", "ray://there:x", "ray://there:70000", "127.0.0.1:6379"]
)
def test_what_is_no_address_of_a_cluster_is_refused(
    limner: Callable, tiny: Path, place: Path, drawn: Callable, address: str
) -> None:
    drawn(Path("a.png"))
    words = f"--on takes ray, or ray://HOST:PORT, got {address!r}: name a cluster so"
    assert limner("upscale", "a.png", "--model", tiny, "--on", address).error == words


def test_what_optimises_is_not_for_a_cluster(limner: Callable, place: Path, drawn: Callable) -> None:
    drawn(Path("a.png"))
    words = limner("stylize", "a.png", "--style", "great-wave", "--method", "gatys", "--on", "ray").error
    assert words.startswith("--on is for what paints in one pass, got gatys")


def test_ray_is_told_to_tell_nobody_of_its_use(
    limner: Callable, tiny: Path, place: Path, drawn: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn(Path("a.png"))
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "1")
    monkeypatch.setitem(sys.modules, "ray", None)
    limner("upscale", "a.png", "--model", tiny, "--on", "ray")
    assert os.environ["RAY_USAGE_STATS_ENABLED"] == "0"
