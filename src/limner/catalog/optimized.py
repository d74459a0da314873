"""The systems that optimise one picture.

They stand apart from the trained ones, so that a command that runs one of those need not load these.
"""

from typing import Any

from limner.catalog.entry import PictureEntry, PicturePreset
from limner.systems.optimize import activation, deep_image_prior, style, texture, video_style
from limner.systems.optimize.inversion import inversion_of
from limner.tasks.look_inside import IMAGINE, INVERT
from limner.tasks.restore import DENOISE, ENLARGE_BY_PRIOR, INPAINT
from limner.tasks.stylize import STYLIZE, STYLIZE_VIDEO
from limner.tasks.texture import TEXTURE

TEXTURE_SYNTHESIS = PictureEntry(
    name="texture",
    title="Texture synthesis",
    paper="Gatys, Ecker, Bethge 2015, arXiv:1505.07376",
    presets_by_task={
        TEXTURE: {
            "modern": PicturePreset("coarse to fine, Adam, bf16", texture.TEXTURE_MODERN),
            "quick": PicturePreset("fewer steps", texture.TEXTURE_QUICK),
            "paper": PicturePreset("as published: L-BFGS", texture.TEXTURE_GATYS_2015),
        }
    },
)

STYLE_TRANSFER = PictureEntry(
    name="style",
    title="Neural style transfer",
    paper="Gatys, Ecker, Bethge 2016, arXiv:1508.06576",
    presets_by_task={
        STYLIZE: {
            "modern": PicturePreset("from the photo, coarse to fine, Adam, bf16", style.STYLE_MODERN),
            "quick": PicturePreset("fewer steps", style.STYLE_QUICK),
            "paper": PicturePreset("as published: L-BFGS from noise", style.STYLE_GATYS_2016),
            "released": PicturePreset("the authors' code: L-BFGS from the photo", style.STYLE_GATYS_RELEASED_CODE),
        }
    },
)

VIDEO_STYLE_TRANSFER = PictureEntry(
    name="video_style",
    title="Style transfer for videos",
    paper="Ruder, Dosovitskiy, Brox 2016, arXiv:1604.08610",
    presets_by_task={
        STYLIZE_VIDEO: {
            "modern": PicturePreset("few steps a frame", video_style.VIDEO_STYLE_MODERN),
            "quick": PicturePreset("fewer still", video_style.VIDEO_STYLE_QUICK),
            "paper": PicturePreset("as published: until nothing is gained", video_style.VIDEO_STYLE_RUDER_2016),
        }
    },
)

FEATURE_INVERSION = PictureEntry(
    name="inversion",
    title="Feature inversion",
    paper="Mahendran, Vedaldi 2015, arXiv:1412.0035",
    presets_by_task={
        INVERT: {
            "tv": PicturePreset("total variation as prior", inversion_of("relu4_1", prior="tv")),
            "dip": PicturePreset("a network as prior", inversion_of("relu4_1", prior="dip")),
        }
    },
)

ACTIVATION_MAXIMISATION = PictureEntry(
    name="activation",
    title="Activation maximisation",
    paper="Simonyan, Vedaldi, Zisserman 2013, arXiv:1312.6034",
    presets_by_task={
        IMAGINE: {
            "fourier": PicturePreset("a spectrum with decorrelated colours", activation.PRESETS["fourier"]),
            "tv": PicturePreset("pixels under total variation", activation.PRESETS["tv"]),
            "dip": PicturePreset("a network as prior", activation.PRESETS["dip"]),
        }
    },
)

_OURS = "a seventh of the work, stops by itself"

DEEP_IMAGE_PRIOR = PictureEntry(
    name="deep_image_prior",
    title="Deep image prior",
    paper="Ulyanov, Vedaldi, Lempitsky 2018, arXiv:1711.10925",
    presets_by_task={
        DENOISE: {
            "modern": PicturePreset(_OURS, deep_image_prior.DENOISE),
            "quick": PicturePreset("fewer steps", deep_image_prior.QUICK),
            "paper": PicturePreset("as published", deep_image_prior.DENOISE_2018),
            "code": PicturePreset("the authors' code: more steps", deep_image_prior.DENOISE_RELEASED_CODE),
            "jpeg": PicturePreset("the authors' for JPEG artefacts", deep_image_prior.DEBLOCK),
        },
        INPAINT: {
            "modern": PicturePreset(_OURS, deep_image_prior.INPAINT),
            "quick": PicturePreset("fewer steps", deep_image_prior.QUICK),
            "text": PicturePreset("the authors' for text over a photo", deep_image_prior.INPAINT_TEXT),
            "hole": PicturePreset("the authors' for a large hole", deep_image_prior.INPAINT_HOLE),
            "region": PicturePreset("the authors' for a region", deep_image_prior.INPAINT_REGION),
            "half": PicturePreset("the authors' for every other pixel missing", deep_image_prior.INPAINT_HALF),
            "sparse": PicturePreset(
                "the authors' for all but two pixels in a hundred missing", deep_image_prior.INPAINT_SPARSE
            ),
        },
        ENLARGE_BY_PRIOR: {
            "modern": PicturePreset(_OURS, deep_image_prior.UPSCALE),
            "quick": PicturePreset("fewer steps", deep_image_prior.QUICK_UPSCALE),
            "paper": PicturePreset("as published", deep_image_prior.UPSCALE_X4),
        },
    },
)

PICTURE_ENTRIES: tuple[PictureEntry[Any], ...] = (
    TEXTURE_SYNTHESIS,
    STYLE_TRANSFER,
    VIDEO_STYLE_TRANSFER,
    FEATURE_INVERSION,
    ACTIVATION_MAXIMISATION,
    DEEP_IMAGE_PRIOR,
)
