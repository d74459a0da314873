"""Low resolution as photos really come: blurred, resized, noisy and compressed, at random.

After Wang, Xie, Dong, Shan, "Real-ESRGAN", 2021, arXiv:2107.10833 (section 3.1, the classical model) and Zhang, Liang,
Van Gool, Timofte, "Designing a practical degradation model", 2021, arXiv:2103.14006 (BSRGAN).
Differs from the papers: every fault comes at most once, in the order blur, resize, noise, JPEG; blur is isotropic;
noise is of single pixels; ranges are narrower, as of photos that people keep.
"""

import io
import math

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image as PillowImage
from pydantic import Field
from torch import Tensor

from limner.config import Config
from limner.ops.resample import Kernel, imresize

_KERNELS: tuple[Kernel, ...] = ("bicubic", "bilinear", "area")
_LEAST_BLUR = 0.1  # standard deviations below do nothing to pixels


class PhotoFaults(Config):
    """How often each fault comes, in shares of all pictures, and how strong it may be."""

    faulty: float = Field(0.9, ge=0, le=1, description="share with any fault; the others are shrunk bicubically")
    blurred: float = Field(0.6, ge=0, le=1)
    blur: float = Field(1.0, ge=0, description="largest standard deviation, in pixels of the low resolution")
    resized: float = Field(0.2, ge=0, le=1, description="share that has been smaller and was enlarged again")
    least_size: float = Field(0.6, gt=0, le=1, description="how small it may have been, of its sides")
    noisy: float = Field(0.6, ge=0, le=1)
    noise: float = Field(12.0, ge=0, description="largest standard deviation, at white if Poisson's, in levels of 255")
    compressed: float = Field(0.75, ge=0, le=1)
    quality: tuple[int, int] = Field((30, 95), description="of JPEG, the least and the best")


PHOTO_FAULTS = PhotoFaults()
"""What `edsr`'s preset `photo` learns to mend, and the protocol `photo` measures."""


def with_faults(
    image: Float[Tensor, "3 h w"], scale: int, faults: PhotoFaults, rng: torch.Generator
) -> Float[Tensor, "3 H W"]:
    """Shrink a picture, and let happen to it what happens to photos.

    Args:
        image: RGB in [0, 1], its sides multiples of `scale`.
        scale: How many times smaller the result is, a whole number.
        faults: What may happen.
        rng: Every random choice comes from it, and so the same seed gives the same picture.

    Returns:
        RGB in [0, 1], of 8 bits.

    >>> image = torch.rand(3, 32, 32)
    >>> once, again = (with_faults(image, 2, PHOTO_FAULTS, torch.Generator().manual_seed(1)) for _ in range(2))
    >>> once.shape, torch.equal(once, again)
    (torch.Size([3, 16, 16]), True)
    """
    draw = _Draw(rng)
    size = (image.shape[-2] // scale, image.shape[-1] // scale)
    if not draw.happens(faults.faulty):
        return _eight_bits(imresize(image, size=size))
    if draw.happens(faults.blurred):
        image = _blurred(image, scale * draw.between(0, faults.blur))
    if draw.happens(faults.resized):
        small = draw.between(faults.least_size, 1)
        image = imresize(image, size=(max(1, round(small * size[0])), max(1, round(small * size[1]))))
    image = imresize(image, size=size, kernel=_KERNELS[draw.below(len(_KERNELS))])
    if draw.happens(faults.noisy):
        image = _noisy(image, draw.between(0, faults.noise) / 255, draw)
    image = _eight_bits(image)
    return _compressed(image, faults.quality, draw) if draw.happens(faults.compressed) else image


class _Draw:
    """Random numbers of plain Python from a generator of torch."""

    def __init__(self, rng: torch.Generator) -> None:
        self.rng = rng

    def between(self, low: float, high: float) -> float:
        return low + (high - low) * float(torch.rand((), generator=self.rng))

    def below(self, limit: int) -> int:
        return int(torch.randint(limit, (), generator=self.rng))

    def happens(self, share: float) -> bool:
        return self.between(0, 1) < share


def _blurred(image: Tensor, deviation: float) -> Tensor:
    if deviation < _LEAST_BLUR:
        return image
    from kornia.filters import gaussian_blur2d  # imported here: kornia takes a while

    side = 2 * math.ceil(3 * deviation) + 1  # beyond three deviations nothing is left
    return gaussian_blur2d(image[None], side, (deviation, deviation), border_type="replicate")[0]


def _noisy(image: Tensor, deviation: float, draw: _Draw) -> Tensor:
    """Noise of a sensor's electronics (Gaussian), of colour or gray, or of light itself (Poisson)."""
    kind = draw.below(3)
    if kind == 2:
        photons = 1 / max(deviation, 1e-3) ** 2  # of white: their number varies by its square root
        return torch.poisson(image.clamp(0, 1) * photons, generator=draw.rng) / photons
    shape = image.shape if kind == 1 else image.shape[-2:]
    return image + deviation * torch.randn(shape, generator=draw.rng)


def _compressed(image: Tensor, quality: tuple[int, int], draw: _Draw) -> Tensor:
    """Through a JPEG file, with its colours as fine as its luminance or half so, as cameras and editors write them."""
    array = (image * 255).to(torch.uint8).permute(1, 2, 0).contiguous().numpy()
    chosen = quality[0] + draw.below(quality[1] - quality[0] + 1)
    file = io.BytesIO()
    PillowImage.fromarray(array).save(file, "JPEG", quality=chosen, subsampling=("4:4:4", "4:2:0")[draw.below(2)])
    with PillowImage.open(file) as stored:
        pixels = torch.from_numpy(np.array(stored))
    return pixels.permute(2, 0, 1).float() / 255


def _eight_bits(image: Tensor) -> Tensor:
    return (image.clamp(0, 1) * 255).round() / 255
