import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from limner import __version__
from limner.cli.main import app, main

HEAVY = {"torch", "numpy", "PIL", "rich", "kornia", "safetensors", "limner.catalog", "limner.config"}
COMMANDS = [
    "upscale", "restore", "stylize", "learn-style", "stylize-video", "texture", "invert", "imagine", "train",
    "evaluate", "export", "run", "models", "weights", "info", "doctor", "demo",
]  # fmt: skip


@pytest.mark.parametrize("arguments", [["--help"], ["upscale", "--help"], ["train", "--help"], ["--version"]])
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "import sys; from limner.cli.main import main; code = main(sys.argv[1:]);"
        f"print(*({HEAVY!r} & set(sys.modules)), file=sys.stderr); sys.exit(code)"
    )  # pydantic may come with typer, which reads the options of a command with it
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True)
    assert (done.returncode, done.stderr.split()) == (0, [])
    assert done.stdout


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"]])
def test_help_lists_the_commands(limner: Callable, arguments: list[str]) -> None:
    shown = limner(*arguments)
    assert shown.code == 0
    assert [command for command in COMMANDS if re.search(rf"^  {command} ", shown.out, re.MULTILINE)] == COMMANDS
    assert "..." not in shown.out.partition("Commands:")[2], "a summary is cut off"


def test_version(limner: Callable) -> None:
    assert limner("--version").out == f"limner {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["upscal"], "no such command 'upscal'. Did you mean 'upscale'? (see limner --help)"),
        (["upscale"], "missing argument 'PHOTO' (see limner upscale --help)"),
        (["upscale", "a.png", "--frob"], "no such option: --frob"),
        (["upscale", "a.png", "--scale", "two"], "invalid value for '--scale': "),
        (["upscale", "a.png", "--precision", "half"], "invalid value for '--precision'"),
        (["upscale", "a.png", "--quality", "101"], "invalid value for '--quality'"),
        (["evaluate"], "missing command (see limner evaluate --help)"),
        (["evaluate", "super-resolution"], "missing option '--data'"),
    ],
)
def test_a_usage_error_is_one_line(limner: Callable, arguments: list[str], message: str) -> None:
    refused = limner(*arguments)
    assert refused.code == 2
    assert refused.error.startswith(message)


def test_a_bug_shows_its_traceback(
    limner: Callable, monkeypatch: pytest.MonkeyPatch, place: Path, drawn: Callable
) -> None:
    monkeypatch.setattr("limner.cli.work.info.facts_of", lambda path: 1 // 0)
    failed = limner("info", drawn(place / "a.png"))
    assert failed.code == 1
    assert "ZeroDivisionError" in failed.err
    assert failed.err.splitlines()[-1].startswith("error: this is a bug in limner")


def test_a_reader_that_goes_away_hears_nothing() -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run([sys.executable, "-m", "limner", "--help"], stdout=write, stderr=subprocess.PIPE)
    os.close(write)
    assert (done.returncode, done.stderr) == (1, b"")


def test_completion_of_a_shell_is_typers_own(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    monkeypatch.setenv("_LIMNER_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", "limner up")
    monkeypatch.setenv("COMP_CWORD", "1")
    with pytest.raises(SystemExit):
        main([])
    assert capsys.readouterr().out.split() == ["upscale"]
    assert app.info.name == "limner"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["upscale", "a.png", "--scale", "two"], "--scale': must be a number, got 'two' (see limner upscale --help)"),
        (["upscale", "a.png", "--quality", "101"], "--quality': must be at most 100, got '101' (see "),
        (["generate", "--count", "0"], "--count': must be at least 1, got '0' (see "),
        (["generate", "--count", "1.5"], "--count': must be a whole number, got '1.5' (see "),
        (["segment", "a.png", "--contours", "svgs"], "--contours': must be one of svg, geojson, got 'svgs' (see "),
    ],
)
def test_a_value_that_does_not_fit_is_told_with_what_must_hold(
    limner: Callable, arguments: list[str], message: str
) -> None:
    refused = limner(*arguments)
    assert refused.code == 2
    assert "invalid value for '" + message in refused.error
