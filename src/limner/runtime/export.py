"""Export: a trained system as an ONNX, OpenVINO or TorchScript file for pictures of any size, or as its weights."""

import copy
import io
import json
import secrets
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias

import torch
from torch import nn

from limner.arguments import REPLACE
from limner.errors import LimnerError
from limner.files.atomic import atomic_path
from limner.files.lock import sweep, temporary_name
from limner.files.space import check_folder, telling_no_space
from limner.files.weights import Header, load_weights, save_weights
from limner.runtime.conversion import (
    difference,
    evaluation_copy,
    quiet_export,
    refuse_draws,
    to_onnx,
    to_openvino,
    to_torchscript,
)
from limner.runtime.exported import EXTRA_FILE, ExportedHeader, open_exported
from limner.runtime.openvino_engine import import_openvino, reason
from limner.runtime.probes import Size, ports_of, probes

Format: TypeAlias = Literal["onnx", "openvino", "torchscript", "safetensors"]

SUFFIXES: dict[Format, tuple[str, ...]] = {
    "onnx": (".onnx",),
    "openvino": (".xml",),
    "torchscript": (".pt", ".ts"),
    "safetensors": (".safetensors",),
}
"""How the files of each format end; the first is the usual one."""

MAX_DIFFERENCE = 1e-4
"""By how much a value of the result may differ from that of the system itself."""


class Export(NamedTuple):
    """What was written.

    Attributes:
        files: One, or two for OpenVINO.
        max_difference: The largest difference from the system's own result over all `checked`.
        checked: The sizes of what both were run on: number, height, width.
        header: What the file says of itself.
    """

    files: tuple[Path, ...]
    max_difference: float
    checked: tuple[Size, ...]
    header: Header


def write_export(system: nn.Module, header: Header, path: Path, format: Format, *, overwrite: bool = False) -> Export:
    """Write a trained system to a file, and prove that what was written is the same function.

    The file is opened again and run on pictures of odd sizes; only if it agrees with the system in float32 does it get
    its name.

    Args:
        system: It has ports, which name what goes in and comes out.
        header: Of its weights.
        path: Ends in one of the format's `SUFFIXES`. OpenVINO writes a `.bin` beside its `.xml`.
        format: safetensors holds the weights alone.
        overwrite: Whether existing files may be replaced.

    Raises:
        LimnerError: If the extra that writes or checks the format is missing, the system cannot be written in it, what
            was written disagrees with the system, or a file is in the way.
    """
    check_place(path, format, overwrite)
    if not path.parent.is_dir():
        raise LimnerError(f"{path.parent} is not there: make it first")
    system = evaluation_copy(system)
    refuse_draws(system)
    if format == "safetensors":
        return _write_weights(system, header, path)
    full = ExportedHeader.of(header, ports_of(system))
    write = {"onnx": _write_onnx, "openvino": _write_openvino, "torchscript": _write_torchscript}[format]
    return write(system, full, path)


def check_place(path: Path, format: Format, overwrite: bool) -> None:
    """Refuse a place that a file of a format cannot have, before the work.

    Raises:
        LimnerError: If the suffix is another, a file is in the way, or its folder takes none.
    """
    if path.suffix not in SUFFIXES[format]:
        raise LimnerError(f"{path}: a file of {format} must end in {' or '.join(SUFFIXES[format])}: change the suffix")
    for place in _files(path, format):
        if place.is_dir():
            raise LimnerError(f"{place}: is a folder: choose another name")
        if place.exists() and not overwrite:
            raise LimnerError(f"{place}: is already there: {REPLACE}, or name another output")
    check_folder(path.parent)


def _files(path: Path, format: Format) -> tuple[Path, ...]:
    return (path, path.with_suffix(".bin")) if format == "openvino" else (path,)


def _write_weights(system: nn.Module, header: Header, path: Path) -> Export:
    with atomic_path(path) as temporary:
        save_weights(temporary, system.state_dict(), header, dtype=torch.float16 if _are_halves(system) else None)
        again = copy.deepcopy(system)
        again.load_state_dict(load_weights(temporary)[1])
        return Export((path,), _agreed(again, system, path), probes(ports_of(system).inputs), header)


def _are_halves(system: nn.Module) -> bool:
    """Whether all weights are numbers that float16 has, as those of the embedded models are."""
    floats = [tensor for tensor in system.state_dict().values() if tensor.is_floating_point()]
    return all(torch.equal(tensor.half().to(tensor.dtype), tensor) for tensor in floats)


def _write_onnx(system: nn.Module, header: ExportedHeader, path: Path) -> Export:
    data = to_onnx(system, header.entries())
    with atomic_path(path) as temporary:
        temporary.write_bytes(data)
        return _proved(temporary, system, header, path)


def _write_torchscript(system: nn.Module, header: ExportedHeader, path: Path) -> Export:
    data = io.BytesIO()
    script = to_torchscript(system)
    with quiet_export(system, "TorchScript"):
        torch.jit.save(script, data, _extra_files={EXTRA_FILE: json.dumps(header.entries())})
    with atomic_path(path) as temporary:
        temporary.write_bytes(data.getvalue())
        return _proved(temporary, system, header, path)


def _write_openvino(system: nn.Module, header: ExportedHeader, path: Path) -> Export:
    model = to_openvino(system)
    for key, text in header.entries().items():
        model.set_rt_info(text, ["limner", key])
    needs = sum(tensor.nbytes for tensor in system.state_dict().values())
    check_folder(path.parent, needs=needs)  # OpenVINO does not say why it cannot write
    sweep(path.parent)
    place = path.with_name(temporary_name("", secrets.token_hex(4)))
    place.mkdir()
    try:
        temporary = place / path.name
        try:
            with telling_no_space(path, written=temporary.with_suffix(".bin"), needs=needs):
                import_openvino().save_model(model, temporary, compress_to_fp16=False)
        except RuntimeError as error:
            raise LimnerError(f"{path}: cannot be written ({reason(error)}): name another place") from None
        export = _proved(temporary, system, header, path)
        _move_pair(temporary, path)
    finally:
        shutil.rmtree(place)
    return export


def _proved(temporary: Path, system: nn.Module, header: ExportedHeader, path: Path) -> Export:
    """What was written is opened as a user will open it."""
    opened = open_exported(temporary, precision="exact")
    if opened.header != header:
        raise LimnerError(f"{path} is not written: it cannot hold the licence, provenance or configuration as it is")
    files = _files(path, "openvino") if path.suffix == ".xml" else (path,)
    return Export(files, _agreed(opened.engine, system, path), probes(ports_of(system).inputs), header)


def _agreed(run: Callable[..., Any], system: nn.Module, path: Path) -> float:
    largest = difference(run, system, probes(ports_of(system).inputs)).largest
    if largest > MAX_DIFFERENCE:
        raise LimnerError(
            f"{path} is not written: it would differ from {type(system).__name__} by {largest:.1e}, and at most "
            f"{MAX_DIFFERENCE:.0e} is right: choose another format, and please report it"
        )
    return largest


def _move_pair(source: Path, target: Path) -> None:
    """Give both files of a network their places, or leave what is there as it was."""
    before: list[tuple[Path, Path]] = []
    placed: list[Path] = []
    try:
        for suffix in (".bin", ".xml"):
            place, old = target.with_suffix(suffix), source.with_name(f"before{suffix}")
            if place.exists():
                place.rename(old)
                before.append((old, place))
            source.with_suffix(suffix).rename(place)
            placed.append(place)
    except BaseException:
        for place in placed:
            place.unlink()
        for old, place in before:
            old.rename(place)
        raise
