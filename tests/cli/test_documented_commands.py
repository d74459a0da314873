"""Commands in the documents have the options that they name."""

import re
import shlex
from pathlib import Path

import pytest
import typer.main

from limner.cli.main import app

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def commands(page: Path) -> list[str]:
    """Those that stand alone on a line of a shell block, and those between backticks, from `limner` on."""
    text = page.read_text(encoding="utf-8")
    blocks = "\n".join(re.findall(r"```sh\n(.*?)```", text, re.DOTALL)).replace("\\\n", " ")
    prose = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    spoken = [" ".join(one.split()) for one in re.findall(r"`(limner [^`]*)`", prose)]
    return [line for line in blocks.splitlines() if line.startswith("limner ")] + spoken


def unknown_options(command: str) -> list[str]:
    """Options that the command does not have."""
    words = shlex.split(command.replace("...", ""), comments=True)[1:]
    known, context = typer.main.get_command(app), typer.Context(typer.main.get_command(app))
    while words and hasattr(known, "get_command") and (found := known.get_command(context, words[0])):
        known, words = found, words[1:]
    names = {name for parameter in known.params for name in (*parameter.opts, *parameter.secondary_opts)}
    named = [word.partition("=")[0] for word in words if re.match(r"--?[a-zA-Z]", word)]
    return [word for word in named if word not in {*names, "--help", "-h", "--version"}]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_documented_options_are_there(page: Path) -> None:
    wrong = {command: unknown for command in commands(page) if (unknown := unknown_options(command))}
    assert not wrong


def test_an_unknown_option_is_found() -> None:
    assert unknown_options("limner train vdsr --data photos --run here") == ["--run"]
    assert unknown_options("limner restore denoise photo.jpg -o a.png --no-such") == ["--no-such"]


def test_commands_are_found() -> None:
    assert len(commands(ROOT / "README.md")) > 20
