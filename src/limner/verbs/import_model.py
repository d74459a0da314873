"""`import_model`: a checkpoint of another project as a weight file of Limner."""

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import NamedTuple

from torch import Tensor

from limner.arguments import REPLACE, check_path
from limner.catalog.models import find, shapes_of
from limner.errors import LimnerError
from limner.files.weights import Header, save_weights, sha256
from limner.importers.checkpoint import read_checkpoint
from limner.importers.format import Format, Source
from limner.importers.formats import recognised

LICENCE = "that of the file it was imported from: whether you may use it so is for you to know"


class Imported(NamedTuple):
    """A weight file that was made of a foreign checkpoint.

    Attributes:
        path: Of the weight file.
        format: What the checkpoint was read as.
        header: What the weight file says of itself.
        notes: What the checkpoint does not say and was taken as usual.
    """

    path: Path
    format: str
    header: Header
    notes: tuple[str, ...]


def import_model(
    file: str | PathLike[str],
    *more: str | PathLike[str],
    output: str | PathLike[str] | None = None,
    system: str | None = None,
    settings: Sequence[str] = (),
    overwrite: bool = False,
) -> Imported:
    """Write a weight file of Limner from a checkpoint of another project; no code in it is run.

    Args:
        file: Of torch (.pth, .pt, also whole modules), .safetensors, .onnx, .t7, a pickle, or of TensorFlow (.ckpt,
            .index).
        more: A second file that belongs to it: an encoder to its decoder, a generator back to the one there.
        output: The weight file; None takes the checkpoint's name with `.safetensors`, in the current folder.
        system: A system of Limner's, or the name of a format, to be read as; None finds it out by names and shapes.
        settings: `field=value` of the system's configuration, for what a checkpoint does not say, such as the names of
            classes.
        overwrite: Replace an existing file.

    Raises:
        LimnerError: If a file is damaged, or of no network that Limner reads, or does not fit, or one is in the way.

    Example:
        >>> limner.import_model("latest_net_G_A.pth", output="zebras.safetensors")  # doctest: +SKIP
    """
    for one in (file, *more):
        check_path("file", one)
    paths = [Path(one).expanduser() for one in (file, *more)]
    target = import_path(paths[0], output)
    check_target(target, paths, overwrite=overwrite)
    chosen, sources = recognised([read_checkpoint(path) for path in paths], system)
    config = chosen.configure(sources).override(settings)
    tensors = chosen.convert(sources, config)
    for source in sources:
        source.check_all_taken()
    header = Header(
        system=chosen.system,
        config=config.model_dump(mode="json"),
        licence=LICENCE,
        provenance=_provenance(chosen, sources),
        part=chosen.part,
    )
    _check_fits(paths[0], chosen, header, tensors)
    target.parent.mkdir(parents=True, exist_ok=True)
    save_weights(target, tensors, header)
    return Imported(target, chosen.name, header, (*_places(sources), *chosen.notes(config)))


def import_path(file: Path, output: str | PathLike[str] | None) -> Path:
    """Where the weight file of a checkpoint goes.

    Raises:
        LimnerError: If it would have another suffix, or the checkpoint is a folder.
    """
    if file.is_dir():
        raise LimnerError(f"{file} is a folder: name the file of the weights in it")
    if output is None:
        return Path(file.name).with_suffix(".safetensors")
    check_path("output", output)
    target = Path(output).expanduser()
    if target.is_dir():
        return target / file.with_suffix(".safetensors").name
    if target.suffix != ".safetensors":
        raise LimnerError(f"{target}: a weight file ends with .safetensors: name it so")
    return target


def check_target(target: Path, sources: Sequence[Path], *, overwrite: bool) -> None:
    """Refuse a place where a file is, or that is one of those that are read.

    Raises:
        LimnerError: If it is.
    """
    if any(target.resolve() == one.resolve() for one in sources):
        raise LimnerError(f"{target} is the checkpoint itself: name another file as output")
    if target.exists() and not overwrite:
        raise LimnerError(f"{target}: is already there: {REPLACE}, or name another output")


def _provenance(chosen: Format, sources: Sequence[Source]) -> str:
    files = " and ".join(f"{one.path.name} (SHA-256 {sha256(one.path)})" for one in sources)
    return f"imported from {files}, read as {chosen.title}"


def _places(sources: Sequence[Source]) -> list[str]:
    return [f"{one.path.name}: its part {one.found.place} was read" for one in sources if one.found.place]


def _check_fits(path: Path, chosen: Format, header: Header, tensors: dict[str, Tensor]) -> None:
    """Refuse weights that are not those of the network that the configuration describes."""
    expected = shapes_of(header, len(tensors))
    for name in {**expected, **tensors}:
        should, came = expected.get(name), tuple(tensors[name].shape) if name in tensors else None
        if should != came:
            raise LimnerError(
                f"{path} is read as {chosen.title}, but {find(header.system).title} must have {name} of {should}, got "
                f"{came}: does a --set say something else?"
            )
