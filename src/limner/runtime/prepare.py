"""Prepare a trained system for inference, once: the same function, faster.

Batch norm is folded into the convolution before it. On a CPU each convolution's weights are laid out for oneDNN
beforehand and the activation after it is fused into it, in float32 (exact) or bfloat16 (fast).
"""

import copy

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from limner.runtime.device import Precision, bfloat16_pays

_PICTURE_CHANNELS = 4  # a convolution to so few channels makes the picture itself, whose sum with others needs float32


class PackedConvolution(nn.Module):
    """A convolution with zero padding whose weights are laid out for oneDNN, and the activation after it."""

    def __init__(self, convolution: nn.Conv2d, activation: nn.Module | None, dtype: torch.dtype) -> None:
        super().__init__()
        self.dtype, self.groups = dtype, convolution.groups
        self.padding, self.dilation = list(convolution.padding), list(convolution.dilation)
        self.stride = list(convolution.stride)
        self.to_picture = convolution.out_channels <= _PICTURE_CHANNELS
        self.attribute, self.scalars = _fused(activation)
        weight = convolution.weight.detach().to(dtype).contiguous(memory_format=torch.channels_last)
        self.weight = torch.ops.mkldnn._reorder_convolution_weight(
            weight, self.padding, self.stride, self.dilation, self.groups, None
        )
        self.bias = None if convolution.bias is None else convolution.bias.detach().to(dtype)

    def forward(self, x: Tensor) -> Tensor:
        """(n, c, h, w) of any floating type -> (n, k, H, W) of the packed type, or float32 if it is a picture."""
        result: Tensor = torch.ops.mkldnn._convolution_pointwise(
            x.to(self.dtype, memory_format=torch.channels_last),
            self.weight,
            self.bias,
            self.padding,
            self.stride,
            self.dilation,
            self.groups,
            self.attribute,
            self.scalars,
            "",
        )
        return result.float() if self.to_picture else result


def _fused(activation: nn.Module | None) -> tuple[str, list[float]]:
    if activation is None:
        return "none", []
    if isinstance(activation, nn.PReLU):
        return "leaky_relu", [activation.weight.item()]
    if isinstance(activation, nn.LeakyReLU):
        return "leaky_relu", [activation.negative_slope]
    return "relu", []


def _is_fusible(module: nn.Module | None) -> bool:
    return isinstance(module, nn.ReLU | nn.LeakyReLU) or (isinstance(module, nn.PReLU) and module.num_parameters == 1)


def _is_packable(module: nn.Module) -> bool:
    return isinstance(module, nn.Conv2d) and module.padding_mode == "zeros" and not isinstance(module.padding, str)


def fold_batch_norm(module: nn.Module) -> None:
    """Fold each batch norm that directly follows a convolution in a Sequential into that convolution, in place."""
    for child in module.children():
        fold_batch_norm(child)
    if isinstance(module, nn.Sequential):
        layers: list[nn.Module] = []
        for layer in module:
            if isinstance(layer, nn.BatchNorm2d) and layers and isinstance(layers[-1], nn.Conv2d):
                layers[-1] = fuse_conv_bn_eval(layers[-1], layer)
            else:
                layers.append(layer)
        _refill(module, layers)


def pack_convolutions(module: nn.Module, dtype: torch.dtype) -> None:
    """Replace convolutions, and activations that follow them in a Sequential, by packed ones, in place."""
    if isinstance(module, nn.Sequential):
        layers: list[nn.Module] = []
        following: list[nn.Module | None] = [*list(module)[1:], None]
        for layer, after in zip(list(module), following, strict=True):
            if _is_packable(layer):
                layers.append(PackedConvolution(layer, after if _is_fusible(after) else None, dtype))  # type: ignore[arg-type]
            elif not (_is_fusible(layer) and layers and _holds_activation(layers[-1])):
                layers.append(layer)
        _refill(module, layers)
    for name, child in module.named_children():
        if isinstance(child, nn.PReLU):
            child.to(dtype)  # one that is not fused must be of the type that it is given
        if _is_packable(child):
            setattr(module, name, PackedConvolution(child, None, dtype))  # type: ignore[arg-type]
        else:
            pack_convolutions(child, dtype)


def _holds_activation(layer: nn.Module) -> bool:
    return isinstance(layer, PackedConvolution) and layer.attribute != "none"


def _refill(sequential: nn.Sequential, layers: list[nn.Module]) -> None:
    del sequential[:]
    sequential.extend(layers)


def prepare(system: nn.Module, device: torch.device, precision: Precision) -> nn.Module:
    """A copy of `system`, in evaluation mode on `device`, ready to run under `torch.inference_mode`."""
    prepared = copy.deepcopy(system).eval().requires_grad_(False)
    fold_batch_norm(prepared)
    if device.type == "cpu" and hasattr(torch.ops.mkldnn, "_convolution_pointwise"):
        fast = precision == "fast" and bfloat16_pays(device)
        pack_convolutions(prepared, torch.bfloat16 if fast else torch.float32)
    return prepared.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
