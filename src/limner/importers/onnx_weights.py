"""The constants of an ONNX file, by name; the network in it is not run, and no other file is opened."""

import importlib
from pathlib import Path
from typing import Any

import numpy as np

from limner.errors import LimnerError
from limner.importers.stored import Stored, of_numpy

_TYPES = {1: "<f4", 10: "<f2", 11: "<f8", 7: "<i8", 6: "<i4"}  # TensorProto.DataType
_MOST = 2**31  # bytes of a file of protobuf


def read_onnx(path: Path) -> dict[str, Stored]:
    """The arrays of a file.

    Raises:
        LimnerError: If the onnx extra is missing, or the file is damaged, or its arrays lie in other files.
    """
    try:
        onnx = importlib.import_module("onnx")
    except ImportError:
        raise LimnerError("ONNX needs the onnx extra: pip install '.[onnx]' in the folder of Limner") from None
    if path.stat().st_size > _MOST:
        raise LimnerError("it is larger than any ONNX file with its weights inside")
    model = onnx.ModelProto()
    try:
        model.ParseFromString(path.read_bytes())
    except Exception as error:  # of protobuf, whose exceptions hang on its build
        raise LimnerError(f"it is no ONNX file ({type(error).__name__})") from None
    return {one.name: _array(one) for one in model.graph.initializer if one.data_type in _TYPES}


def _array(one: Any) -> Stored:
    if one.data_location == 1 or one.external_data:
        raise LimnerError(f"its array {one.name[:60]} lies in another file: save it with its weights inside")
    code = _TYPES[one.data_type]
    raw: bytes = one.raw_data
    if not raw:
        fields = {"<f4": one.float_data, "<f8": one.double_data, "<i8": one.int64_data}
        raw = np.array(fields.get(code, []), code).tobytes()
    return of_numpy(raw, code, tuple(one.dims))
