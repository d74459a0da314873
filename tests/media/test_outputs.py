import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from limner.errors import LimnerError
from limner.media.inputs import find_pictures
from limner.media.names import Naming
from limner.media.outputs import Job, make_folders, plan_outputs


def targets(*names: str, recursive: bool = False, **options: Any) -> list[str]:
    found = find_pictures([Path(name) for name in names], recursive=recursive)
    usual = ("{stem}_x{scale}", "{stem}_x{scale}_{model}")
    naming = Naming(usual[0], {"model": ["vdsr"]}, usual, scale=options.pop("scale", 2), model="edsr")
    defaults: dict[str, Any] = {"output": None, "suffix": None}
    return [str(place) for job in plan_outputs(found, naming, **(defaults | options)).jobs for place in job.outputs]


@pytest.fixture(autouse=True)
def pictures(place: Path, drawn: Callable) -> None:
    for name in ["a.png", "in/a.jpg", "in/b.png", "in/sub/b.png"]:
        drawn(place / name)


def test_beside_the_source_by_default() -> None:
    assert targets("in/a.jpg", "in/b.png", scale=3) == ["in/a_x3.jpg", "in/b_x3.png"]
    assert targets("in/a.jpg", suffix=".png", compare=True) == ["in/a_x2.png", "in/a_x2_compare.png"]


def test_a_video_keeps_its_container_but_for_avi(place: Path) -> None:
    for name in ["a.MOV", "b.avi"]:
        (place / name).touch()
    assert targets("a.MOV", "b.avi") == ["a_x2.MOV", "b_x2.mkv"]
    assert targets("b.avi", output="new.mp4") == ["new.mp4"]


def test_resume_allows_what_is_there_and_leaves_out_results(place: Path, drawn: Callable) -> None:
    drawn(place / "a_x2.png")
    assert targets("a.png", "a_x2.png", resume=True) == []
    os.utime("a_x2.png", (1, 1))
    assert targets("a.png", "a_x2.png", resume=True) == ["a_x2.png"]
    with pytest.raises(LimnerError, match="is already there"):
        targets("a.png", output="a.png", resume=True)


def test_a_job_is_finished_when_all_is_there_and_no_older_than_the_source(place: Path, drawn: Callable) -> None:
    job = Job(place / "a.png", drawn(place / "a_x2.png"), None)
    os.utime(job.source, (100, 100))
    for second, finished in ((99, False), (100, True), (101, True)):
        os.utime(job.target, (second, second))
        assert job.is_finished() is finished
    both = job._replace(comparison=place / "a_compare.png")
    assert not both.is_finished()
    drawn(both.comparison)
    assert both.is_finished()
    assert not job._replace(source=place / "gone.png").is_finished()


def test_one_picture_goes_to_a_file_or_a_folder(place: Path) -> None:
    assert targets("a.png", output="new/big.webp") == ["new/big.webp"]
    assert targets("a.png", output="in") == ["in/a_x2.png"]
    assert targets("a.png", output="folder/") == ["folder/a_x2.png"]


def test_many_go_to_a_folder_which_mirrors_subfolders(place: Path) -> None:
    assert targets("in", output="out", recursive=True) == ["out/a_x2.jpg", "out/b_x2.png", "out/sub/b_x2.png"]


def test_force_replaces(place: Path, drawn: Callable) -> None:
    drawn(place / "a_x2.png")
    assert targets("a.png", force=True) == ["a_x2.png"]
    assert targets("a.png", output="a.png", force=True) == ["a.png"], "in place"


@pytest.mark.parametrize(
    ("names", "options", "message"),
    [
        (["in", "in/sub/b.png"], {"output": "out"}, "would both become out/b_x2.png"),
        (["a.png", "in/b.png"], {"output": "a.png"}, "a.png: is a file, and 2 pictures need a folder"),
        (["in"], {"output": "a.png"}, "a.png: is a file"),
        (["a.png"], {"output": "in/b.png"}, "in/b.png: is already there: pass --force"),
        (["a.png"], {"output": "b.jpg", "suffix": ".png"}, "what is written is .png"),
        (["a.png"], {"output": "a.png/b/c.png"}, "no folder can be here"),
    ],
)
def test_a_clash_is_refused_before_the_work(
    place: Path, drawn: Callable, names: list[str], options: dict[str, Any], message: str
) -> None:
    drawn(place / "x.png")
    drawn(place / "x_x2.png")
    with pytest.raises(LimnerError, match=message):
        targets(*names, **options)
    assert not (place / "out").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="has /proc, where root may not write either")
def test_a_folder_that_may_not_be_written_to_is_refused(place: Path) -> None:
    with pytest.raises(LimnerError, match="may not be written to"):
        targets("a.png", output="/proc/limner/")


def test_a_folder_can_be_named_again_and_again(place: Path, drawn: Callable) -> None:
    notes: list[str] = []
    assert targets("in", on_note=notes.append) == ["in/a_x2.jpg", "in/b_x2.png"]
    drawn(place / "in/a_x2.jpg"), drawn(place / "in/a_x4_vdsr_compare.png"), drawn(place / "in/b_x.png")
    assert targets("in", on_note=notes.append) == ["in/b_x2.png", "in/b_x_x2.png"]
    assert notes == [
        "passed by 2 made of others by an earlier run: name one alone to take it",
        "1 of them is there already: passed by, --force makes all anew",
    ]
    assert targets("in", force=True) == ["in/a_x2.jpg", "in/b_x2.png", "in/b_x_x2.png"]
    assert targets("in/a_x2.jpg") == ["in/a_x2_x2.jpg"], "named alone"
    os.utime("in/a_x2.jpg", (1, 1))
    assert targets("in", on_note=notes.append) == ["in/b_x2.png", "in/b_x_x2.png"]
    assert notes[-1] == "1 of them is there already, 1 older than the photo: passed by, --force makes all anew"


def test_folders_are_made_when_the_work_begins(place: Path) -> None:
    jobs = plan_outputs(find_pictures([Path("in")]), Naming("{stem}"), output="new/deep", suffix=None).jobs
    assert not (place / "new").exists()
    make_folders(jobs)
    assert (place / "new/deep").is_dir()


@pytest.mark.skipif(os.name == "nt", reason="there are no such pipes")
def test_what_is_no_ordinary_file_is_not_replaced(place: Path) -> None:
    os.mkfifo("pipe.png")
    Path("link.png").symlink_to("nowhere.png")
    with pytest.raises(LimnerError, match=r"pipe\.png: is no ordinary file"):
        targets("a.png", output="pipe.png", force=True)
    with pytest.raises(LimnerError, match=r"link\.png: is already there"):
        targets("a.png", output="link.png")


def test_a_usual_suffix_gives_way_to_that_of_the_output() -> None:
    assert targets("in/a.jpg", usual=".png") == ["in/a_x2.png"]
    assert targets("in/a.jpg", usual=".png", output="b.jpg") == ["b.jpg"]
    assert targets("in/a.jpg", usual=".png", suffix=".webp") == ["in/a_x2.webp"]


def test_pictures_that_differ_by_their_suffix_alone_have_results_of_their_own(place: Path, drawn: Callable) -> None:
    notes: list[str] = []
    for suffix in ("jpg", "png", "gif"):
        drawn(place / "same" / f"a.{suffix}")
    assert targets("same", on_note=notes.append) == ["same/a_gif_x2.png", "same/a_x2.jpg", "same/a_x2.png"]
    assert notes == ["same/a.gif becomes same/a_gif_x2.png, for another picture becomes same/a_x2.png"]
    as_webp = [f"out/a_{suffix}_x2.webp" for suffix in ("gif", "jpg", "png")]
    assert targets("same", output="out/", suffix=".webp") == as_webp
    drawn(place / "same" / "a_gif_x2.png"), drawn(place / "same" / "a_x2.png")
    assert targets("same") == ["same/a_x2.jpg"], "a folder that is named again gives no results of results"
