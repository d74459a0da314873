import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from limner.errors import LimnerError
from limner.files.image import Picture, read_image
from limner.media.inputs import find_pictures
from limner.media.many_files import Observer, Worker, Written, work_through
from limner.media.names import Naming
from limner.media.outputs import Job, make_folders, plan_outputs


class Inverter(Worker):
    """Turns every sample round; a file whose name says so fails, or is worked on alone."""

    def work(self, job: Job, picture: Picture, observer: Observer) -> Picture:
        if "bug" in job.source.name:
            raise ZeroDivisionError("by nought")
        if "stop" in job.source.name:
            raise KeyboardInterrupt
        observer.part_done(1, 2)
        observer.part_done(2, 2)
        return replace(picture, pixels=255 - picture.pixels)

    def is_alone(self, job: Job) -> bool:
        return "large" in job.source.name

    def work_alone(self, job: Job, observer: Observer) -> tuple[int, int, Mapping[str, Any]]:
        job.target.write_text("from file to file")
        return 7, 5, {"frames": 3}

    def finish(self, job: Job, picture: Picture, result: Picture) -> Mapping[str, Any]:
        return {"brightest": int(picture.pixels.max())}


class LightInverter(Inverter):
    """The same for files that are worked on at once; it keeps in which threads."""

    def __init__(self) -> None:
        super().__init__(overwrite=True)
        self.threads: set[int] = set()

    def is_light(self, job: Job) -> bool:
        return "heavy" not in job.source.name

    def work(self, job: Job, picture: Picture, observer: Observer) -> Picture:
        self.threads.add(threading.get_ident())
        time.sleep(0.02 if "slow" in job.source.name else 0)
        return super().work(job, picture, observer)


class Log:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.events: list[tuple[object, ...]] = []
        self.written: list[Written] = []
        self.threads: set[int] = set()

    def file_started(self, job: Job) -> None:
        self.threads.add(threading.get_ident())
        self.events.append(("started", job.source.name))

    def part_done(self, done: int, total: int) -> None:
        self.events.append(("part", done, total))

    def file_written(self, written: Written) -> None:
        self.events.append(("written", written.job.source.name))
        self.written.append(written)

    def file_failed(self, job: Job, error: Exception) -> None:
        self.events.append(("failed", job.source.name, type(error)))

    def note(self, text: str) -> None:
        self.events.append(("note", text))


def jobs(*names: str) -> list[Job]:
    found = find_pictures([Path(name) for name in names])
    return plan_outputs(found, Naming("{stem}_inverted"), output="out/", suffix=None, force=True).jobs


def test_results_are_what_the_worker_makes_in_the_order_of_the_files(place: Path, drawn: Callable) -> None:
    names = [str(drawn(Path(f"{name}.png"), 20 + number)) for number, name in enumerate("cab")]
    log = Log()
    work_through(jobs(*names), Inverter(), log)
    assert [one.job.source.name for one in log.written] == names
    for number, name in enumerate(names):
        before, after = read_image(name), read_image(Path("out") / f"{Path(name).stem}_inverted.png")
        assert np.array_equal(after.pixels, 255 - before.pixels)
        assert (log.written[number].width, log.written[number].height) == (20 + number, 16)
        assert log.written[number].facts == {"brightest": before.pixels.max()}
        assert 0 < log.written[number].seconds < 60


def test_what_happens_to_a_file_is_told_as_it_happens(place: Path, drawn: Callable) -> None:
    log = Log()
    work_through(jobs(str(drawn(Path("a.png")))), Inverter(), log)
    assert log.events == [("started", "a.png"), ("part", 1, 2), ("part", 2, 2), ("written", "a.png")]


def test_whatever_a_file_raises_is_its_own_and_the_others_go_on(place: Path, drawn: Callable) -> None:
    Path("bad.png").write_text("no picture")
    names = [str(drawn(Path(name))) for name in ("a.png", "bug.png", "z.png")]
    log = Log()
    work_through(jobs("bad.png", *names, "missing.png", "z.png"), Inverter(), log)
    ends = [event for event in log.events if event[0] in ("written", "failed")]
    assert ends == [
        ("failed", "bad.png", LimnerError),
        ("written", "a.png"),
        ("failed", "bug.png", ZeroDivisionError),
        ("written", "z.png"),
        ("failed", "missing.png", LimnerError),
    ]
    assert sorted(path.name for path in Path("out").iterdir()) == ["a_inverted.png", "z_inverted.png"]


def test_a_file_that_is_worked_on_alone_is_not_read_before(place: Path, drawn: Callable) -> None:
    Path("large.png").write_text("more than memory holds")
    log = Log()
    work_through(jobs(str(drawn(Path("a.png"))), "large.png", str(drawn(Path("b.png")))), Inverter(), log)
    first, large, last = log.written
    assert [one.job.source.name for one in (first, large, last)] == ["a.png", "large.png", "b.png"]
    assert (large.width, large.height, large.facts) == (7, 5, {"frames": 3})
    assert log.events.index(("written", "a.png")) < log.events.index(("started", "large.png"))
    assert log.events.index(("written", "large.png")) < log.events.index(("started", "b.png"))


def test_being_stopped_ends_the_run(place: Path, drawn: Callable) -> None:
    names = [str(drawn(Path(name))) for name in ("a.png", "stop.png", "z.png")]
    with pytest.raises(KeyboardInterrupt):
        work_through(jobs(*names), Inverter(), Log())
    assert not Path("out/z_inverted.png").exists()


class StopsOnceTheFirstIsThere(LightInverter):
    def __init__(self, *, light: bool) -> None:
        super().__init__()
        self.light = light

    def is_light(self, job: Job) -> bool:
        return self.light

    def work(self, job: Job, picture: Picture, observer: Observer) -> Picture:
        while "stop" in job.source.name and not Path("out/a_inverted.png").exists():
            time.sleep(0.01)
        return super().work(job, picture, observer)


@pytest.mark.parametrize("light", [False, True])
def test_what_is_whole_is_told_when_the_run_is_stopped(place: Path, drawn: Callable, light: bool) -> None:
    names, log = [str(drawn(Path(name))) for name in ("a.png", "stop.png", "z.png")], Log()
    with pytest.raises(KeyboardInterrupt):
        work_through(jobs(*names), StopsOnceTheFirstIsThere(light=light), log)
    told = [str(name) for event, name, *_ in log.events if event == "written"]
    assert sorted(told) == sorted(one.name.replace("_inverted", "") for one in Path("out").iterdir())
    assert "a.png" in told


def test_a_file_that_is_there_is_replaced_only_if_it_may_be(place: Path, drawn: Callable) -> None:
    planned = jobs(str(drawn(Path("a.png"))))
    make_folders(planned)
    planned[0].target.write_text("somebody else's")
    for overwrite, last in ((False, "failed"), (True, "written")):
        log = Log()
        work_through(planned, Inverter(overwrite=overwrite), log)
        assert log.events[-1][0] == last


def test_a_target_that_no_format_holds_is_refused_before_the_work(place: Path, drawn: Callable) -> None:
    log = Log()
    work_through([Job(drawn(Path("a.png")), Path("a.xyz"), None)], Inverter(), log)
    assert log.events == [("failed", "a.png", LimnerError)]


def test_light_files_are_worked_on_at_once_and_told_of_as_others_are(place: Path, drawn: Callable) -> None:
    names = [str(drawn(Path(f"{name}.png"), 20)) for name in ("slow", "b", "bug", "c", "heavy", "large", "z")]
    told, threads = [], []
    light = LightInverter()
    for worker in (Inverter(overwrite=True), light):
        log = Log()
        work_through(jobs(*names), worker, log)
        told.append(sorted(map(str, log.events)))
        threads.append(log.threads)
        assert [one.job.source.name for one in log.written] == [
            f"{n}.png" for n in ("slow", "b", "c", "heavy", "large", "z")
        ]
        for path in Path("out").glob("*_inverted.png"):
            if "large" not in path.name:
                source = read_image(path.name.replace("_inverted", ""))
                assert np.array_equal(read_image(path).pixels, 255 - source.pixels)
    assert told[0] == told[1]
    assert threads == [{threading.get_ident()}] * 2
    assert len(light.threads) == 3  # two, and this one for what is not light


def test_what_a_light_file_says_comes_together(place: Path, drawn: Callable) -> None:
    log = Log()
    work_through(jobs(*(str(drawn(Path(f"{name}.png"))) for name in "abcd")), LightInverter(), log)
    parts = [("part", 1, 2), ("part", 2, 2)]
    for name in (f"{name}.png" for name in "abcd"):
        assert log.events[:4] == [("started", name), *parts, ("written", name)]
        del log.events[:4]


def test_being_stopped_in_a_light_file_ends_the_run(place: Path, drawn: Callable) -> None:
    names = [str(drawn(Path(f"{name}.png"))) for name in ("a", "stop", *"bcdefghijklm")]
    with pytest.raises(KeyboardInterrupt):
        work_through(jobs(*names), LightInverter(), Log())
    assert not Path("out/m_inverted.png").exists()
