"""One vocabulary over all commands: what a word means in one, it means in all."""

import json
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from limner.cli.command import GroupedHelp
from limner.cli.main import app
from limner.cli.options import GROUPS


def walk(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Every command with its words."""
    if hasattr(command, "commands"):
        if path and command.invoke_without_command:
            yield " ".join(path), command
        for name, one in command.commands.items():
            yield from walk(one, (*path, name))
    else:
        yield " ".join(path), command


COMMANDS = dict(walk(typer.main.get_command(app)))
FILES = [
    "upscale",
    "stylize",
    "restore denoise",
    "restore inpaint",
    "restore upscale",
    "invert",
    "translate",
    "redirect",
    "straighten",
    "run",
]
"""What takes photos and gives one for each."""
PICTURES = [*FILES, "texture", "imagine", "generate"]
EVALUATE = [
    "evaluate super-resolution", "evaluate segmentation", "evaluate translation", "evaluate generation",
    "evaluate geometry",
]  # fmt: skip
WRITES = [*PICTURES, "morph", "segment", "stylize-video", "learn-style", "train", "export", "import", *EVALUATE]
PUTS = [*WRITES, "demo", "weights fetch", "models pull"]
COMPUTES = [one for one in WRITES if one not in ("export", "import", "morph", "run")] + ["demo"]
PLAIN = (
    "upscale",
    "morph",
    "redirect",
    "straighten",
    "segment",
    "export",
    "import",
    *(one for one in EVALUATE if one != "evaluate translation"),
)
RANDOM = [one for one in WRITES if one not in PLAIN]
STOPPABLE = [*(one for one in PICTURES if one != "generate"), "segment", "stylize-video", "learn-style", "train"]
SERVERS = ["studio", "serve"]
MODELLED = [
    *SERVERS,
    "segment",
    "upscale",
    "stylize",
    "stylize-video",
    "texture",
    "generate",
    "translate",
    "redirect",
    "straighten",
    *EVALUATE,
]
HAVE = {
    "--output": [*PUTS, "models", "check", "watch", "shard"],
    "--json": [one for one in COMMANDS if one not in SERVERS],
    "--dry-run": [*PUTS, "models push"],
    "--force": [*WRITES, "models", "models pull", "models push", "check"],
    "--resume": STOPPABLE,
    "--format": [*PICTURES, "export"],
    "--quality": PICTURES,
    "--name": [*(one for one in PICTURES if one != "imagine"), "segment", "stylize-video"],
    "--recursive": [*FILES, "segment", "texture"],
    "--device": [*COMPUTES, *SERVERS],
    "--seed": RANDOM,
    "--model": MODELLED,
    "--style": ["stylize", "stylize-video", "train"],
}
ALIKE = ("--json", "--dry-run", "--quality", "--device", "--recursive")
"""Options that are declared once, with one help."""


def options_of(command: Any) -> dict[str, Any]:
    return {name: one for one in command.params for name in one.opts if name.startswith("--")}


@pytest.mark.parametrize("word", HAVE)
def test_the_commands_that_have_a_word_are_those_that_need_it(word: str) -> None:
    assert {name for name, command in COMMANDS.items() if word in options_of(command)} == set(HAVE[word])


@pytest.mark.parametrize("word", ALIKE)
def test_a_word_has_one_help_everywhere(word: str) -> None:
    assert len({options_of(COMMANDS[name])[word].help for name in HAVE[word]}) == 1


def test_output_is_short_and_long_everywhere() -> None:
    for name in PUTS:
        assert {"--output", "-o"} <= set(options_of(COMMANDS[name])["--output"].opts), name


def test_style_and_model_are_named_alike() -> None:
    for name in HAVE["--style"]:
        assert options_of(COMMANDS[name])["--style"].metavar.startswith("NAME|FILE"), name


def test_every_photo_argument_takes_folders() -> None:
    arguments = {name: one for name in (*FILES, "texture") for one in COMMANDS[name].params if one.name == "photos"}
    assert set(arguments) == {*FILES, "texture"}
    assert all("folders of photos" in one.help and one.nargs == -1 for one in arguments.values())


@pytest.mark.parametrize("name", COMMANDS)
def test_help_has_examples_that_are_right_and_options_by_groups(limner: Callable, name: str) -> None:
    command = COMMANDS[name]
    assert isinstance(command, GroupedHelp)
    examples = command.epilog.splitlines()
    assert len(examples) == 3
    for line in examples:
        words = shlex.split(line)
        words = words[1 : words.index("&&")] if "&&" in words else words[1:]
        own = next(one for one in sorted(COMMANDS, key=len, reverse=True) if " ".join(words).startswith(one))
        COMMANDS[own].make_context(own, words[len(own.split()) :])  # raises for what it does not have
    shown = limner(*name.split(), "--help").out
    assert all(f"  {line}\n" in shown for line in examples)
    for group, names in GROUPS.items():
        has = any(one.name in names and one.param_type_name == "option" for one in command.params)
        assert (f"\n{group}:\n" in shown) == has, group


def test_a_long_option_with_one_dash_is_explained(limner: Callable) -> None:
    refused = limner("stylize", "photo.jpg", "-style", "great-wave")
    assert refused.error == "-style has one dash: write --style (see limner stylize --help)"
    assert "-scale=2 has one dash: write --scale=2" in limner("upscale", "photo.jpg", "-scale=2").error
    assert "-resume has one dash" in limner("train", "vdsr", "-resume").error


# what is there is found before the work: each command line would have long work to do, or a model that cannot be loaded
BEFORE = {
    "upscale": ["photo.png", "-o", "there.png"],
    "stylize": ["photo.png", "--style", "mosaic", "-o", "there.png"],
    "stylize --list": ["-o", "there.png"],
    "restore denoise": ["photo.png", "-o", "there.png"],
    "restore inpaint": ["photo.png", "--mask", "photo.png", "-o", "there.png"],
    "restore upscale": ["photo.png", "-o", "there.png"],
    "invert": ["photo.png", "-o", "there.png"],
    "imagine": ["relu1_1:0", "-o", "there.png"],
    "texture": ["photo.png", "-o", "there.png"],
    "texture --method network --model texture-starry-night": ["-o", "there.png"],
    "segment": ["photo.png", "--model", "vdsr", "-o", "there.png"],
    "translate": ["photo.png", "--model", "vdsr", "-o", "there.png"],
    "redirect": ["photo.png", "--angle", "1,2", "--model", "vdsr", "-o", "there.png"],
    "straighten": ["photo.png", "--model", "vdsr", "-o", "there.png"],
    "generate": ["--model", "vdsr", "-o", "there.png"],
    "morph": ["photo.png", "photo.png", "-o", "there.gif"],
    "export": ["vdsr", "--format", "onnx", "-o", "there.onnx"],
    "import": ["photo.png", "-o", "there.safetensors"],
    "learn-style": ["photo.png", "-o", "there.safetensors"],
    "evaluate super-resolution": ["--data", ".", "-o", "there.md"],
    "evaluate segmentation": ["--data", ".", "--model", "vdsr", "-o", "there.md"],
}


@pytest.mark.parametrize("name", BEFORE)
def test_what_is_there_is_found_before_the_work(
    limner: Callable, place: Path, drawn: Callable, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    drawn(place / "photo.png", 64, 64)
    for suffix in ("png", "gif", "onnx", "safetensors", "md"):
        (place / f"there.{suffix}").write_text("precious")
    monkeypatch.setattr("limner.catalog.models.load_weights", None)  # calling it would fail
    refused = limner(*name.split(), *BEFORE[name])
    assert (refused.code, "is already there: pass --force (overwrite=True in Python) to replace" in refused.error) == (
        2,
        True,
    ), refused.err


# each is made at once and from little, or would be, were it not for --dry-run
DRY = BEFORE | {
    "run": ["net.pt", "photo.png", "-o", "new.png"],
    "demo": [],
    "weights fetch": ["vgg16"],
    "train vdsr": ["--data", "in"],
    "evaluate segmentation": ["--data", "pairs", "--model", "vdsr", "-o", "there.md"],
    "segment": ["photo.png", "--model", "nuclei", "-o", "there.png"],
    "translate": ["photo.png", "--model", "facades", "-o", "there.png"],
    "redirect": ["photo.png", "--angle", "1,2", "--model", "gaze", "-o", "there.png"],
    "straighten": ["photo.png", "--model", "transformer-digits", "-o", "there.png"],
    "generate": ["--model", "digits-vae", "-o", "there.png"],
}


@pytest.mark.parametrize("name", [one for one in DRY if one != "run"])
def test_a_dry_run_says_what_would_be_made_and_makes_nothing(
    limner: Callable, place: Path, drawn: Callable, name: str
) -> None:
    drawn(place / "photo.png", 64, 64), drawn(place / "in" / "a.png", 64, 64)
    drawn(place / "pairs" / "images" / "a.png"), drawn(place / "pairs" / "masks" / "a.png", mode="1")
    before = sorted(place.rglob("*"))
    words = [*name.split(), *(one.replace("there", "new/deep/made") for one in DRY[name]), "--dry-run"]
    shown = limner(*words)
    assert shown.code == 0, shown.err
    assert " -> " in shown.out
    told = json.loads(limner(*words, "--json").out)
    assert told["dry_run"] and told["planned"][0]["output"] in shown.out
    assert sorted(place.rglob("*")) == before


def test_evaluate_writes_where_it_is_told(limner: Callable, place: Path, drawn: Callable, tiny: Path) -> None:
    drawn(place / "in" / "a.png", 32, 32)
    words = ["evaluate", "super-resolution", "--data", "in", "--model", tiny, "--scale", 2]
    assert limner(*words, "-o", "new/report.md").code == 0
    assert [path.name for path in Path("new").iterdir()] == ["report.md"]
    assert limner(*words, "-o", "folder").code == 0
    assert {path.name for path in Path("folder").iterdir()} == {"super-resolution.md", "super-resolution.json"}
    assert "a report is written as .md or .json, got a.txt" in limner(*words, "-o", "a.txt").error
