"""The systems that tell what each pixel belongs to."""

import itertools

from limner.catalog.entry import Entry, Preset
from limner.data.segmented import SegmentedConfig
from limner.errors import LimnerError
from limner.systems.segmentation import hourglass, unet
from limner.tasks.segment import SEGMENT


def _patch_fits(config: unet.UNetConfig, data: SegmentedConfig) -> None:
    side = unet.side_after(data.patch, config)
    if side is None:
        larger = next(side for side in itertools.count(data.patch) if unet.side_after(side, config))
        taken = ", after what valid convolutions take" if config.valid else ""
        raise LimnerError(
            f"data.patch must halve {config.depth} times without a rest{taken}, got {data.patch}: take {larger}"
        )


UNET = Entry(
    name="unet",
    title="U-Net",
    paper="Ronneberger, Fischer, Brox 2015, arXiv:1505.04597",
    tasks=(SEGMENT,),
    system=unet.UNet,
    presets={
        "modern": Preset(
            "a sixteenth of the weights, same size out as in, batch norm, bf16",
            unet.MODERN,
            unet.FIT_MODERN,
            SegmentedConfig(),
        ),
        "paper": Preset(
            "as published",
            unet.UNET_2015,
            unet.FIT_2015,
            SegmentedConfig(patch=572, class_weights=True, border_weight=10),
        ),
    },
    made_anew=("last",),
    check=_patch_fits,
    small=("channels=4", "depth=2", "data.patch=60", "fit.optimizer.learning_rate=0.01"),
)


def _halves(config: hourglass.HourglassNetConfig, data: SegmentedConfig) -> None:
    multiple = 2**config.depth
    if data.patch % multiple:
        larger = -(-data.patch // multiple) * multiple
        raise LimnerError(f"data.patch must be a multiple of {multiple}, got {data.patch}: take {larger}")


HOURGLASS = Entry(
    name="hourglass",
    title="Hourglass network",
    paper="Noh, Hong, Han 2015, arXiv:1505.04366",
    tasks=(SEGMENT,),
    system=hourglass.HourglassNet,
    presets={
        "skips": Preset(
            "pools and max unpooling, and copies beside them",
            hourglass.HOURGLASS_SKIPS,
            hourglass.FIT,
            SegmentedConfig(),
        ),
        "hourglass": Preset("pools and max unpooling alone", hourglass.HOURGLASS, hourglass.FIT, SegmentedConfig()),
        "same-resolution": Preset("no pools", hourglass.SAME_RESOLUTION, hourglass.FIT, SegmentedConfig()),
        "resnet": Preset(
            "an encoder of residual blocks, and copies", hourglass.HOURGLASS_RESNET, hourglass.FIT, SegmentedConfig()
        ),
    },
    made_anew=("last",),
    check=_halves,
    small=("channels=8", "depth=2", "data.patch=32", "fit.optimizer.learning_rate=0.02"),
)

ENTRIES = (UNET, HOURGLASS)
"""What the catalog says of a system."""
