"""Lay the pages of the site out in build/docs: those of docs/, and every file of the repository that they link to.

A link out of docs/ must lead somewhere on the site too. So what is linked is laid out beside it: Markdown as a page,
a notebook as a page, pictures as they are, any other file as a page that shows its text with numbered lines.
"""

import json
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PAGES = ROOT / "build" / "docs"
AT_THE_TOP = {"CHANGELOG.md": "changelog.md", "CONTRIBUTING.md": "contributing.md", "README.md": "index.md"}
"""Files of the repository's root that have a page of their own there."""
PICTURES = {".jpg", ".png", ".svg", ".csv", ".gif", ".webp"}
LINK = re.compile(r"(?<=\]\()(?![a-z]+:|#)([^)#\s]+)(?=[)#])")
LANGUAGES = {".py": "python", ".toml": "toml", ".json": "json"}


def links(text: str) -> Iterator[str]:
    """The relative links of a Markdown text, without their anchors; code blocks have none."""
    for part in re.split(r"^```.*?^```$", text, flags=re.MULTILINE | re.DOTALL):
        yield from LINK.findall(part)


def linked(source: Path, link: str) -> Path:
    """The file that a link in a file of the repository leads to.

    Raises:
        FileNotFoundError: There is no such file.
    """
    target = (source.parent / link).resolve()
    if not target.is_file() and not _is_generated(target):
        raise FileNotFoundError(f"{source.relative_to(ROOT)}: nothing is at {link}")
    return target


def _is_generated(target: Path) -> bool:
    """Whether docs/generate.py writes the page, so that it is not among the files of docs/."""
    if not target.is_relative_to(DOCS):
        return False
    return target.name in ("cli.md", "changelog.md", "contributing.md") or target.parent.name in (
        "systems",
        "reference",
    )


def place(path: Path) -> str:
    """Where a file of the repository stands on the site, as the name of a page or picture."""
    name = path.relative_to(ROOT).as_posix()
    if path.is_relative_to(DOCS) and path.suffix in {*PICTURES, ".md"}:
        return path.relative_to(DOCS).as_posix()
    if name in AT_THE_TOP:
        return AT_THE_TOP[name]
    return name if path.suffix in {*PICTURES, ".md"} else f"source/{name}.md"


def source_link(page: str, path: Path, line: int) -> str:
    """A link from a page of the site to a line of a file that has a page of its own."""
    return f"{os.path.relpath(place(path), Path(page).parent)}#__codelineno-0-{line}"


def relinked(source: Path, text: str) -> str:
    """The text of a page whose links lead to where their files stand on the site."""
    folder = Path(place(source)).parent

    def moved(found: re.Match[str]) -> str:
        return Path(os.path.relpath(place(linked(source, found[1])), folder)).as_posix()

    parts = re.split(r"(^```.*?^```$)", text, flags=re.MULTILINE | re.DOTALL)
    return "".join(part if part.startswith("```") else LINK.sub(moved, part) for part in parts)


def stage(begun: Iterable[Path]) -> None:
    """Lay out files, and all those that they link to."""
    waiting, known = list(begun), set[Path]()
    while waiting:
        path = waiting.pop()
        if path in known or path == ROOT / "README.md" or (_is_generated(path) and not path.is_file()):
            continue
        known.add(path)
        text = _page(path)
        if text is None:
            destination = PAGES / place(path)
            destination.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, destination)
            continue
        waiting += [linked(path, link) for link in links(text)]
        write(place(path), relinked(path, text))


def _page(path: Path) -> str | None:
    """The Markdown of a file; None for a picture."""
    if path.suffix in PICTURES:
        return None
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".md":
        return text
    return "\n".join(_cells(path, text)) if path.suffix == ".ipynb" else listing(path, text)


def listing(path: Path, text: str) -> str:
    """A page that shows a file with numbered lines, each of which can be linked to."""
    language = LANGUAGES.get(path.suffix, "text")
    return f'# {path.relative_to(ROOT).as_posix()}\n\n``` {{ .{language} linenums="1" }}\n{text.rstrip()}\n```\n'


def _cells(path: Path, text: str) -> Iterator[str]:
    """The cells of a notebook as Markdown, without outputs."""
    for cell in json.loads(text)["cells"]:
        content = "".join(cell["source"])
        yield content + "\n" if cell["cell_type"] == "markdown" else f"```python\n{content}\n```\n"


def write(name: str, text: str) -> None:
    """Write one page of the site."""
    page = PAGES / name
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(text.rstrip() + "\n", encoding="utf-8")
