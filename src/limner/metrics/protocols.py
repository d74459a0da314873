"""Named ways to score super-resolution: which channels, border, rounding and low resolution."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

from jaxtyping import Float
from torch import Tensor

from limner.errors import LimnerError
from limner.metrics.quality import psnr, ssim
from limner.ops.color import luminance
from limner.types import Image, Luminance


class Score(NamedTuple):
    """PSNR in decibels and SSIM in [-1, 1], each the mean over a batch."""

    psnr: float
    ssim: float


@dataclass(frozen=True)
class Protocol:
    """One way to make the low resolution and to score the result."""

    name: str
    channels: Literal["y", "rgb"]
    """What is compared: MATLAB's luminance, or the three colours."""
    shave: int | None
    """Pixels cut off each side before scoring; None stands for the scale."""
    low_resolution: Literal["float-y", "uint8-rgb", "photo"]
    """Shrunk from the luminance without rounding, from RGB as uint8 pictures, or so with the faults of photos."""
    rounded: Literal["y", "rgb"]
    """Which of them is rounded to 8 bits before it is compared, in the result and in the original."""
    description: str
    """What a report says about it."""


SR_Y_SHAVE = Protocol(
    name="sr-y-shave",
    channels="y",
    shave=None,
    low_resolution="float-y",
    rounded="y",
    description="Luminance (MATLAB's rgb2ycbcr, a uint8 picture; gray files as they are), `scale` pixels shaved off "
    "each side. "
    "Low resolution: bicubic of the luminance, not rounded. This is the protocol of VDSR's tables. "
    "A method that takes RGB gets the low resolution as a uint8 RGB picture instead.",
)
SR_Y_4 = Protocol(
    name="sr-y-4",
    channels="y",
    shave=4,
    low_resolution="uint8-rgb",
    rounded="rgb",
    description="Luminance (MATLAB's rgb2ycbcr; gray files as they are) of the result as a uint8 RGB picture, "
    "4 pixels shaved off each side. Low resolution: bicubic, a uint8 RGB picture. "
    "This is the protocol of SRGAN's tables.",
)
RGB = Protocol(
    name="rgb",
    channels="rgb",
    shave=None,
    low_resolution="uint8-rgb",
    rounded="rgb",
    description="The three colours of the result as a uint8 RGB picture, `scale` pixels shaved off each side. "
    "Low resolution: bicubic, a uint8 RGB picture.",
)
PHOTO = Protocol(
    name="photo",
    channels="y",
    shave=None,
    low_resolution="photo",
    rounded="rgb",
    description="Luminance (MATLAB's rgb2ycbcr; gray files as they are) of the result as a uint8 RGB picture, `scale` "
    "pixels shaved off each side. Low resolution: a uint8 RGB picture with the faults of photos (blur, resizing, "
    "noise, JPEG), drawn at random but always alike for a picture of a name and a scale (`limner.data.photo_faults`). "
    "No paper's; for models that mend such faults.",
)
PROTOCOLS: dict[str, Protocol] = {protocol.name: protocol for protocol in (SR_Y_SHAVE, SR_Y_4, RGB, PHOTO)}


def find_protocol(name: str) -> Protocol:
    """The protocol of that name.

    Raises:
        LimnerError: If there is none.

    >>> find_protocol("sr-y-4").shave
    4
    """
    if name not in PROTOCOLS:
        raise LimnerError(f"a protocol is one of {', '.join(PROTOCOLS)}, got {name!r}")
    return PROTOCOLS[name]


def scored_luminance(image: Image, *, gray: bool = False) -> Luminance:
    """The luminance that the tables compare: MATLAB's Y in [16, 235] / 255, of a gray picture in [0, 1].

    The authors' MATLAB code converts colour pictures alone; a gray one is its own luminance, in the full range.
    Scaled like the others, the one gray file of Set14 would raise the set's PSNR by 0.09 dB.

    Args:
        image: RGB in [0, 1].
        gray: Whether the original is a gray file. What has three equal channels in its file is a colour picture to
            those tables, and its enlargement by a colour model need not be gray exactly.
    """
    y = luminance(image)
    return (y * 255 - 16) / 219 if gray else y


def as_uint8(image: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """What is left of a picture in [0, 1] when it is stored in 8 bits: MATLAB's uint8() rounds half up and clips.

    >>> import torch
    >>> as_uint8(torch.tensor([-0.1, 0.5 / 255, 1.4 / 255])) * 255
    tensor([0., 1., 1.])
    """
    return (image * 255 + 0.5).floor().clamp(0, 255) / 255


def score(
    protocol: Protocol,
    result: Float[Tensor, "n c h w"],
    target: Float[Tensor, "n k H W"],
    scale: int,
    *,
    gray: bool = False,
) -> Score:
    """Compare an enlarged picture with its original.

    Args:
        protocol: How.
        result: RGB in [0, 1]; for a protocol on luminance also that alone, in the range of `scored_luminance`.
        target: The original, RGB or luminance likewise, as large as the result.
        scale: The enlargement, at least 1; sets the shave where the protocol says so.
        gray: Whether the original is a gray file (`scored_luminance`).

    Raises:
        LimnerError: If the pictures do not fit each other or the protocol, or too little of them is left by the shave.

    >>> import torch
    >>> picture = torch.rand(1, 3, 24, 24)
    >>> score(RGB, picture, picture, 2)
    Score(psnr=inf, ssim=1.0)
    """
    judged, original = (_compared(protocol, picture.double(), gray) for picture in (result, target))
    shave = scale if protocol.shave is None else protocol.shave
    height, width = original.shape[-2:]
    if judged.shape[-2:] != original.shape[-2:]:
        raise LimnerError(
            f"a result must be as large as its original, {height}x{width}, got {judged.shape[-2]}x{judged.shape[-1]}: "
            "the model did not enlarge as it should"
        )
    if min(height, width) <= 2 * shave:
        raise LimnerError(
            f"{protocol.name} shaves {shave} pixels off each side, got {height}x{width} pixels: take a larger picture"
        )
    judged, original = (x[..., shave : height - shave, shave : width - shave] for x in (judged, original))
    return Score(psnr(judged, original).mean().item(), ssim(judged, original).mean().item())


def _compared(protocol: Protocol, picture: Tensor, gray: bool) -> Tensor:
    """The channels of a picture that the protocol compares, rounded as it says."""
    channels = picture.shape[1]
    if channels == 1 and protocol.channels == "y":
        return as_uint8(picture)
    if channels != 3:
        wanted = "RGB or luminance" if protocol.channels == "y" else "RGB"
        raise LimnerError(f"the protocol {protocol.name} compares {wanted}, got a picture of {channels} channels")
    if protocol.rounded == "rgb":
        picture = as_uint8(picture)
    if protocol.channels == "y":
        picture = scored_luminance(picture, gray=gray)
    return as_uint8(picture) if protocol.rounded == "y" else picture
