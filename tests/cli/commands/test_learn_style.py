"""`limner learn-style`: a painting in, a style that paints in one pass out."""

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import torch

from limner.files.weights import Header, read_header, save_weights
from limner.systems.feedforward.many_styles import RELEASED_SLIM, ManyStyles
from limner.verbs import learn_style, learnt_styles

linux = pytest.mark.skipif(sys.platform != "linux", reason="has /proc")
FEW = ["--minutes", "0.0001", "--size", "64"]


@pytest.fixture
def painting(place: Path, drawn: Callable, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A painting, in a folder where little is learnt from little."""
    (place / "photos").mkdir()
    drawn(place / "photos" / "a.png", 48, 40)
    config = RELEASED_SLIM.model_copy(update={"channels": (4, 4, 4), "num_blocks": 0, "styles": ("one", "other")})
    torch.manual_seed(0)
    trunk = place / "trunk.safetensors"
    header = Header(system="many-styles", config=config.model_dump(mode="json"))
    save_weights(trunk, ManyStyles(config).state_dict(), header)
    monkeypatch.setattr(learn_style, "_PATCH", 32)
    monkeypatch.setattr(learn_style, "TRUNK", str(trunk))
    monkeypatch.setattr(learnt_styles, "fetched_folder", lambda: place / "kept")
    return drawn(place / "my painting.png", 80, 64)


def test_a_style_is_written_and_paints(limner: Callable, painting: Path, drawn: Callable) -> None:
    done = limner("learn-style", painting.name, "-o", "mine.safetensors", "--photos", "photos", *FEW)
    assert (done.code, done.out.split("  ")[0]) == (0, "mine.safetensors")
    assert "use it with: limner stylize photo.jpg --model mine.safetensors" in done.err
    assert read_header(Path("mine.safetensors")).config["styles"] == ["my painting"]
    drawn(Path("photo.png"), 20, 12)
    assert limner("stylize", "photo.png", "--model", "mine.safetensors").code == 0
    assert Path("photo_mine.png").exists()


def test_a_style_is_kept_for_its_painting_and_listed(limner: Callable, painting: Path, drawn: Callable) -> None:
    done = limner("learn-style", painting.name, "--photos", "photos", *FEW)
    assert done.code == 0
    assert "use it with: limner stylize photo.jpg --style 'my painting.png'" in done.err
    drawn(Path("photo.png"), 20, 12)
    painted = limner("stylize", "photo.png", "--style", painting.name, "--json")
    assert '"method": "fast"' in painted.out
    assert "my painting  learnt, " in limner("stylize", "--list", "-o", "sheet.png").out


def test_what_is_there_is_not_learnt_again(limner: Callable, painting: Path) -> None:
    given = ("learn-style", painting.name, "-o", "mine.safetensors", "--photos", "photos", *FEW)
    assert limner(*given).code == 0
    again = limner(*given)
    assert (again.code, again.err.startswith("error: mine.safetensors: is already there")) == (2, True)
    assert limner(*given, "--force").code == 0


def test_several_paintings_are_learnt_and_what_is_kept_is_not_learnt_again(
    limner: Callable, painting: Path, drawn: Callable
) -> None:
    other = drawn(Path("other.png"), 70, 64)
    few = ("--photos", "photos", *FEW)
    assert limner("learn-style", painting.name, *few).code == 0
    done = limner("learn-style", painting.name, other.name, "--preview", "now.png", *few)
    assert done.code == 0
    assert "note: my painting.png is learnt already: --force learns it anew" in done.err
    assert "use it with: limner stylize photo.jpg --style other.png" in done.err
    assert len(done.out.splitlines()) == 1
    assert Path("now.png").exists()
    refused = limner("learn-style", painting.name, other.name, "--preview", "now.png", "--photos", "photos", *FEW)
    assert (refused.code, refused.error) == (
        2, "now.png: is already there: pass --force to replace, or name another --preview"
    )  # fmt: skip
    anew = limner("learn-style", painting.name, other.name, "--force", *few)
    assert (anew.code, len(anew.out.splitlines())) == (0, 2)
    assert "other.png, 2 of 2" in anew.err


def test_a_learnt_style_paints_by_its_name_until_it_is_forgotten(
    limner: Callable, painting: Path, drawn: Callable
) -> None:
    assert limner("learn-style", painting.name, "--photos", "photos", *FEW).code == 0
    drawn(Path("photo.png"), 20, 12)
    assert '"method": "fast"' in limner("stylize", "photo.png", "--style", "my painting", "--json").out
    forgotten = limner("learn-style", "--forget", "my painting")
    assert (forgotten.code, forgotten.out.endswith("  forgotten\n")) == (0, True)
    assert "learnt" not in limner("stylize", "--list", "-o", "sheet.png").out
    again = limner("learn-style", "--forget", "my painting")
    assert again.error == "learnt styles are none, got 'my painting': see limner stylize --list"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "learn-style takes one painting or more, got none: name them"),
        (
            ["my painting.png", "my painting.png", "-o", "a.safetensors"],
            "--output takes the style of one painting, got 2",
        ),
        (["my painting.png", "--preview", "now.txt"], "--preview is a picture, got now.txt: end it with .png or .jpg"),
        (["my painting.png", "--forget", "a"], "--forget stands alone, got my painting.png to learn too"),
    ],
)
def test_what_does_not_fit_is_one_line(limner: Callable, painting: Path, arguments: list[str], message: str) -> None:
    assert limner("learn-style", *arguments).error.startswith(message)


@pytest.fixture
def few_steps(painting: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Learning that takes a step, of the photos of the folder, and of a trunk that is embedded."""
    folder = Path("embedded")
    folder.mkdir()
    (folder / "many-styles.safetensors").write_bytes(Path("trunk.safetensors").read_bytes())
    monkeypatch.setattr("limner.catalog.models.WEIGHTS", folder.resolve())
    monkeypatch.setattr(learn_style, "FIT", learn_style.FIT.model_copy(update={"steps": 1}))
    learn = partial(learn_style.learn_style, photos=Path("photos"), size=64)
    monkeypatch.setattr("limner.cli.work.new_style.learn_style", learn)


def test_a_new_painting_is_learnt_first_and_the_second_photo_is_instant(
    limner: Callable, painting: Path, few_steps: None, drawn: Callable
) -> None:
    drawn(Path("photo.png"), 20, 12)
    first = limner("stylize", "photo.png", "--style", painting.name, "--json")
    assert first.err.splitlines()[0] == (
        "my painting.png is new: its style is learnt first, once, in 5 minutes or less; "
        "--quick paints at once, but worse"
    )
    assert '"method": "fast"' in first.out
    second = limner("stylize", "photo.png", "--style", painting.name, "-o", "b.png", "--json")
    assert (second.code, '"method": "fast"' in second.out, second.err) == (0, True, "")
    assert Path("photo_my_painting.png").read_bytes() == Path("b.png").read_bytes()


def test_nothing_is_learnt_for_a_photo_that_cannot_be_painted(
    limner: Callable, painting: Path, few_steps: None, drawn: Callable
) -> None:
    drawn(Path("photo.png"), 20, 12)
    for wrong in (["--strength", "2"], ["--stroke", "0"], ["--size", "x"], ["-o", "photo.png"]):
        assert limner("stylize", "photo.png", "--style", painting.name, *wrong).error
    assert not Path("kept").exists()


def test_a_painting_that_is_not_there_is_told(limner: Callable, painting: Path) -> None:
    done = limner("learn-style", "nothing.jpg")
    assert (done.code, done.err.startswith("error: nothing.jpg: there is no such file")) == (2, True)


NOWHERE = [
    pytest.param("a file/limner", "no folder can be here", id="below a file"),
    pytest.param("/proc/limner", "may not be written to", id="of the system", marks=linux),
]


@pytest.mark.parametrize("dry_run", [[], ["--dry-run"]])
@pytest.mark.parametrize(("kept", "message"), NOWHERE)
@pytest.mark.parametrize("command", [["stylize", "photo.png", "--style"], ["learn-style"]])
def test_a_folder_of_learnt_styles_that_takes_none_is_told_before_the_first_step(
    limner: Callable, painting: Path, drawn: Callable, monkeypatch: pytest.MonkeyPatch,
    command: list[str], kept: str, message: str, dry_run: list[str],
) -> None:  # fmt: skip
    drawn(Path("photo.png"), 20, 12)
    Path("a file").touch()
    monkeypatch.setattr(learnt_styles, "fetched_folder", lambda: Path(kept))
    refused = limner(*command, painting.name, *dry_run)
    assert (refused.code, message in refused.error) == (2, True)
    assert "limner learn-style PAINTING --output FILE" in refused.error


def test_a_full_disk_is_told_before_the_first_step(
    limner: Callable, painting: Path, drawn: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn(Path("photo.png"), 20, 12)
    monkeypatch.setattr("limner.files.space._free", lambda folder: 1_000_000)
    for command in (["stylize", "photo.png", "--style"], ["learn-style"], ["learn-style", "-o", "a.safetensors"]):
        refused = limner(*command, painting.name)
        assert (refused.code, "4.0 MB are missing of the 5.0 MB" in refused.error) == (1, True)


@pytest.mark.parametrize("option", ["--output=a file/a.safetensors", "--preview=a file/a.png"])
def test_other_places_that_take_no_file_are_told_before_the_first_step(
    limner: Callable, painting: Path, option: str
) -> None:
    Path("a file").touch()
    refused = limner("learn-style", painting.name, option)
    assert (refused.code, "no folder can be here" in refused.error) == (2, True)


def test_what_was_stopped_is_told_with_the_command_that_goes_on(
    limner: Callable, painting: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped = learn_style.LearntStyle(Path("kept"), 7, 1.0, finished=False, start="one")
    monkeypatch.setattr("limner.cli.work.learn_style.learn_style", lambda *given, **others: stopped)
    done = limner("learn-style", painting.name, "--size", "64")
    assert (done.code, done.err) == (
        1, "stopped after 7 steps, all saved; go on with: limner learn-style 'my painting.png' --size 64 --resume\n"
    )  # fmt: skip
    assert limner("learn-style", painting.name, "--minutes", "3").err.endswith(" --minutes 3 --resume\n")


def test_paintings_that_cannot_be_read_hold_up_no_others(limner: Callable, painting: Path) -> None:
    Path("cut.png").write_bytes(b"no picture")
    done = limner("learn-style", "gone.png", "cut.png", "my*.png", "*.tif", "--photos", "photos", *FEW)
    assert (done.code, len(done.out.splitlines())) == (1, 1)
    errors = [line.split(":")[1].strip() for line in done.err.splitlines() if line.startswith("error: ")]
    assert errors == ["gone.png", "cut.png", "*.tif"]


def test_nothing_is_learnt_for_a_photo_that_cannot_be_read(limner: Callable, painting: Path, few_steps: None) -> None:
    Path("cut.png").write_bytes(b"no picture")
    assert "cut.png: is not an image" in limner("stylize", "cut.png", "--style", painting.name).error
    assert not Path("kept").exists()
