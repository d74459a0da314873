"""What the numbers of a picture mean as colour where no ICC profile says it.

PNG says it by gAMA, cHRM, sRGB and cICP (W3C, Portable Network Graphics, third edition, section 4.3: the first of cICP,
iCCP, sRGB, and cHRM with gAMA counts); AVIF and HEIC by nclx. What a profile can say becomes one, so that every format
that holds profiles keeps it. PQ and HLG need more than a profile: their numbers stay as they are, with their coding.
"""

from typing import Any, NamedTuple

from PIL import Image

from limner.files.matrix_profile import gamma_curve, matrix_profile, srgb_curve
from limner.files.profile import space_of

CODING = "coding"
"""Where `ImageFile.info` keeps the four bytes that number colour: primaries, transfer, matrix, range."""

_SRGB_XY = (0.3127, 0.3290, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06)
_PRIMARIES = {
    1: _SRGB_XY,
    4: (0.310, 0.316, 0.67, 0.33, 0.21, 0.71, 0.14, 0.08),
    5: (0.3127, 0.3290, 0.64, 0.33, 0.29, 0.60, 0.15, 0.06),
    6: (0.3127, 0.3290, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070),
    7: (0.3127, 0.3290, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070),
    9: (0.3127, 0.3290, 0.708, 0.292, 0.170, 0.797, 0.131, 0.046),
    11: (0.314, 0.351, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
    12: (0.3127, 0.3290, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
    22: (0.3127, 0.3290, 0.630, 0.340, 0.295, 0.605, 0.155, 0.077),
}
"""White, red, green and blue, x and y each, as ITU-T H.273, table 2, numbers them."""

_LIKE_SRGB = (1, 6, 13, 14, 15)  # cameras' curves, which viewers of stills show as sRGB's (H.273, table 3)
_GAMMAS = {4: 2.2, 5: 2.8, 8: 1.0}
_HDR = {16: "PQ", 18: "HLG"}
_UNSPECIFIED = 2


class Coding(NamedTuple):
    """A colour coding of high dynamic range, which no profile of Limner's says.

    Attributes:
        primaries: As ITU-T H.273, table 2, numbers them: 9 is BT.2020.
        transfer: As table 3 numbers it: 16 is PQ, 18 is HLG.
    """

    primaries: int
    transfer: int

    @property
    def name(self) -> str:
        """`PQ` or `HLG`."""
        return _HDR[self.transfer]


class Meaning(NamedTuple):
    """What the numbers of a picture mean.

    Attributes:
        icc_profile: None is sRGB, if there is no coding.
        coding: Of high dynamic range.
        notes: What of it is not kept.
    """

    icc_profile: bytes | None
    coding: Coding | None = None
    notes: tuple[str, ...] = ()


def meaning_of(image: Image.Image, num_channels: int) -> Meaning:
    """What a file says of the colour of its pixels, once they are decoded to 1 or 3 channels."""
    coding, profile = image.info.get(CODING), image.info.get("icc_profile")
    is_png = image.format in ("PNG", None)  # what Pillow makes of a file forgets its format, and gAMA is of PNG alone
    if isinstance(coding, bytes) and (
        is_png or not profile
    ):  # a profile beside nclx counts (ISO/IEC 23000-22, 7.3.6.4)
        meaning = _of_coding(coding, num_channels, is_png=is_png)
        if meaning is not None:
            return meaning
    if isinstance(profile, bytes) and profile:
        return _of_profile(profile, num_channels)
    return _of_png(image.info, num_channels) if is_png and "srgb" not in image.info else Meaning(None)


def _of_profile(profile: bytes, num_channels: int) -> Meaning:
    """A profile of inks has done its work when they are decoded; others must be of the channels that there are."""
    space, fitting = space_of(profile), "GRAY" if num_channels == 1 else "RGB"
    if space in (fitting, "CMYK") or profile[36:40] != b"acsp":
        return Meaning(None if space == "CMYK" else profile)
    pixels = {"GRAY": "gray", "RGB": "colour"}
    words = f"its colour profile is of {pixels.get(space, space)}, and its pixels are {pixels[fitting]}"
    return Meaning(None, notes=(f"{words}: the profile is left out",))


def _of_coding(coding: bytes, num_channels: int, *, is_png: bool) -> Meaning | None:
    """None where the coding leaves it open."""
    primaries, transfer, _, full_range = coding
    notes: tuple[str, ...] = ()
    if is_png and not full_range:
        notes = ("its numbers are of video range, and are read as if they were of full range",)
    if transfer in _HDR:
        return Meaning(None, Coding(primaries, transfer), notes)
    if transfer == _UNSPECIFIED and primaries == _UNSPECIFIED:
        return None
    white_and_primaries = _PRIMARIES.get(1 if primaries == _UNSPECIFIED else primaries)
    if white_and_primaries is None or transfer not in (*_LIKE_SRGB, *_GAMMAS, _UNSPECIFIED):
        words = f"its colours are coded as {primaries}/{transfer} of ITU-T H.273, which Limner does not know"
        return Meaning(None, notes=(*notes, f"{words}: they are taken as sRGB"))
    gamma = _GAMMAS.get(transfer)
    return Meaning(_profile(white_and_primaries, gamma, num_channels), notes=notes)


def _of_png(info: dict[Any, Any], num_channels: int) -> Meaning:
    """By gAMA and cHRM."""
    gamma, chromaticity = info.get("gamma"), info.get("chromaticity")
    exponent = 1 / gamma if isinstance(gamma, float) and 0.1 <= gamma <= 10 else None
    if exponent is not None and 2.1 < exponent < 2.3 and (chromaticity is None or _is_srgb(chromaticity)):
        return Meaning(None)  # so encoders say sRGB, whose curve is no power
    try:
        return Meaning(_profile(chromaticity or _SRGB_XY, exponent, num_channels))
    except ValueError:
        return Meaning(None, notes=("its primaries (cHRM) are of no colour space, and are taken as sRGB's",))


def _profile(white_and_primaries: tuple[float, ...], gamma: float | None, num_channels: int) -> bytes | None:
    """A profile, or None for what is sRGB; None as gamma is the curve of sRGB."""
    if gamma is None and (_is_srgb(white_and_primaries) or num_channels == 1):
        return None
    curve = srgb_curve() if gamma is None else gamma_curve(gamma)
    return matrix_profile(white_and_primaries, curve, is_gray=num_channels == 1)


def _is_srgb(white_and_primaries: tuple[float, ...]) -> bool:
    return all(abs(here - there) < 0.005 for here, there in zip(white_and_primaries, _SRGB_XY, strict=True))
