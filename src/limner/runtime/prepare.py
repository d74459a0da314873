"""Prepare a trained system for inference, once: the same function, faster.

Batch norm is folded into the convolution before it. On a CPU each convolution's weights are laid out for oneDNN
beforehand and the activation after it is fused into it, in float32 (exact) or bfloat16 (fast); an enlargement is
joined with the convolution after it; instance norm gets an implementation that is fast in this layout.
"""

import operator
from typing import Any

import torch
import torch.nn.functional as F
from torch import fx, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from limner.processor import dtype_on, layout_on
from limner.runtime.channel_order import order_channels
from limner.runtime.norms import ChannelNorm
from limner.runtime.packed import PackedConvolution, TransposedConvolution, is_fusible, is_packable
from limner.runtime.phases import Border, PhaseConvolution
from limner.runtime.rewrite import called, insert_module, is_alone, is_doubling, modules, only_reader, skip
from limner.runtime.tracing import trace
from limner.types import Precision


def prepare(system: nn.Module, device: torch.device, precision: Precision) -> fx.GraphModule:
    """A copy of `system`, in evaluation mode on `device`, ready to run under `torch.inference_mode`.

    Raises:
        LimnerError: If the system's forward pass is no fixed graph.
    """
    prepared = trace(system)
    fold_batch_norm(prepared)
    if device.type == "cpu" and hasattr(torch.ops.mkldnn, "_convolution_pointwise"):
        lay_out_for_cpu(prepared, dtype_on(device, precision))
    return prepared.to(device=device, memory_format=layout_on(device, "picture"))  # type: ignore[call-overload]


def lay_out_for_cpu(module: fx.GraphModule, dtype: torch.dtype) -> None:
    """Replace what runs faster another way on a CPU, in place."""
    split_padding(module)
    join_enlargements(module, dtype)
    replace_norms(module, dtype)
    pack_convolutions(module, dtype)
    order_channels(module)
    if dtype != torch.float32:
        widen_inputs(module)


def fold_batch_norm(module: fx.GraphModule) -> None:
    """Fold each batch norm that alone reads a convolution into that convolution, in place."""
    for node, convolution in [*modules(module, nn.Conv2d), *modules(module, nn.ConvTranspose2d)]:
        after = only_reader(node)
        norm = called(module, after)
        if after and isinstance(norm, nn.BatchNorm2d) and norm.running_mean is not None:
            is_transposed = isinstance(convolution, nn.ConvTranspose2d)
            module.set_submodule(str(node.target), fuse_conv_bn_eval(convolution, norm, transpose=is_transposed))
            skip(module, after, node)
    module.recompile()


_PADS = {"reflect": nn.ReflectionPad2d, "replicate": nn.ReplicationPad2d}


def split_padding(module: fx.GraphModule) -> None:
    """Give convolutions that pad by reflection or replication a module of its own for it, in place."""
    for node, convolution in modules(module, nn.Conv2d):
        if convolution.padding_mode in _PADS and not isinstance(convolution.padding, str):
            rows, columns = convolution.padding
            pad = _PADS[convolution.padding_mode]((columns, columns, rows, rows))
            insert_module(module, node, f"{node.name}_pad", pad)
            convolution.padding, convolution.padding_mode = (0, 0), "zeros"
    module.recompile()


def join_enlargements(module: fx.GraphModule, dtype: torch.dtype) -> None:
    """Join enlarging by two with the nearest pixel, padding by one and a 3x3 convolution into one module, in place."""
    for node, convolution in modules(module, nn.Conv2d):
        path = _enlargement_before(module, node, convolution)
        if path:
            activation, after = _activation_after(module, node)
            border: Border = "replicate" if isinstance(called(module, path[0]), _REPEATS) else "zeros"
            module.set_submodule(str(node.target), PhaseConvolution(convolution, border, activation, dtype))
            for passed in [after, *path] if after else path:
                skip(module, passed, passed.all_input_nodes[0])
    module.recompile()


_REPEATS = (nn.ReflectionPad2d, nn.ReplicationPad2d)  # of an enlarged picture's border pixel: both give the same


def _enlargement_before(module: fx.GraphModule, node: fx.Node, convolution: nn.Conv2d) -> list[fx.Node]:
    """The padding, if that is a module of its own, and the enlargement that a convolution alone reads; else none."""
    if not _is_plain(convolution):
        return []
    path, pads = [node.all_input_nodes[0]], tuple(convolution.padding) * 2
    padding: Any = called(module, path[0])
    if isinstance(padding, (*_REPEATS, nn.ZeroPad2d)):
        pads = tuple(padding.padding) if not any(pads) else ()
        path.append(path[0].all_input_nodes[0])
    alone = all(only_reader(before) is after for before, after in zip(path, [node, *path], strict=False))
    return path if alone and pads == (1, 1, 1, 1) and is_doubling(module, path[-1]) else []


def _is_plain(convolution: nn.Conv2d) -> bool:
    plain = convolution.kernel_size == (3, 3) and convolution.groups == 1 and is_packable(convolution)
    return plain and convolution.stride == (1, 1) == convolution.dilation


def replace_norms(module: fx.GraphModule, dtype: torch.dtype) -> None:
    """Replace instance norms, and the activations that alone read them, in place."""
    for node, norm in modules(module, nn.InstanceNorm2d):
        if norm.running_mean is None:
            activation, after = _activation_after(module, node)
            module.set_submodule(str(node.target), ChannelNorm(norm, activation, dtype))
            if after:
                skip(module, after, node)
    module.recompile()


def pack_convolutions(module: fx.GraphModule, dtype: torch.dtype) -> None:
    """Replace convolutions, and the activations that alone read them, by packed ones, in place."""
    for node, convolution in modules(module, nn.Conv2d):
        if is_packable(convolution):
            activation, after = _activation_after(module, node)
            module.set_submodule(str(node.target), PackedConvolution(convolution, activation, dtype))
            if after:
                skip(module, after, node)
    for node, transposed in modules(module, nn.ConvTranspose2d):
        if is_alone(node):
            activation, after = _activation_after(module, node)
            module.set_submodule(str(node.target), TransposedConvolution(transposed, activation, dtype))
            if after:
                skip(module, after, node)
    for _, prelu in modules(module, nn.PReLU):
        prelu.to(dtype)  # one that is not fused must be of the type that it is given
    module.recompile()


_FLOAT32_ALONE = (nn.Conv1d, nn.Conv2d, nn.ConvTranspose2d, nn.Linear, nn.LayerNorm, nn.MultiheadAttention)
_OF_ONE_TYPE = (torch.matmul, torch.bmm, operator.matmul, F.scaled_dot_product_attention, "matmul", "bmm")
"""Whose inputs must be of one type, and of which any may have come from float32 weights."""


def widen_inputs(module: fx.GraphModule) -> None:
    """Give what has kept its float32 weights float32, in place: it takes no other type."""
    functions = (F.conv2d, F.conv_transpose2d, F.linear)
    for node in [*module.graph.nodes]:
        together = isinstance(called(module, node), nn.MultiheadAttention) or node.target in _OF_ONE_TYPE
        if isinstance(called(module, node), _FLOAT32_ALONE) or node.target in functions or together:
            with module.graph.inserting_before(node):
                number = 3 if together else 1
                wide = [module.graph.call_method("float", (one,)) for one in node.args[:number]]
            node.args = (*wide, *node.args[number:])
    module.recompile()


def _activation_after(module: fx.GraphModule, node: fx.Node) -> tuple[nn.Module | None, fx.Node | None]:
    """The activation that alone reads a node, if it can be fused into it."""
    after = only_reader(node)
    if after is not None and after.op == "call_function" and after.target is F.relu:
        return nn.ReLU(), after
    activation = called(module, after)
    return (activation, after) if is_fusible(activation) else (None, None)
