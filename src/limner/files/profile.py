"""ICC colour profiles: inks and grays to sRGB."""

import io
from functools import cache

from PIL import Image, ImageCms


@cache
def srgb_profile() -> bytes:
    """An ICC profile that says sRGB."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def space_of(profile: bytes | None) -> str:
    """The colour space that a profile describes, for instance RGB, GRAY or CMYK (ICC.1:2022, section 7.2.8)."""
    return profile[16:20].decode("latin-1").strip() if profile else ""


def to_srgb(image: Image.Image, profile: bytes | None, space: str) -> Image.Image | None:
    """The image in sRGB by its own profile, or None where that is missing, broken or not of colour space `space`."""
    if not profile or space_of(profile) != space:
        return None
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        return ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None
