"""What the documents tell a reader to type is parsed, asked what it would do, and run where that is quick.

`make test-all` runs every `limner` command of every block, in order, on small pictures and for a few steps.
"""

import contextlib
import io
import itertools
import re
import runpy
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import typer.main
from tests.documented import BASH, PAGES, ROOT, Block, blocks, spoken, typed

from limner.cli.main import app, main

pytestmark = pytest.mark.skipif(BASH is None, reason="the blocks are read by bash")
BLOCKS = list(blocks("sh"))
SERVERS = {"studio", "serve"}
"""They run until they are stopped; tests/studio runs them."""
WITHOUT_DRY_RUN = {"models", "info", "doctor", "weights", "watch", "shard"}
IS_MADE = re.compile(r"\.(onnx|xml|safetensors|pth|t7|pkl)\b")
"""A file that an earlier command of the block makes, or one of the reader's own."""
QUICK = {"index.md", "README.md"}
"""Whose blocks are run in every test, but for what learns."""


def unknown_options(words: list[str]) -> list[str]:
    """Options that a command does not have."""
    known, context, rest = typer.main.get_command(app), typer.Context(typer.main.get_command(app)), words[1:]
    while rest and hasattr(known, "get_command") and (found := known.get_command(context, rest[0])):
        known, rest = found, rest[1:]
    assert known.name, f"{words}: no such command"
    names = {name for parameter in known.params for name in (*parameter.opts, *parameter.secondary_opts)}
    named = [word.partition("=")[0] for word in rest if re.match(r"--?[a-zA-Z]", word)]
    return [word for word in named if word not in {*names, "--help", "-h", "--version"}]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_options_named_in_the_text_are_there(page: Path) -> None:
    wrong = {" ".join(words): unknown for words in spoken(page) if (unknown := unknown_options(words))}
    assert not wrong


def test_an_unknown_option_is_found() -> None:
    assert unknown_options(["limner", "train", "vdsr", "--data", "photos", "--run", "here"]) == ["--run"]
    assert unknown_options(["limner", "restore", "denoise", "photo.jpg", "-o", "a.png", "--no-such"]) == ["--no-such"]


def test_words_are_those_that_bash_gives(tmp_path: Path) -> None:
    for name in ("a b.jpg", "c.jpg"):
        (tmp_path / name).touch()
    shell = "limner upscale *.jpg '*.png' {1,2} # a comment\nX=1 pip install '.[video]'\n"
    assert typed(shell, tmp_path) == [
        ["limner", "upscale", "a b.jpg", "c.jpg", "*.png", "1", "2"], ["pip", "install", ".[video]"],
    ]  # fmt: skip
    with pytest.raises(AssertionError, match="limmer: "):
        typed("limmer upscale a.jpg\n", tmp_path)


def reduced(words: list[str]) -> list[str]:
    """A command for a small picture and a few steps."""
    words = [*words]
    for option, value in (("--size", "64"), ("--minutes", "0.02")):
        if option in words:
            given = words[words.index(option) + 1]
            words[words.index(option) + 1] = "80x64" if "x" in given else value
    name = words[1]
    if name in ("invert", "imagine", "restore") or "gatys" in words or (name == "texture" and "network" not in words):
        words += ["--steps", "2"]
    if name == "learn-style" and "--minutes" not in words and "--forget" not in words:
        words += ["--minutes", "0.02"]
    if name == "train" and "--minutes" not in words:
        words += ["--steps", "1", "--batch-size", "1"]
    if not {"--resume", "--list", "--forget"} & set(words) and not unknown_options([*words, "--force"]):
        words += ["--force"]
    return words


def is_ready(words: list[str]) -> bool:
    """Whether the models that a command takes are there; an earlier one of the reader's own may make them."""
    needed = [word for before, word in itertools.pairwise(words) if IS_MADE.search(word) and before != "-o"]
    return all(Path(name).exists() for word in needed for name in word.split(",") if IS_MADE.search(name))


def asks_others(words: list[str]) -> bool:
    """Whether a command needs the Hub, or takes a model that was fetched from it, or needs a bucket."""
    asks_the_hub = words[1:3] in (["models", "pull"], ["models", "push"])
    return asks_the_hub or any(one.startswith("acme/") or "://" in one for one in words)


def asked(words: list[str]) -> list[str] | None:
    """A command that says what it would do; None if what it needs is made by an earlier one."""
    if not is_ready(words):
        return None
    if words[1] == "watch" and not (Path(words[2]) / "plan.json").is_file():  # an earlier one trains it
        return None
    if words[1] == "check":
        return [*words, "--no-trial", "--workers", "0"]
    if (
        words[1] in SERVERS or asks_others(words) or {"--features", "--forget"} & set(words)
    ):  # what they name would be fetched, or learnt before
        return None
    return words if words[1] in WITHOUT_DRY_RUN or "--list" in words else [*words, "--dry-run"]


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_a_block_says_what_it_would_do(block: Block, desk: Path, capfd: pytest.CaptureFixture) -> None:
    for words in typed(block.text, desk):
        if words[0] == "torchrun":  # each process has the command of one
            words = words[words.index("-m") + 1 :]
        if words[0] == "limner":
            assert not unknown_options(words), words
            if (command := asked(words)) is not None:
                assert main(command[1:]) == 0, f"{' '.join(command)}\n{capfd.readouterr().err}"
        else:
            check_program(words)


def test_the_table_of_the_readme_says_what_it_would_do(desk: Path, capfd: pytest.CaptureFixture) -> None:
    commands = [words for words in spoken(ROOT / "README.md") if not {"FILE", "doctor", "evaluate"} & set(words)]
    assert len(commands) > 20
    for words in commands:
        if (command := asked(words)) is not None:
            assert main(command[1:]) == 0, f"{' '.join(command)}\n{capfd.readouterr().err}"


def check_program(words: list[str]) -> None:
    """A command of another program names what there is: targets, extras, scripts and their options."""
    program, rest = words[0], words[1:]
    if program == "make":
        assert set(rest) <= set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    elif program == "python":
        check_script(rest)
    elif program == "jupyter":
        assert (ROOT / rest[-1]).is_file()
    else:
        assert program == "pip" and rest[0] == "install", words  # tests/test_install.py knows the extras


def check_script(rest: list[str]) -> None:
    """The program is there, and its help names each option."""
    options = [word for word in rest if word.startswith("--")]
    if rest[:2] == ["-m", "pytest"] or rest[0] == "docs/restored.py":
        assert all((ROOT / word).exists() for word in rest if word.endswith(".py"))
        return
    shown = help_of(rest[1] if rest[0] == "-m" else ROOT / rest[0])
    assert not [option for option in options if not re.search(rf"{option}\b", shown)], shown


def help_of(program: str | Path) -> str:
    """What a module or a script says for `--help`, in this process, for torch is loaded already."""
    shown, given = io.StringIO(), sys.argv
    sys.argv = [str(program), "--help"]
    try:
        with contextlib.redirect_stdout(shown), pytest.raises(SystemExit):
            if isinstance(program, Path):
                runpy.run_path(str(program), run_name="__main__")
            else:
                runpy.run_module(program, run_name="__main__", alter_sys=False)
    finally:
        sys.argv = given
    return shown.getvalue()


def run_block(block: Block, desk: Path, capfd: pytest.CaptureFixture, choose: Callable) -> None:
    """Run the chosen `limner` commands of a block."""
    commands = [reduced(words) for words in typed(block.text, desk) if words[0] == "limner" and choose(words)]
    if not commands:
        pytest.skip("nothing that is run here")
    for words in commands:
        if is_ready(words):
            assert main(words[1:]) == 0, f"{' '.join(words)}\n{capfd.readouterr().err}"


def is_quick(words: list[str]) -> bool:
    """Whether a command takes about a second."""
    return words[1] in ("upscale", "stylize", "restore")


@pytest.mark.parametrize("block", [one for one in BLOCKS if one.page.name in QUICK], ids=str)
def test_a_quick_block_runs(block: Block, desk: Path, capfd: pytest.CaptureFixture) -> None:
    run_block(block, desk, capfd, is_quick)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_every_block_runs(
    block: Block, desk: Path, capfd: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("limner.verbs.learn_style.MINUTES", 0.02)
    run_block(
        block,
        desk,
        capfd,
        lambda words: not {"--features", "web"} & set(words) and words[1] not in SERVERS and not asks_others(words),
    )
