"""`pull`: a model of the Hugging Face Hub, checked and kept."""

import shutil
from os import PathLike
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from limner.arguments import check_path, shown
from limner.catalog.models import load
from limner.catalog.pulled import Address, Kept, Record, address_of, kept, place_of, pulled_folder, write_record
from limner.errors import LimnerError
from limner.files.atomic import atomic_path, check_place
from limner.files.cards import read_card
from limner.files.weights import MODEL_FILE, sha256
from limner.verbs.hub import NoConnectionError, Remote, download, look, metadata_of

CARD_FILE = str(Path(MODEL_FILE).with_suffix(".toml"))
"""The card of a repository's weight file."""


class Pulled(NamedTuple):
    """A model that was pulled.

    Attributes:
        path: Its weight file.
        repository: `OWNER/NAME`, as every `model=` takes it from now on.
        revision: The commit that it is of.
        sha256: Of the weight file.
        note: What is worth knowing; mostly nothing.
    """

    path: Path
    repository: str
    revision: str
    sha256: str
    note: str = ""


def pull(name: str, output: str | PathLike[str] | None = None, *, overwrite: bool = False) -> Pulled:
    """Fetch a model of Limner's from the Hugging Face Hub, check it and keep it: every `model=` then takes its name.

    What is fetched is a .safetensors weight file and its card; nothing in it is run. The commit and the SHA-256 are
    kept with it, and a commit that is kept is not asked for again. Needs the extra `hub`.

    Args:
        name: `OWNER/NAME`, or `OWNER/NAME@REVISION` with a branch, a tag or a commit.
        output: A .safetensors file that it is copied to as well, with its card beside it.
        overwrite: Replace existing files there.

    Raises:
        LimnerError: If the name is wrong, the extra is missing, there is no network, the Hub shows no such model, what
            it has is no weight file of Limner's, or a file is in the way.

    Example:
        >>> limner.pull("acme/photo-x2").revision  # doctest: +SKIP
        >>> limner.upscale("photo.jpg", model="acme/photo-x2")  # doctest: +SKIP
    """
    address = check_address(name)
    target = None if output is None else check_output(output, overwrite=overwrite)
    found, note = _found(address)
    if target is not None:
        _copy(found.path, target)
    return Pulled(target or found.path, address.repository, found.record.commit, found.record.sha256, note)


def check_address(name: str) -> Address:
    """What a name says.

    Raises:
        LimnerError: It is neither `OWNER/NAME` nor `OWNER/NAME@REVISION`.
    """
    address = address_of(name) if isinstance(name, str) else None
    if address is None:
        raise LimnerError(f"a model of the Hub is OWNER/NAME or OWNER/NAME@REVISION, got {shown(name)}: name it so")
    return address


def check_output(output: str | PathLike[str], *, overwrite: bool) -> Path:
    """Where a copy goes.

    Raises:
        LimnerError: It has another suffix, or a file is in the way.
    """
    check_path("output", output)
    target = Path(output).expanduser()
    if target.suffix != ".safetensors":
        raise LimnerError(f"{target}: a weight file ends with .safetensors: name it so")
    for place in (target, target.with_suffix(".toml")):
        check_place(place, overwrite=overwrite)
    return target


def planned(name: str) -> tuple[str, Path]:
    """What would be fetched, and where it would be kept.

    Raises:
        LimnerError: As `pull`.
    """
    address = check_address(name)
    if address.is_pinned and (here := kept(address)):
        return f"{address.repository}@{here.record.commit}", here.path
    remote = look(*address)
    file = _weight_file(address.repository, remote)
    return f"{address.repository}@{remote.commit}/{file}", place_of(address.repository, remote.commit)


def _found(address: Address) -> tuple[Kept, str]:
    """The model of an address, fetched unless it is kept; and a note."""
    here = kept(address)
    here = here if here and here.is_whole else None
    if here and address.is_pinned:
        return here, ""
    try:
        remote = look(*address)
    except NoConnectionError as error:
        if here is None:
            raise
        return here, f"{error}; commit {here.record.commit} is here, and is taken"
    same = kept(Address(address.repository, remote.commit))
    digest = same.record.sha256 if same and same.is_whole else _fetch(address.repository, remote)
    record = Record(repository=address.repository, commit=remote.commit, asked=address.revision or "", sha256=digest)
    write_record(record)
    return Kept(place_of(address.repository, remote.commit), record), ""


def _fetch(repository: str, remote: Remote) -> str:
    """Fetch the files of a commit, and keep them if they are what they should be; their SHA-256."""
    file, target = _weight_file(repository, remote), place_of(repository, remote.commit)
    if "limner" not in metadata_of(repository, remote.commit, file):
        raise LimnerError(f"{file} of {repository} is no weight file of Limner's: name another model")
    pulled_folder().mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=pulled_folder(), prefix=".") as temporary:
        came = download(repository, remote.commit, file, Path(temporary))
        card_name = str(Path(file).with_suffix(".toml"))
        card = download(repository, remote.commit, card_name, Path(temporary)) if card_name in remote.files else None
        digest = sha256(came)
        if remote.files[file] not in (None, digest):
            raise LimnerError(f"{file} of {repository} came with another SHA-256 than the Hub tells: pull it again")
        try:
            check_files(came, card)
        except LimnerError as error:
            raise LimnerError(f"{repository}: {str(error).replace(f'{temporary}/', '')}") from None
        target.parent.mkdir(parents=True, exist_ok=True)
        if card is not None:
            card.replace(target.with_suffix(".toml"))
        came.replace(target)
    return digest


def check_files(weights: Path, card: Path | None) -> None:
    """Refuse a weight file that Limner would not load, and a card of other weights.

    Raises:
        LimnerError: It is one.
    """
    load(weights)
    if card is not None and read_card(card).weights_sha256 != sha256(weights):
        raise LimnerError(f"{card.name} is the card of other weights (its SHA-256 differs): take it away, or mend it")


def _weight_file(repository: str, remote: Remote) -> str:
    """The weight file among a repository's files, as in the folder of a run: `model.safetensors`, or the only one."""
    found = [name for name in remote.files if name.endswith(".safetensors") and "/" not in name]
    if MODEL_FILE in found:
        return MODEL_FILE
    if len(found) == 1:
        return found[0]
    has = f"{len(found)} and no {MODEL_FILE}" if found else "none"
    raise LimnerError(
        f"a model of Limner's is a .safetensors file, {repository} has {has}: name another; limner import reads "
        "checkpoints of other projects"
    )


def _copy(source: Path, target: Path) -> None:
    """The weight file and its card, each whole or not at all."""
    for suffix in (".toml", ".safetensors"):
        if (one := source.with_suffix(suffix)).is_file():
            with atomic_path(target.with_suffix(suffix)) as temporary:
                shutil.copyfile(one, temporary)
