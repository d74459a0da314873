"""A convolution as oneDNN likes it: weights laid out beforehand, the activation after it fused into it."""

import torch
from torch import Tensor, nn

_PICTURE_CHANNELS = 4  # a convolution to so few channels makes the picture itself, whose sum with others needs float32


class PackedConvolution(nn.Module):
    """A convolution with zero padding whose weights are laid out for oneDNN, and the activation after it."""

    def __init__(self, convolution: nn.Conv2d, activation: nn.Module | None, dtype: torch.dtype) -> None:
        super().__init__()
        self.dtype, self.groups, self.out_channels = dtype, convolution.groups, convolution.out_channels
        self.kernel_size, self.stride = list(convolution.kernel_size), list(convolution.stride)
        self.padding, self.dilation = [int(side) for side in convolution.padding], list(convolution.dilation)
        self.to_picture = convolution.out_channels <= _PICTURE_CHANNELS
        self.attribute, self.scalars = _fused(activation)
        weight = convolution.weight.detach().to(dtype).contiguous(memory_format=torch.channels_last)
        self.weight = torch.ops.mkldnn._reorder_convolution_weight(
            weight, self.padding, self.stride, self.dilation, self.groups, None
        )
        self.bias = None if convolution.bias is None else convolution.bias.detach().to(dtype)

    def output_size(self, size: tuple[int, int]) -> tuple[int, int]:
        """Height and width of the result, in pixels."""
        rows, columns = (
            (side + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1
            for side, padding, dilation, kernel, stride in zip(
                size, self.padding, self.dilation, self.kernel_size, self.stride, strict=True
            )
        )
        return rows, columns

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


def is_fusible(module: nn.Module | None) -> bool:
    """Whether a module is an activation that can be fused into the convolution before it."""
    return isinstance(module, nn.ReLU | nn.LeakyReLU) or (isinstance(module, nn.PReLU) and module.num_parameters == 1)


def is_packable(module: nn.Module) -> bool:
    """Whether a module is a convolution that `PackedConvolution` can stand for."""
    return isinstance(module, nn.Conv2d) and module.padding_mode == "zeros" and not isinstance(module.padding, str)
