"""A network like `JohnsonNet` run layer by layer on a picture that its layers do not fit beside: the slow, sure way.

It knows nothing of Limner's runtime, which is compared with it. Each layer makes its whole result before the next one
begins, so that instance norms see whole feature maps; a layer's working memory is bounded by working in bands of rows.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.runtime.architectures import Residual

_BAND = 64  # rows of a result at a time


@torch.inference_mode()
def run_layerwise(layers: nn.Sequential, image: Tensor) -> Tensor:
    """(1, c, h, w) -> what `layers` give: convolutions, instance norms, ReLUs, nearest upsampling, residuals.

    A reflection padding or an upsampling must stand before a convolution, which does it on the way.
    """
    x, padding, factor = image, 0, 1
    for layer in layers:
        if isinstance(layer, nn.ReflectionPad2d):
            padding = layer.padding[0]
        elif isinstance(layer, nn.Upsample):
            factor = int(layer.scale_factor)  # type: ignore[arg-type]
        elif isinstance(layer, nn.Conv2d):
            x = _convolve(layer, x, padding, factor)
            padding, factor = 0, 1
        elif isinstance(layer, nn.InstanceNorm2d):
            _normalize(layer, x)
        elif isinstance(layer, nn.ReLU):
            x.relu_()
        elif isinstance(layer, Residual):
            x = run_layerwise(layer.body, x).add_(x)
        else:
            raise TypeError(f"{type(layer).__name__} is not known here")
    return x


def _convolve(layer: nn.Conv2d, x: Tensor, padding: int, factor: int) -> Tensor:
    kernel, stride = layer.kernel_size[0], layer.stride[0]
    height, width = (factor * side for side in x.shape[-2:])
    rows, columns = ((side + 2 * padding - kernel) // stride + 1 for side in (height, width))
    result = torch.empty(1, layer.out_channels, rows, columns)
    across = _reflected(torch.arange(-padding, width + padding), width) // factor
    for top in range(0, rows, _BAND):
        bottom = min(rows, top + _BAND)
        down = torch.arange(top * stride - padding, (bottom - 1) * stride - padding + kernel)
        band = x[:, :, _reflected(down, height) // factor][..., across]
        result[:, :, top:bottom] = F.conv2d(band, layer.weight, layer.bias, stride)
    return result


def _reflected(positions: Tensor, size: int) -> Tensor:
    """Positions beyond the border, mirrored at the outermost pixels."""
    positions = positions.abs()
    return torch.where(positions < size, positions, 2 * (size - 1) - positions)


def _normalize(layer: nn.InstanceNorm2d, x: Tensor) -> None:
    for channel in range(x.shape[1]):
        plane = x[0, channel]
        variance, mean = torch.var_mean(plane.double(), correction=0)
        plane.sub_(mean.float()).mul_(torch.rsqrt(variance + layer.eps).float())
        if layer.affine:
            plane.mul_(layer.weight[channel]).add_(layer.bias[channel])
