"""A picture as files hold it, and its way to tensors and back."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Float
from torch import Tensor

from limner.errors import LimnerError
from limner.files.colour import Coding

Samples: TypeAlias = npt.NDArray[Any]
"""Whole numbers: uint8 in [0, 255] or uint16 in [0, 65535]."""

_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601-7, section 2.5.1


@dataclass(frozen=True, eq=False)
class Picture:
    """One still image, upright, with all that its file said about it.

    Attributes:
        pixels: (height, width, 3) RGB or (height, width, 1) gray; uint8 or uint16.
        alpha: (height, width), of the same type as `pixels`, 0 is transparent and not premultiplied; or None.
        icc_profile: What the numbers in `pixels` mean as colour; None is taken as sRGB, if there is no `coding`.
        exif: An EXIF block that starts with `Exif` and two zero bytes; its orientation is 1, for it has been applied.
        xmp: An XMP packet.
        dpi: Horizontal and vertical dots per inch.
        text: The keyword and text pairs of a PNG.
        comment: The comment of a JPEG.
        coding: Of colours of high dynamic range, which `icc_profile` does not say then.
        notes: What its file held and this does not, or how it was read, each a line that begins with the file.
    """

    pixels: Samples
    alpha: Samples | None = None
    icc_profile: bytes | None = None
    exif: bytes | None = None
    xmp: bytes | None = None
    dpi: tuple[float, float] | None = None
    text: Mapping[str, str] = field(default_factory=dict)
    comment: bytes | None = None
    coding: Coding | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        shape, kind = self.pixels.shape, self.pixels.dtype
        if len(shape) != 3 or shape[2] not in (1, 3) or kind not in (np.uint8, np.uint16):
            raise LimnerError(
                "pixels must be (h, w, 1) or (h, w, 3) of uint8 or uint16, "
                f"got {shape} of {kind}: reshape or convert them"
            )
        if self.alpha is not None and (self.alpha.shape != shape[:2] or self.alpha.dtype != kind):
            raise LimnerError(
                f"alpha must be {shape[:2]} of {kind} as the pixels are, got {self.alpha.shape} of {self.alpha.dtype}: "
                "resize or convert it"
            )

    @property
    def height(self) -> int:
        """Rows, in pixels."""
        return int(self.pixels.shape[0])

    @property
    def width(self) -> int:
        """Columns, in pixels."""
        return int(self.pixels.shape[1])

    @property
    def is_gray(self) -> bool:
        """Whether there is one channel and no colour."""
        return bool(self.pixels.shape[2] == 1)

    @property
    def bit_depth(self) -> int:
        """Bits of one sample: 8 or 16."""
        return 8 * self.pixels.dtype.itemsize

    def as_8_bit(self) -> "Picture":
        """The same picture with samples rounded to the nearest of 256 steps."""
        if self.bit_depth == 8:
            return self
        alpha = None if self.alpha is None else _to_8_bit(self.alpha)
        return replace(self, pixels=_to_8_bit(self.pixels), alpha=alpha)


def to_tensor(picture: Picture) -> Float[Tensor, "1 3 h w"]:
    """The pixels as RGB in [0, 1]; gray is repeated to three channels."""
    return _unit(picture.pixels).permute(2, 0, 1).expand(3, -1, -1).contiguous().unsqueeze(0)


def alpha_tensor(picture: Picture) -> Float[Tensor, "1 1 h w"] | None:
    """The alpha channel in [0, 1], or None where the picture has none."""
    return None if picture.alpha is None else _unit(picture.alpha)[None, None]


def from_tensor(
    image: Float[Tensor, "1 3 h w"], like: Picture, alpha: Float[Tensor, "1 1 h w"] | None = None
) -> Picture:
    """The picture that holds `image` and all else of `like`: bit depth, gray or colour, colour profile, metadata.

    Args:
        image: RGB; what lies outside [0, 1] is clipped. Becomes BT.601 luma where `like` is gray.
        like: The picture that `image` was made from; its size may differ.
        alpha: In [0, 1], of the size of `image`. None keeps the alpha of `like`.

    Raises:
        LimnerError: A sample is not a number, or `like` has an alpha channel of another size and no new one is given.
    """
    if alpha is None and like.alpha is not None and like.alpha.shape != tuple(image.shape[2:]):
        raise LimnerError(
            f"the alpha channel must be as large as the image, got {like.alpha.shape} for {tuple(image.shape[2:])}: "
            "resize it and pass it as alpha"
        )
    channels = image.detach().to("cpu", torch.float32)[0]
    if like.is_gray:
        channels = torch.einsum("chw,c->hw", channels, torch.tensor(_LUMA))[None]
    pixels = _samples(channels.permute(1, 2, 0), like.pixels.dtype)
    new_alpha = (
        like.alpha if alpha is None else _samples(alpha[0, 0].detach().to("cpu", torch.float32), like.pixels.dtype)
    )
    return replace(like, pixels=pixels, alpha=new_alpha)


def _to_8_bit(samples: Samples) -> Samples:
    return ((samples.astype(np.uint32) + 128) // 257).astype(np.uint8)


def _unit(samples: Samples) -> Tensor:
    return torch.from_numpy(samples.astype(np.float32) / np.float32(np.iinfo(samples.dtype).max))


_TYPES = {8: torch.uint8, 16: torch.uint16}


def _samples(values: Tensor, kind: np.dtype[Any]) -> Samples:
    """Round half up, as `torch.round` does not."""
    if not all(math.isfinite(bound) for bound in torch.aminmax(values)):  # NaN is the least and the most
        raise LimnerError("an image must hold finite numbers, got NaN or infinity: look at the model that made it")
    top = np.iinfo(kind).max
    rounded = values.clamp(0, 1).mul_(top).add_(0.5)  # what is cut off after the point rounds it
    return rounded.to(_TYPES[8 * kind.itemsize], memory_format=torch.contiguous_format).numpy()
