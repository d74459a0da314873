"""`export`: a trained model as a file for other programs, proved to be the same function."""

from os import PathLike
from pathlib import Path

from limner.catalog.models import load, weights_path
from limner.runtime.export import SUFFIXES, Export, Format, write_export


def export(model: str, format: Format, output: str | PathLike[str] | None = None, *, overwrite: bool = False) -> Export:
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
    """
    system, header = load(model)
    path = Path(output) if output is not None else Path(weights_path(model).stem + SUFFIXES[format][0])
    return write_export(system, header, path, format, overwrite=overwrite)
