"""`export`: a trained model as a file for other programs, proved to be the same function."""

import os
from os import PathLike
from pathlib import Path

from limner.arguments import check_path, check_word, model_text
from limner.catalog.models import check_task, load, weights_path
from limner.files.weights import read_header
from limner.media.names import model_name
from limner.runtime.export import SUFFIXES, Export, Format, check_place, write_export


def export(
    model: str | PathLike[str], format: Format, output: str | PathLike[str] | None = None, *, overwrite: bool = False
) -> Export:
    """Write a model as ONNX, OpenVINO, TorchScript or safetensors.

    The file takes pictures of any size and number. It is run on pictures of several odd sizes and gets its name only if
    it agrees with the model in float32 to 1e-4.

    Args:
        model: An embedded model (see `limner models`), or a path to a weight file.
        format: `onnx`, `openvino` (an .xml and a .bin), `torchscript`, or `safetensors` (the weights alone).
        output: Where to write; None takes the model's name, in the current folder.
        overwrite: Replace existing files.

    Raises:
        LimnerError: If there is no such model, an extra is missing, the model cannot be written in this format, or a
            file is in the way.

    Example:
        >>> limner.export("edsr-x2", "onnx").files  # doctest: +SKIP
        (PosixPath('edsr-x2.onnx'),)
    """
    model = model_text(model)
    path = export_path(model, format, output)
    check_place(path, format, overwrite)
    system, header = load(model)
    return write_export(system, header, path, format, overwrite=overwrite)


def export_path(model: str, format: Format, output: str | PathLike[str] | None = None) -> Path:
    """Where a model is exported to: a file, or its own name in a folder.

    Raises:
        LimnerError: If there is no such model or format, or it is a player that counts in training alone.
    """
    check_word("format", format, SUFFIXES)
    if output is not None:
        check_path("output", output)
    path = weights_path(model)
    check_task(model, read_header(path))
    usual = model_name(str(path)) + SUFFIXES[format][0]
    if output is None:
        return Path(usual)
    is_folder = Path(output).is_dir() or str(output).endswith(("/", os.sep))
    return Path(output) / usual if is_folder else Path(output)
