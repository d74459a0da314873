"""ONNX Runtime as an engine: a network in an ONNX file or in memory, in float32 on the CPU."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from limner.errors import LimnerError
from limner.runtime.openvino_engine import plain_array

_KINDS = {"tensor(float)": "float32", "tensor(float16)": "float16", "tensor(int64)": "int64", "tensor(int32)": "int32"}


class OnnxPort(NamedTuple):
    """An input or output of an ONNX network."""

    name: str
    kind: str
    """ONNX Runtime's word for its type, such as `tensor(float)`."""
    shape: tuple[int | None, ...]
    """None where the size is free."""


class OnnxEngine:
    """An ONNX network, ready to run.

    Args of the constructor:
        model: A file, or its bytes.
        threads: How many it may use; None takes as many as torch does.

    Raises:
        LimnerError: If ONNX Runtime is not installed, or cannot load the network.
    """

    name = "onnxruntime"

    def __init__(self, model: Path | bytes, *, threads: int | None = None) -> None:
        runtime = _import_onnxruntime()
        options = runtime.SessionOptions()
        options.intra_op_num_threads = threads or torch.get_num_threads()
        options.graph_optimization_level = runtime.GraphOptimizationLevel.ORT_ENABLE_ALL
        options.log_severity_level = 4  # what goes wrong is in the exception too
        options.add_session_config_entry(
            "session.intra_op.allow_spinning", "0"
        )  # busy waiting slows all else that runs
        source = str(model) if isinstance(model, Path) else model
        try:
            self._session: Any = runtime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # its exceptions have no common class
            name = model if isinstance(model, Path) else "the network"
            raise LimnerError(f"{name} is no ONNX network that ONNX Runtime can load ({reason(error)})") from None
        self.inputs = [_port(port) for port in self._session.get_inputs()]
        self.outputs = [_port(port) for port in self._session.get_outputs()]

    @property
    def metadata(self) -> Mapping[str, str]:
        """The `metadata_props` of the network."""
        found: dict[str, str] = self._session.get_modelmeta().custom_metadata_map
        return found

    def __call__(self, *inputs: Tensor) -> Any:
        """Float32 in, float32 out; a tensor, or a tuple if there are several outputs.

        Raises:
            LimnerError: If the network does not take such inputs.
        """
        arrays = {
            port.name: plain_array(x).astype(_KINDS[port.kind], copy=False)
            for port, x in zip(self.inputs, inputs, strict=True)
        }
        try:
            made = self._session.run([port.name for port in self.outputs], arrays)
        except Exception as error:
            if "alloc" in str(error).lower():
                raise MemoryError from error
            shapes = " and ".join("x".join(map(str, x.shape)) for x in inputs)
            raise LimnerError(f"the network does not take an input of {shapes} ({reason(error)})") from None
        results = tuple(torch.from_numpy(plain_array(torch.from_numpy(one))) for one in made)
        return results if len(results) > 1 else results[0]


def is_float(port: OnnxPort) -> bool:
    """Whether a port takes or gives floating numbers that an `OnnxEngine` can convert."""
    return "float" in _KINDS.get(port.kind, "")


def reason(error: Exception) -> str:
    """What ONNX Runtime says went wrong, on one line and without its code: `[ONNXRuntimeError] : 1 : FAIL : ...`."""
    words = " ".join(str(error).split())
    return (words.split(" : ", 3)[-1] if words.startswith("[ONNXRuntimeError]") else words)[:200]


def _port(port: Any) -> OnnxPort:
    return OnnxPort(port.name, port.type, tuple(size if isinstance(size, int) else None for size in port.shape))


def _import_onnxruntime() -> Any:
    try:
        import onnxruntime
    except ImportError:
        raise LimnerError("ONNX needs the onnx extra: pip install '.[onnx]' in the folder of Limner") from None
    return onnxruntime
