"""Image files to samples of 8 or 16 bits, by Pillow."""

from typing import IO, Any, NamedTuple

import numpy as np
from PIL import Image
from PIL.ImageFile import ImageFile

from limner.files.deep import decode_deep
from limner.files.header import UnreadableError, bit_depth, rawmode_of
from limner.files.picture import Samples
from limner.files.profile import space_of, srgb_profile, to_srgb


class Decoded(NamedTuple):
    """Samples as they lie in the file, not yet upright, in the shapes of `Picture`."""

    pixels: Samples
    alpha: Samples | None
    icc_profile: bytes | None


def decode(file: IO[bytes], image: ImageFile) -> Decoded:
    """Decode the first frame of `image`, which `open_image` made from `file`.

    Raises:
        UnreadableError: The samples are of a kind that whole numbers of 8 or 16 bits cannot hold.
    """
    profile = image.info.get("icc_profile")
    profile = profile if isinstance(profile, bytes) and profile else None
    rawmode, key = rawmode_of(image), image.info.get("transparency")
    if bit_depth(image) == 16:
        samples = decode_deep(file, image)
    else:
        image.load()
        if image.mode == "CMYK":
            return _decode_cmyk(image, profile)
        samples = np.array(_plain(image))
    pixels, alpha = _split(samples)
    if alpha is None and key is not None and image.mode != "P":
        alpha = _alpha_from_key(pixels, key, rawmode)
    return Decoded(pixels, alpha, None if space_of(profile) == "CMYK" else profile)


def _plain(image: ImageFile) -> Image.Image:
    """The same samples in one of the modes L, LA, RGB and RGBA."""
    mode = image.mode
    if mode == "P":
        has_alpha = "transparency" in image.info or (image.palette is not None and image.palette.mode == "RGBA")
        return image.convert("RGBA" if has_alpha else "RGB")
    target = {"1": "L", "La": "LA", "PA": "RGBA", "RGBa": "RGBA", "RGBX": "RGB", "YCbCr": "RGB"}.get(mode, mode)
    if target not in ("L", "LA", "RGB", "RGBA"):
        words = {"F": "floating-point", "I": "signed or 32-bit"}.get(mode, mode)
        raise UnreadableError(f"holds {words} samples: save it with 8 or 16 bits per sample")
    image.info.pop("transparency", None)  # Pillow would apply a key in the wrong bit depth
    return image if target == mode else image.convert(target)


def _decode_cmyk(image: ImageFile, profile: bytes | None) -> Decoded:
    converted = to_srgb(image, profile, "CMYK")
    if converted is None:
        return Decoded(np.array(image.convert("RGB")), None, None)
    return Decoded(np.array(converted), None, srgb_profile())


def _split(samples: Samples) -> tuple[Samples, Samples | None]:
    if samples.ndim == 2:
        return samples[..., None], None
    if samples.shape[2] == 3:
        return samples, None
    return samples[..., :-1].copy(), samples[..., -1].copy()


def _alpha_from_key(pixels: Samples, key: Any, rawmode: str) -> Samples:
    """Transparent where a pixel is exactly the PNG's key colour, which is given in the file's own bit depth."""
    scale = {"L;2": 85, "L;4": 17}.get(rawmode, 1)
    value = 255 * bool(key) if rawmode == "1" else np.asarray(key, dtype=np.int64) * scale
    is_key = (pixels == value).all(axis=2)
    return np.where(is_key, 0, np.iinfo(pixels.dtype).max).astype(pixels.dtype)
