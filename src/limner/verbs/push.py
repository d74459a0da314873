"""`push`: a model of one's own on the Hugging Face Hub."""

from collections.abc import Iterator
from os import PathLike
from pathlib import Path
from typing import NamedTuple

from limner.arguments import REPLACE
from limner.catalog.models import find, tasks_of, weights_path
from limner.errors import LimnerError
from limner.files.cards import Card, read_card
from limner.files.weights import MODEL_FILE, Header, read_header, sha256
from limner.verbs.hub import NotThereError, check_token, look, upload
from limner.verbs.pull import CARD_FILE, check_address, check_files

README = "README.md"
_LICENCES = ("apache-2.0", "mit", "bsd-3-clause", "cc0-1.0", "cc-by-4.0", "cc-by-sa-4.0", "cc-by-nc-4.0")


class Pushed(NamedTuple):
    """A model that was pushed.

    Attributes:
        url: Of its page.
        repository: `OWNER/NAME`.
        revision: The commit that was made.
        files: What it holds.
    """

    url: str
    repository: str
    revision: str
    files: tuple[str, ...]


def push(file: str | PathLike[str], repository: str, *, overwrite: bool = False) -> Pushed:
    """Write a model to the Hugging Face Hub, with a page that says what it is; `pull` fetches it.

    It takes the token that `hf auth login` has kept, or `HF_TOKEN`. A repository that is not there is made, public if
    your account makes public ones. Needs the extra `hub`.

    Args:
        file: A weight file, the folder of a run, or the name of a model. A card beside the file goes with it.
        repository: `OWNER/NAME`.
        overwrite: Replace the files of an earlier push; the Hub keeps those in its history.

    Raises:
        LimnerError: If it is no weight file, the name is wrong, the extra or a token is missing, there is no network,
            the Hub refuses, or files are in the way.

    Example:
        >>> limner.push("runs/vdsr", "acme/photo-x2").url  # doctest: +SKIP
    """
    files = check_push(file, repository)
    check_token()
    _check_free(repository, files, overwrite=overwrite)
    url, commit = upload(repository, files, f"Write {MODEL_FILE} by Limner")
    return Pushed(url, repository, commit, tuple(files))


def check_push(file: str | PathLike[str], repository: str) -> dict[str, Path | bytes]:
    """What would be written, by its names in the repository; nothing is asked of the Hub.

    Raises:
        LimnerError: It is no weight file, its card is of another, or the name is wrong.
    """
    if check_address(repository).revision is not None:
        raise LimnerError(f"a push makes a revision of its own, got {repository!r}: name OWNER/NAME alone")
    path = weights_path(file)
    card = path.with_suffix(".toml")
    check_files(path, card if card.is_file() else None)
    known = read_card(card) if card.is_file() else None
    page = model_page(repository, read_header(path), known, sha256(path))
    files: dict[str, Path | bytes] = {README: page.encode(), MODEL_FILE: path}
    return {**files, CARD_FILE: card} if known else files


def _check_free(repository: str, files: dict[str, Path | bytes], *, overwrite: bool) -> None:
    try:
        there = look(repository).files
    except NotThereError:
        return
    if not overwrite and (taken := [name for name in files if name in there]):
        raise LimnerError(f"{repository}: {', '.join(taken)} is already there: {REPLACE}, or name another repository")


def model_page(repository: str, header: Header, card: Card | None, digest: str) -> str:
    """The page of a model on the Hub, in its Markdown, from what the weight file and its card say."""
    licence = _flat(card.licence if card else header.licence)
    usual = licence.lower() if licence.lower() in _LICENCES else "other"
    entry = find(header.system)
    uses = [f"limner models pull {repository}"]
    uses += [f"limner {one} --model {repository}" for one in dict.fromkeys(task.command for task in tasks_of(header))]
    lines = [
        "---", "library_name: limner", f"license: {usual}", "tags:", "- limner", f"- {header.system}", "---", "",
        f"# {repository.partition('/')[2]}", "", f"A model of Limner: {entry.title}, {entry.paper}.", "",
        "```sh", *uses, "```", "", "| | |", "|---|---|", *_facts(header, card, licence), f"| SHA-256 | `{digest}` |",
    ]  # fmt: skip
    return "\n".join([*lines, *_figures(card)]) + "\n"


def _facts(header: Header, card: Card | None, licence: str) -> Iterator[str]:
    facts = {"licence": licence or "none is named", "comes from": header.provenance}
    if card:
        facts |= {"trained on": f"{card.data} ({card.data_licence})", "trained by": card.recipe}
        facts |= {"training": f"{card.steps:,} steps, {card.minutes:g} minutes, {card.hardware}"}
        facts |= {"known failures": card.known_failures}
    yield from (f"| {name} | {_flat(text)} |" for name, text in facts.items() if text)


def _figures(card: Card | None) -> Iterator[str]:
    for protocol, cases in (card.metrics if card else {}).items():
        yield from ("", f"## Figures, protocol {_flat(protocol)}", "", "| on | |", "|---|---|")
        for case, figures in cases.items():
            yield f"| {_flat(case)} | {', '.join(f'{_flat(name)} {value:g}' for name, value in figures.items())} |"


def _flat(text: str) -> str:
    """Text as one cell of a table."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
