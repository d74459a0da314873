"""Prepare a trained system for inference, once: the same function, faster.

Batch norm is folded into the convolution before it. On a CPU each convolution's weights are laid out for oneDNN
beforehand and the activation after it is fused into it, in float32 (exact) or bfloat16 (fast).
"""

import collections
from typing import Any

import torch
from torch import fx, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from limner.runtime.device import Precision, bfloat16_pays
from limner.runtime.graph import trace
from limner.runtime.packed import PackedConvolution, is_fusible, is_packable


def prepare(system: nn.Module, device: torch.device, precision: Precision) -> fx.GraphModule:
    """A copy of `system`, in evaluation mode on `device`, ready to run under `torch.inference_mode`.

    Raises:
        LimnerError: If the system's forward pass is no fixed graph.
    """
    prepared = trace(system)
    fold_batch_norm(prepared)
    if device.type == "cpu" and hasattr(torch.ops.mkldnn, "_convolution_pointwise"):
        fast = precision == "fast" and bfloat16_pays(device)
        pack_convolutions(prepared, torch.bfloat16 if fast else torch.float32)
    return prepared.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]


def fold_batch_norm(module: fx.GraphModule) -> None:
    """Fold each batch norm that alone reads a convolution into that convolution, in place."""
    for node, convolution in _modules(module, nn.Conv2d):
        after = _only_reader(module, node)
        norm = _called(module, after)
        if after and isinstance(norm, nn.BatchNorm2d) and norm.running_mean is not None:
            module.set_submodule(str(node.target), fuse_conv_bn_eval(convolution, norm))
            _skip(module, after, node)
    module.recompile()


def pack_convolutions(module: fx.GraphModule, dtype: torch.dtype) -> None:
    """Replace convolutions, and the activations that alone read them, by packed ones, in place."""
    for node, convolution in _modules(module, nn.Conv2d):
        if is_packable(convolution):
            after = _only_reader(module, node)
            activation = _called(module, after)
            fused = after if is_fusible(activation) else None
            module.set_submodule(str(node.target), PackedConvolution(convolution, activation if fused else None, dtype))
            if fused:
                _skip(module, fused, node)
    for _, activation in _modules(module, nn.PReLU):
        activation.to(dtype)  # one that is not fused must be of the type that it is given
    module.recompile()


def _modules(module: fx.GraphModule, kind: type[nn.Module]) -> list[tuple[fx.Node, Any]]:
    """The calls of modules of a kind, but for those that are called more than once."""
    calls = collections.Counter(node.target for node in module.graph.nodes if node.op == "call_module")
    found = ((node, _called(module, node)) for node in module.graph.nodes if calls[node.target] == 1)
    return [(node, called) for node, called in found if isinstance(called, kind)]


def _called(module: fx.GraphModule, node: fx.Node | None) -> nn.Module | None:
    return module.get_submodule(str(node.target)) if node is not None and node.op == "call_module" else None


def _only_reader(module: fx.GraphModule, node: fx.Node) -> fx.Node | None:
    return next(iter(node.users)) if len(node.users) == 1 else None


def _skip(module: fx.GraphModule, node: fx.Node, instead: fx.Node) -> None:
    node.replace_all_uses_with(instead)
    module.graph.erase_node(node)
