"""Arrays and tensors of any usual type as pixels, and results as values of that type again."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from limner.errors import LimnerError
from limner.files.picture import Samples

_WHOLE = {torch.uint8: 255, torch.uint16: 65535, torch.bool: 1}
_ROUNDING = 1e-6  # by which values may leave [0, 1]


def samples_of(array: np.ndarray) -> Samples:
    """An array as samples of a picture.

    Args:
        array: uint8 or uint16 of either byte order; floats in [0, 1], which become 16 bits; or bool.

    Raises:
        LimnerError: If it is of another type, holds no numbers, or values outside [0, 1].
    """
    if array.dtype.newbyteorder("=") in (np.uint8, np.uint16):
        return array.astype(array.dtype.newbyteorder("="), copy=False)
    if array.dtype == np.bool_:
        return array.astype(np.uint8) * np.uint8(255)
    if not np.issubdtype(array.dtype, np.floating):
        raise LimnerError(
            f"an array must be of uint8, uint16, bool or floats in [0, 1], got {array.dtype}: convert it, "
            "as with .astype('uint8')"
        )
    if array.size:
        _check_range("an array of floats", float(array.min()), float(array.max()))
    return np.round(array.clip(0, 1).astype(np.float64) * 65535).astype(np.uint16)


def like_array(samples: Samples, original: np.ndarray) -> np.ndarray:
    """Samples of a result in the type of the original array; of bool they stay uint8."""
    if np.issubdtype(original.dtype, np.floating):
        return (samples / (65535 if samples.dtype == np.uint16 else 255)).astype(original.dtype)
    return samples


def floats_of(image: Tensor) -> Float[Tensor, "n 3 h w"]:
    """A tensor as RGB float32 on the CPU.

    Args:
        image: (c, h, w) or (n, c, h, w) with one or three channels: floats in [0, 1], uint8, uint16 or bool.

    Raises:
        LimnerError: If it has another shape, type or layout, or values outside [0, 1].
    """
    if image.layout != torch.strided or image.is_meta:
        kind = "one without values (meta)" if image.is_meta else str(image.layout).removeprefix("torch.")
        raise LimnerError(f"a tensor must hold its values one beside another, got {kind}: pass one that does")
    if image.dim() not in (3, 4) or image.shape[-3] not in (1, 3):
        raise LimnerError(
            f"a tensor must be (3, h, w) or (n, 3, h, w), or of one channel, got {tuple(image.shape)}: reshape it, "
            "as with .permute(2, 0, 1)"
        )
    if not image.numel():
        raise LimnerError(f"a tensor must hold a picture of at least 1 pixel, got {tuple(image.shape)}: pass one")
    many = (image if image.dim() == 4 else image[None]).detach().cpu()
    if many.dtype in _WHOLE:
        many = many.to(torch.float32) / _WHOLE[many.dtype]
    elif not many.is_floating_point():
        raise LimnerError(f"a tensor must be of floats in [0, 1], uint8, uint16 or bool, got {image.dtype}: convert it")
    else:
        _check_range("a tensor of floats", float(many.min()), float(many.max()))
    return many.to(torch.float32).clamp(0, 1).expand(-1, 3, -1, -1)


def like_tensor(result: Float[Tensor, "n 3 h w"], original: Tensor) -> Tensor:
    """A result as floats or whole numbers, as the original is; of bool it becomes uint8."""
    if original.dtype in _WHOLE:
        kind = torch.uint16 if original.dtype == torch.uint16 else torch.uint8
        values = (result.clamp(0, 1) * _WHOLE[kind]).round().to(torch.int32).to(original.device, kind)
    else:
        values = result.to(original)
    return values if original.dim() == 4 else values[0]


def _check_range(what: str, low: float, high: float) -> None:
    if not (low >= -_ROUNDING and high <= 1 + _ROUNDING):  # also for what is not a number
        mend = "divide by 255" if high > 1.5 and low >= 0 else "scale it, or clamp it"
        raise LimnerError(f"{what} must hold values in [0, 1], got {low:g} to {high:g}: {mend}")
