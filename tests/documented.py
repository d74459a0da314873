"""What the documents tell a reader to type: their shell and Python blocks, and the commands between backticks."""

import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
BASH = shutil.which("bash")
_FENCE = re.compile(r"^``` ?(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_END = "\x1e"
_PROGRAMS = ("limner", "python", "pip", "make", "jupyter", "torchrun")
_SHELL = "".join(f"{name}() {{ printf '%s\\0' {name} \"$@\" '{_END}'; }}\n" for name in _PROGRAMS)


class Block(NamedTuple):
    """A block of code in a document."""

    page: Path
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.name}:{self.line}"


def blocks(language: str) -> Iterator[Block]:
    """Those of all documents in a language, `sh` or `python`."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for found in _FENCE.finditer(text):
            if found[1] == language:
                yield Block(page, text[: found.start()].count("\n") + 1, language, found[2])


def typed(shell: str, folder: Path) -> list[list[str]]:
    """The words of each command in a shell block, as bash would give them to the program in a folder.

    Nothing is run: the programs are functions that write down what they are given, and there are no others.
    """
    assert BASH
    shell = shell.replace(".venv/bin/", "")
    done = subprocess.run(
        [BASH, "--norc", "-c", _SHELL + shell], cwd=folder, env={"PATH": ""}, capture_output=True, text=True
    )
    wrong = [line for line in done.stderr.splitlines() if "null byte" not in line]  # of what `$(limner ...)` wrote down
    assert not done.returncode and not wrong, f"{shell}\n{done.stderr}"
    return [text.split("\0")[:-1] for text in done.stdout.split(f"{_END}\0") if text]


def spoken(page: Path) -> list[list[str]]:
    """The words of each `limner ...` between backticks of a document's text."""
    prose = _FENCE.sub("", page.read_text(encoding="utf-8"))
    found = (" ".join(one.split()) for one in re.findall(r"`(limner [a-z][^`]*)`", prose))
    return [shlex.split(one.replace("...", "")) for one in found]
