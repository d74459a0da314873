"""Image files to samples of 8 or 16 bits, by Pillow."""

from typing import Any, NamedTuple

import numpy as np
from PIL import Image
from PIL.ImageFile import ImageFile
from PIL.TiffImagePlugin import TiffImageFile

from limner.files.colour import Coding, Meaning, meaning_of
from limner.files.deep import decode_deep, decode_gray
from limner.files.header import COLOR_MAP, ImageBytes, UnreadableError, bit_depth, notes_of, own_bit_depth, rawmode_of
from limner.files.picture import Samples
from limner.files.profile import srgb_profile, to_srgb
from limner.files.unended_jpeg import load_unended


class Decoded(NamedTuple):
    """Samples as they lie in the file, not yet upright, in the shapes of `Picture`, with what they mean."""

    pixels: Samples
    alpha: Samples | None
    icc_profile: bytes | None
    coding: Coding | None = None
    notes: tuple[str, ...] = ()


def decode(file: ImageBytes, image: ImageFile) -> Decoded:
    """Decode the first frame of `image`, which `open_image` made from `file`.

    Raises:
        UnreadableError: The samples are of a kind that whole numbers of 8 or 16 bits cannot hold.
    """
    rawmode, key, depth, own_depth = (
        rawmode_of(image), image.info.get("transparency"), bit_depth(image), own_bit_depth(image),
    )  # fmt: skip
    notes = notes_of(image)
    if own_depth > depth:
        notes += (f"its {own_depth} bits are read as {depth}",)
    if depth == 16:
        pixels, alpha = _split(decode_deep(file, image))
        meaning = meaning_of(image, pixels.shape[2])
    else:
        image, more = _loaded(file, image)
        notes += more
        pixels, alpha, meaning = _decode_inks(image) if image.mode == "CMYK" else _decode_plain(image)
    if alpha is None and key is not None and image.mode != "P":
        alpha = _alpha_from_key(pixels, key, rawmode)
    return Decoded(pixels, alpha, meaning.icc_profile, meaning.coding, (*notes, *meaning.notes))


def decode_loaded(image: Image.Image) -> Decoded:
    """The same of an image whose pixels Pillow has decoded already, or that never was a file.

    Raises:
        UnreadableError: As for `decode`.
    """
    key, notes = image.info.get("transparency"), notes_of(image)
    if image.mode.startswith("I;16"):
        pixels, alpha = _split(decode_gray(image))
        meaning = meaning_of(image, 1)
    elif image.mode == "CMYK":
        pixels, alpha, meaning = _decode_inks(image)
    else:  # a copy, for a key is taken out of it; HSV is in no file
        pixels, alpha = _split(np.array(_plain(image.convert("RGB") if image.mode == "HSV" else image.copy())))
        meaning = meaning_of(image, pixels.shape[2])
    if alpha is None and key is not None and image.mode != "P":
        alpha = _alpha_from_key(pixels, key, image.mode)
    return Decoded(pixels, alpha, meaning.icc_profile, meaning.coding, (*notes, *meaning.notes))


def _loaded(file: ImageBytes, image: ImageFile) -> tuple[ImageFile, tuple[str, ...]]:
    """The image with its pixels; of a JPEG that lacks nothing but its end too."""
    if isinstance(image, TiffImageFile) and image.mode == "P" and max(image.tag_v2.get(COLOR_MAP, (256,))) < 256:
        # TIFF 6.0 has 16 bits in its map, but writers that put 8 there are old and many
        colors = image.tag_v2[COLOR_MAP]
        image.load()
        image.putpalette(np.reshape(colors, (3, -1)).T.astype(np.uint8).tobytes())
        return image, ()
    try:
        image.load()
    except OSError:
        whole = load_unended(file) if image.format == "JPEG" else None
        if whole is None:
            raise
        return whole, ("it ends without the end of a JPEG, and all its pixels are there",)
    return image, ()


def _decode_plain(image: ImageFile) -> tuple[Samples, Samples | None, Meaning]:
    pixels, alpha = _split(np.array(_plain(image)))
    return pixels, alpha, meaning_of(image, pixels.shape[2])


def _plain(image: Image.Image) -> Image.Image:
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


def _decode_inks(image: Image.Image) -> tuple[Samples, None, Meaning]:
    converted = to_srgb(image, image.info.get("icc_profile"), "CMYK")
    if converted is None:
        return np.array(image.convert("RGB")), None, Meaning(None)
    return np.array(converted), None, Meaning(srgb_profile())


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
