"""Limner makes images from images: use, train and measure the image-to-image systems of the literature.

The public verbs are loaded when they are first asked for, so `import limner` costs next to nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from limner.errors import LimnerError, TrainingStopped
    from limner.measure.super_resolution import evaluate_super_resolution
    from limner.runtime.allocator import tune
    from limner.runtime.run_options import RunOptions
    from limner.training.check import check
    from limner.training.train import plan, train
    from limner.verbs.export import export
    from limner.verbs.generate import generate
    from limner.verbs.imagine import imagine
    from limner.verbs.import_model import import_model
    from limner.verbs.invert import invert
    from limner.verbs.learn_style import learn_style
    from limner.verbs.listing import Model, load, models, styles
    from limner.verbs.morph import morph
    from limner.verbs.pull import pull
    from limner.verbs.push import push
    from limner.verbs.redirect import redirect
    from limner.verbs.redirect_video import redirect_video
    from limner.verbs.restore import restore
    from limner.verbs.run import run
    from limner.verbs.segment.segment import segment
    from limner.verbs.segment.segment_video import segment_video
    from limner.verbs.shard import shard
    from limner.verbs.straighten import straighten
    from limner.verbs.stylize.style import Style
    from limner.verbs.stylize.stylize import stylize
    from limner.verbs.stylize.stylize_video import stylize_video
    from limner.verbs.texture import draw_texture, texture
    from limner.verbs.translate.translate import translate
    from limner.verbs.upscale.before_after import before_after
    from limner.verbs.upscale.upscale import Upscaler, upscale
    from limner.verbs.upscale.upscale_video import upscale_video

    __version__: str

_HOMES = {
    "LimnerError": "limner.errors",
    "Model": "limner.verbs.listing",
    "RunOptions": "limner.runtime.run_options",
    "Style": "limner.verbs.stylize.style",
    "TrainingStopped": "limner.errors",
    "Upscaler": "limner.verbs.upscale.upscale",
    "before_after": "limner.verbs.upscale.before_after",
    "check": "limner.training.check",
    "draw_texture": "limner.verbs.texture",
    "evaluate_super_resolution": "limner.measure.super_resolution",
    "export": "limner.verbs.export",
    "generate": "limner.verbs.generate",
    "imagine": "limner.verbs.imagine",
    "import_model": "limner.verbs.import_model",
    "invert": "limner.verbs.invert",
    "learn_style": "limner.verbs.learn_style",
    "load": "limner.verbs.listing",
    "models": "limner.verbs.listing",
    "morph": "limner.verbs.morph",
    "plan": "limner.training.train",
    "pull": "limner.verbs.pull",
    "push": "limner.verbs.push",
    "redirect": "limner.verbs.redirect",
    "redirect_video": "limner.verbs.redirect_video",
    "restore": "limner.verbs.restore",
    "run": "limner.verbs.run",
    "segment": "limner.verbs.segment.segment",
    "segment_video": "limner.verbs.segment.segment_video",
    "shard": "limner.verbs.shard",
    "straighten": "limner.verbs.straighten",
    "styles": "limner.verbs.listing",
    "stylize": "limner.verbs.stylize.stylize",
    "stylize_video": "limner.verbs.stylize.stylize_video",
    "texture": "limner.verbs.texture",
    "train": "limner.training.train",
    "translate": "limner.verbs.translate.translate",
    "tune": "limner.runtime.allocator",
    "upscale": "limner.verbs.upscale.upscale",
    "upscale_video": "limner.verbs.upscale.upscale_video",
}

__all__ = [
    "LimnerError",
    "Model",
    "RunOptions",
    "Style",
    "TrainingStopped",
    "Upscaler",
    "__version__",
    "before_after",
    "check",
    "draw_texture",
    "evaluate_super_resolution",
    "export",
    "generate",
    "imagine",
    "import_model",
    "invert",
    "learn_style",
    "load",
    "models",
    "morph",
    "plan",
    "pull",
    "push",
    "redirect",
    "redirect_video",
    "restore",
    "run",
    "segment",
    "segment_video",
    "shard",
    "straighten",
    "styles",
    "stylize",
    "stylize_video",
    "texture",
    "train",
    "translate",
    "tune",
    "upscale",
    "upscale_video",
]


def __getattr__(name: str) -> Any:
    """Load a public name from the module that defines it (PEP 562)."""
    if name == "__version__":
        value: Any = import_module("importlib.metadata").version("limner")
    elif name in _HOMES:
        value = getattr(import_module(_HOMES[name]), name)
    else:
        from limner.errors import did_you_mean

        mend = did_you_mean(name, __all__, "dir(limner) names what it has")
        raise AttributeError(f"module 'limner' has no attribute {name!r}: {mend}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """The public names alone."""
    return sorted(__all__)
