import json
from collections.abc import Callable
from pathlib import Path

import pytest

from limner.errors import LimnerError
from limner.files.image import Picture
from limner.media.outputs import Job
from limner.verbs.upscale.upscale import Upscaler


@pytest.fixture
def broken(place: Path, drawn: Callable, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of two pictures, the first of which makes us fail by a bug of ours."""
    drawn(place / "in" / "a.png", 20, 16)
    drawn(place / "in" / "b.png", 24, 16)
    enlarge = Upscaler.enlarge_picture

    def failing(self: Upscaler, picture: Picture, *others: object) -> Picture:
        if picture.width == 20:
            raise ZeroDivisionError("by nought")
        return enlarge(self, picture)

    monkeypatch.setattr(Upscaler, "enlarge_picture", failing)
    return place


def test_a_bug_is_the_line_of_its_file_and_the_others_go_on(limner: Callable, broken: Path, tiny: Path) -> None:
    done = limner("upscale", "in", "-o", "out", "--model", tiny)
    assert (done.code, done.out) == (1, "out/b_x2_tiny.png  48x32\n")
    error, summary = done.err.splitlines()
    assert error.startswith("error: in/a.png: ZeroDivisionError: by nought: this is a bug in limner: please report it")
    assert summary == "1 of 2 pictures are enlarged"


def test_json_names_what_failed(limner: Callable, broken: Path, tiny: Path) -> None:
    done = limner("upscale", "in", "-o", "out", "--model", tiny, "--json")
    told = json.loads(done.out)
    assert done.code == 1
    assert [one["output"] for one in told["files"]] == ["out/b_x2_tiny.png"]
    assert [one["source"] for one in told["failed"]] == ["in/a.png"]


def test_a_bug_with_the_only_file_is_told_with_its_traceback(limner: Callable, broken: Path, tiny: Path) -> None:
    done = limner("upscale", "in/a.png", "--model", tiny)
    assert done.code == 1
    assert "Traceback" in done.err and "ZeroDivisionError: by nought" in done.err


def test_of_many_files_each_line_names_its_own(
    limner: Callable, place: Path, drawn: Callable, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: object, job: Job, picture: object, observer: object) -> None:
        raise LimnerError(f"no eyes in {job.source.stem}")

    drawn(place / "in" / "a.png"), drawn(place / "in" / "b.png")
    monkeypatch.setattr("limner.verbs.upscale.upscale_many.UpscaleWorker.work", fail)
    done = limner("upscale", "in", "--model", tiny)
    assert done.err.splitlines()[:2] == ["error: in/a.png: no eyes in a", "error: in/b.png: no eyes in b"]
