"""OpenVINO as an engine: a network on the CPU, in float32 or in bfloat16 where that pays."""

import functools
import sys
from typing import Any

import torch
from torch import Tensor

from limner.errors import LimnerError
from limner.processor import dtype_on
from limner.types import Precision

_TELEMETRY = "openvino_telemetry"


class OpenVinoEngine:
    """An OpenVINO network, ready to run.

    Args of the constructor:
        model: An `openvino.Model`; numbers of its inputs are float32 or int64.
        precision: `exact` is float32; `fast` is bfloat16 where the processor gains by it.
        threads: How many it may use; None takes as many as torch does.

    Raises:
        LimnerError: If OpenVINO is not installed, or cannot compile the network.
    """

    name = "openvino"

    def __init__(self, model: Any, *, precision: Precision, threads: int | None = None) -> None:
        dtype = dtype_on(torch.device("cpu"), precision)
        options = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": "bf16" if dtype == torch.bfloat16 else "f32",
            "INFERENCE_NUM_THREADS": threads or torch.get_num_threads(),
            "ENABLE_CPU_PINNING": False,  # two processes would pin their threads to the same cores
        }
        try:
            self._compiled: Any = core().compile_model(model, "CPU", options)
        except RuntimeError as error:
            raise LimnerError(f"OpenVINO cannot compile this network ({reason(error)})") from None

    def __call__(self, *inputs: Tensor) -> Any:
        """Float32 in, float32 out; a tensor, or a tuple if there are several outputs.

        Raises:
            LimnerError: If the network does not take such inputs.
        """
        arrays = [plain_array(x) for x in inputs]
        try:
            made = self._compiled(arrays)
        except RuntimeError as error:
            if "alloc" in str(error).lower():
                raise MemoryError from error
            shapes = " and ".join("x".join(map(str, x.shape)) for x in inputs)
            raise LimnerError(f"the network does not take an input of {shapes} ({reason(error)})") from None
        results = tuple(torch.from_numpy(made[number]) for number in range(len(self._compiled.outputs)))
        return results if len(results) > 1 else results[0]


def plain_array(x: Tensor) -> Any:
    """A numpy array of float32, or of int64 for whole numbers."""
    kind = torch.float32 if x.is_floating_point() else torch.int64
    return x.detach().to("cpu", kind).contiguous().numpy()


@functools.cache
def core() -> Any:
    """OpenVINO's core, one for the life of the process.

    Its plugin for CPUs gives signals a stack and brings back the one before when it goes. Where two go in another order
    than they came, that is memory that was freed, and the next signal, such as Ctrl-C, ends the process.

    Raises:
        LimnerError: If OpenVINO is not installed.
    """
    return import_openvino().Core()


def import_openvino() -> Any:
    """The package `openvino`, without its telemetry: importing it would report that to its makers over the network.

    A program that has imported it before keeps it as it is.

    Raises:
        LimnerError: If it is not installed.
    """
    hidden = "openvino" not in sys.modules and _TELEMETRY not in sys.modules
    if hidden:
        sys.modules[_TELEMETRY] = None  # type: ignore[assignment]  # so that it counts as not installed
    try:
        import openvino
    except ImportError:
        raise LimnerError(
            "OpenVINO needs the openvino extra: pip install '.[openvino]' in the folder of Limner"
        ) from None
    finally:
        if hidden:
            del sys.modules[_TELEMETRY]
    return openvino


def reason(error: Exception) -> str:
    """What OpenVINO says went wrong; the lines before it name its source files."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1][:200] if lines else type(error).__name__
