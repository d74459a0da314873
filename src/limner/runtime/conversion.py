"""A trained system in the languages of other runtimes, in memory: TorchScript, ONNX and OpenVINO."""

import copy
import inspect
import logging
import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from limner.errors import LimnerError
from limner.layers.spectral import without_parametrizations
from limner.runtime.openvino_engine import import_openvino
from limner.runtime.probes import EXAMPLE, Size, fitting_size, ports_of, random_inputs, results_of
from limner.runtime.tracing import RefusedDraws


def evaluation_copy(system: nn.Module) -> nn.Module:
    """A copy of a system as it is used: in evaluation mode, without gradients, on the CPU."""
    used = copy.deepcopy(system).eval().requires_grad_(False).cpu()
    without_parametrizations(used)
    return used


def refuse_draws(system: nn.Module) -> None:
    """Try a system, as `evaluation_copy` gives it, on an example.

    Raises:
        LimnerError: If it draws random numbers by itself.
    """
    tensors = _example(system)
    with torch.inference_mode(), RefusedDraws(type(system).__name__):
        system(*tensors)


def to_torchscript(system: nn.Module) -> torch.jit.ScriptModule:
    """A system, as `evaluation_copy` gives it, as a frozen TorchScript network.

    Raises:
        LimnerError: If it cannot be traced.
    """
    with quiet_export(system, "TorchScript"):
        return torch.jit.freeze(_traced(system))


def to_onnx(system: nn.Module, metadata: dict[str, str] | None = None) -> bytes:
    """A system, as `evaluation_copy` gives it, as an ONNX network with free number, height and width.

    Its ports name inputs and outputs.

    Raises:
        LimnerError: If the onnx extra is missing, or the system cannot be written in ONNX.
    """
    try:
        import onnx  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError:
        raise LimnerError("ONNX needs the onnx extra: pip install '.[onnx]' in the folder of Limner") from None
    ports = ports_of(system)
    with quiet_export(system, "ONNX"):
        program: Any = torch.onnx.export(
            _with_plain_slopes(system),
            _example(system),
            input_names=[port.name for port in ports.inputs],
            output_names=[port.name for port in ports.outputs],
            dynamic_shapes=_free_sides(system),
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
    openvino, ports = import_openvino(), ports_of(system)
    with quiet_export(system, "OpenVINO"):
        model = openvino.convert_model(_traced(system), example_input=_example(system), share_weights=False)
        shapes = [(-1, *port.shape(1, 1, 1)[1:2], *[-1] * (2 * port.spatial)) for port in ports.inputs]
        model.reshape({number: list(shape) for number, shape in enumerate(shapes)})
    for number, port in enumerate(ports.inputs):
        model.input(number).get_tensor().set_names({port.name})
    for number, port in enumerate(ports.outputs):
        model.output(number).get_tensor().set_names({port.name})
    return model


class Difference(NamedTuple):
    """How far the results of a network lie from those of the system that it was made from, at worst."""

    largest: float
    """Of any value."""
    relative: float
    """Root of the mean square, as a share of that of the system's own result."""


def difference(run: Callable[..., Any], system: nn.Module, tried: Sequence[Size]) -> Difference:
    """By how much the results of a network differ from those of a system, as `evaluation_copy` gives it, at worst.

    Args:
        run: The network.
        system: What it was made from.
        tried: What both are given is drawn for these sizes.

    Raises:
        LimnerError: If it does not take them, or its results have other sizes.
    """
    generator, found = torch.Generator().manual_seed(0), []
    for size in tried:
        tensors = random_inputs(ports_of(system).inputs, size, generator)
        with torch.inference_mode():
            expected = results_of(system(*tensors))
            found += [_apart(*pair, system) for pair in zip(results_of(run(*tensors)), expected, strict=True)]
    return Difference(*map(max, zip(*found, strict=True)))


def _apart(result: Tensor, expected: Tensor, system: nn.Module) -> Difference:
    if result.shape != expected.shape:
        shapes = f"a result is {tuple(result.shape)} and not {tuple(expected.shape)}"
        raise LimnerError(f"{type(system).__name__} cannot be exported for all sizes: {shapes}")
    if not bool(torch.isfinite(result).all()):
        return Difference(math.inf, math.inf)
    away, expected = (result - expected).float(), expected.float()
    return Difference(away.abs().max().item(), (away.norm() / expected.norm().clamp(min=1e-12)).item())


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


def _example(system: nn.Module) -> tuple[Tensor, ...]:
    ports = ports_of(system).inputs
    return random_inputs(ports, fitting_size(EXAMPLE, ports))


def _free_sides(system: nn.Module) -> tuple[Any, ...]:
    """For each argument of `forward`, which sides are free; those that it takes any number of are one argument."""
    free = torch.export.Dim.DYNAMIC
    sides = [dict.fromkeys((0, 2, 3) if port.spatial else (0,), free) for port in ports_of(system).inputs]
    kinds = [one.kind for one in inspect.signature(system.forward).parameters.values()]
    if _ANY_NUMBER not in kinds:
        return tuple(sides)
    before = kinds.index(_ANY_NUMBER)
    rest = tuple(sides[before:])
    return (*sides[:before], *([rest] if rest else []))


_ANY_NUMBER = inspect.Parameter.VAR_POSITIONAL


def _traced(system: nn.Module) -> torch.jit.ScriptModule:
    return torch.jit.trace(system, _example(system), check_trace=False)


def _with_plain_slopes(system: nn.Module) -> nn.Module:
    """A copy whose PReLUs of one slope are leaky ReLUs, which ONNX Runtime fuses into the convolution before them."""
    system = copy.deepcopy(system)
    for name, module in [*system.named_modules()]:
        if isinstance(module, nn.PReLU) and module.num_parameters == 1:
            system.set_submodule(name, nn.LeakyReLU(module.weight.item()))
    return system
