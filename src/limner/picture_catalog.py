"""Every system that optimises one picture: its paper and what it is for.

They stand apart from the trained ones, so that a command that runs one of those need not load these.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from limner.config import Config
from limner.systems.optimize import activation, deep_image_prior, inversion, style, texture, video_style


@dataclass(frozen=True)
class PictureEntry:
    """A system that optimises one picture: it has nothing to train, and works at once."""

    name: str
    title: str
    paper: str
    verbs: tuple[str, ...]
    config: type[Config]
    presets: Mapping[str, str]
    """What each is, by name; the first is the default."""


_OURS = "from the photo, coarse to fine, Adam, bf16"

PICTURE_ENTRIES = (
    PictureEntry(
        name="texture",
        title="Texture synthesis",
        paper="Gatys, Ecker, Bethge 2015, arXiv:1505.07376",
        verbs=("texture",),
        config=texture.TextureConfig,
        presets={"modern": "coarse to fine, Adam, bf16", "quick": "fewer steps", "paper": "as published: L-BFGS"},
    ),
    PictureEntry(
        name="style",
        title="Neural style transfer",
        paper="Gatys, Ecker, Bethge 2016, arXiv:1508.06576",
        verbs=("stylize",),
        config=style.StyleConfig,
        presets={"modern": _OURS, "quick": "fewer steps", "paper": "as published: L-BFGS from noise"},
    ),
    PictureEntry(
        name="video_style",
        title="Style transfer for videos",
        paper="Ruder, Dosovitskiy, Brox 2016, arXiv:1604.08610",
        verbs=("stylize-video",),
        config=video_style.VideoStyleConfig,
        presets={
            "modern": "few steps a frame",
            "quick": "fewer still",
            "paper": "as published: until nothing is gained",
        },
    ),
    PictureEntry(
        name="inversion",
        title="Feature inversion",
        paper="Mahendran, Vedaldi 2015, arXiv:1412.0035",
        verbs=("invert",),
        config=inversion.InversionConfig,
        presets={"tv": "total variation as prior", "dip": "a network as prior"},
    ),
    PictureEntry(
        name="activation",
        title="Activation maximisation",
        paper="Simonyan, Vedaldi, Zisserman 2013, arXiv:1312.6034",
        verbs=("imagine",),
        config=activation.ActivationConfig,
        presets={
            "fourier": "a spectrum with decorrelated colours",
            "tv": "pixels under total variation",
            "dip": "a network as prior",
        },
    ),
    PictureEntry(
        name="deep_image_prior",
        title="Deep image prior",
        paper="Ulyanov, Vedaldi, Lempitsky 2018, arXiv:1711.10925",
        verbs=("restore denoise", "restore inpaint", "restore upscale"),
        config=deep_image_prior.DeepImagePriorConfig,
        presets={
            "modern": "a seventh of the work, stops by itself",
            "quick": "fewer steps",
            "paper": "as published",
        },
    ),
)
