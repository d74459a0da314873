"""A trained system in the languages of other runtimes, in memory: TorchScript, ONNX and OpenVINO."""

import copy
import logging
import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from limner.errors import LimnerError
from limner.runtime.openvino_engine import import_openvino

_PROBES = ((1, 31, 45), (1, 57, 23), (1, 33, 71), (2, 25, 39))  # number, height, width
_EXAMPLE = (2, 32, 52)  # what the exporters watch the system with; no two sizes are one or equal, so none is fixed
_UNIT = 24  # of the sides above: those of a system that takes larger multiples alone are as many of these


def evaluation_copy(system: nn.Module) -> nn.Module:
    """A copy of a system as it is used: in evaluation mode, without gradients, on the CPU."""
    return copy.deepcopy(system).eval().requires_grad_(False).cpu()


def in_channels(system: nn.Module) -> int:
    """The channels of the picture that a system takes.

    Raises:
        LimnerError: If it does not say so.
    """
    channels: Any = getattr(system, "in_channels", None)
    if not isinstance(channels, int):
        raise LimnerError(f"{type(system).__name__} must say what it takes to be exported: give it `in_channels`")
    return channels


def accepted_side(side: int, system: nn.Module) -> int:
    """A side that a system takes, which is `side` pixels or more: a multiple of its `size_multiple`, if it has one."""
    multiple: Any = getattr(system, "size_multiple", 1)
    return multiple * math.ceil(side / min(multiple, _UNIT))


def probes(system: nn.Module) -> tuple[tuple[int, int, int], ...]:
    """The pictures that an export of a system is tried on: number, height, width."""
    return tuple(
        (number, accepted_side(height, system), accepted_side(width, system)) for number, height, width in _PROBES
    )


def to_torchscript(system: nn.Module) -> torch.jit.ScriptModule:
    """A system, as `evaluation_copy` gives it, as a frozen TorchScript network.

    Raises:
        LimnerError: If it cannot be traced.
    """
    with quiet_export(system, "TorchScript"):
        return torch.jit.freeze(_traced(system))


def to_onnx(system: nn.Module, metadata: dict[str, str] | None = None) -> bytes:
    """A system, as `evaluation_copy` gives it, as an ONNX network with free number, height and width.

    Raises:
        LimnerError: If the onnx extra is missing, or the system cannot be written in ONNX.
    """
    try:
        import onnx  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError:
        raise LimnerError("ONNX needs the onnx extra: pip install 'limner[onnx]'") from None
    free = torch.export.Dim.DYNAMIC
    with quiet_export(system, "ONNX"):
        program: Any = torch.onnx.export(
            _with_plain_slopes(system),
            (_example(system),),
            input_names=["image"],
            output_names=["result"],
            dynamic_shapes=({0: free, 2: free, 3: free},),
            dynamo=True,
            verbose=False,
        )
    model = program.model_proto
    for node in model.graph.node:
        del node.metadata_props[:]  # the stack of the Python program that made it, with its folders
    for key, text in (metadata or {}).items():
        model.metadata_props.add(key=key, value=text)
    return bytes(model.SerializeToString())


def to_openvino(system: nn.Module) -> Any:
    """A system, as `evaluation_copy` gives it, as an `openvino.Model` with free number, height and width.

    Raises:
        LimnerError: If OpenVINO is not installed, or cannot hold the system.
    """
    openvino = import_openvino()
    with quiet_export(system, "OpenVINO"):
        model = openvino.convert_model(_traced(system), example_input=(_example(system),), share_weights=False)
        model.reshape([-1, in_channels(system), -1, -1])
    model.input(0).get_tensor().set_names({"image"})
    model.output(0).get_tensor().set_names({"result"})
    return model


class Difference(NamedTuple):
    """How far the results of a network lie from those of the system that it was made from, at worst."""

    largest: float
    """Of any value."""
    relative: float
    """Root of the mean square, as a share of that of the system's own result."""


def difference(run: Callable[[Tensor], Tensor], system: nn.Module, tried: Sequence[tuple[int, int, int]]) -> Difference:
    """By how much a network differs from a system, at worst.

    Args:
        run: The network.
        system: What it was made from.
        tried: The pictures that both are given: number, height, width.

    Raises:
        LimnerError: If it does not take them, or its results have other sizes.
    """
    generator, found = torch.Generator().manual_seed(0), []
    for number, height, width in tried:
        image = torch.rand(number, in_channels(system), height, width, generator=generator)
        with torch.inference_mode():
            expected, result = system(image), run(image)
        if result.shape != expected.shape:
            shapes = f"{tuple(image.shape)} becomes {tuple(result.shape)} and not {tuple(expected.shape)}"
            raise LimnerError(f"{type(system).__name__} cannot be exported for all sizes: {shapes}")
        if not bool(torch.isfinite(result).all()):
            return Difference(math.inf, math.inf)
        away = result - expected
        found.append((away.abs().max().item(), (away.norm() / expected.norm().clamp(min=1e-12)).item()))
    return Difference(*map(max, zip(*found, strict=True)))


@contextmanager
def quiet_export(system: nn.Module, target: str) -> Iterator[None]:
    """Keep what exporters print from the user; what goes wrong in them becomes one line.

    Raises:
        LimnerError: If anything goes wrong.
    """
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except MemoryError:
        raise
    except Exception as error:  # the exporters raise whatever they trip over
        first = (str(error.__cause__ or error).strip() or type(error).__name__).splitlines()[0][:200]
        raise LimnerError(f"{type(system).__name__} cannot be exported to {target} for all sizes: {first}") from error
    finally:
        logger.setLevel(level)


def _example(system: nn.Module) -> Tensor:
    number, height, width = _EXAMPLE
    return torch.rand(number, in_channels(system), accepted_side(height, system), accepted_side(width, system))


def _traced(system: nn.Module) -> torch.jit.ScriptModule:
    return torch.jit.trace(system, _example(system), check_trace=False)


def _with_plain_slopes(system: nn.Module) -> nn.Module:
    """A copy whose PReLUs of one slope are leaky ReLUs, which ONNX Runtime fuses into the convolution before them."""
    system = copy.deepcopy(system)
    for name, module in [*system.named_modules()]:
        if isinstance(module, nn.PReLU) and module.num_parameters == 1:
            system.set_submodule(name, nn.LeakyReLU(module.weight.item()))
    return system
