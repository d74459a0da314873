"""The systems that make pictures from chance, or of what they know."""

from limner.catalog.entry import Entry, Preset, Product
from limner.data.labelled import LabelledConfig
from limner.data.rendered import RenderedConfig
from limner.errors import LimnerError
from limner.systems.adversarial import conditional_gan
from limner.systems.feedforward import chairs
from limner.tasks.generate import GENERATE

_DIGITS = LabelledConfig(side=28)

CONDITIONAL_GAN = Entry(
    name="conditional-gan",
    title="Conditional GAN",
    paper="Mirza, Osindero 2014, arXiv:1411.1784",
    tasks=(GENERATE,),
    system=conditional_gan.ConditionalGAN,
    presets={
        "modern": Preset(
            "the paper's networks, less dropout, Adam, EMA", conditional_gan.MODERN, conditional_gan.FIT_MODERN, _DIGITS
        ),
        "paper": Preset(
            "as published: SGD, dropout of a half",
            conditional_gan.CONDITIONAL_GAN_2014,
            conditional_gan.FIT_2014,
            _DIGITS,
        ),
    },
    product=Product(("generator",), conditional_gan.Generator),
    small=(
        "side=8",
        "data.side=8",
        "joint_units=32",
        "class_units=16",
        "latent_units=16",
        "dropout=0",
        "fit.optimizer.learning_rate=0.01",
    ),
)


def _check_sides(config: chairs.ChairsConfig, data: RenderedConfig) -> None:
    if config.side != data.side:
        raise LimnerError(
            f"this network makes pictures of {config.side} pixels, got data of {data.side}: pass --set "
            f"data.side={config.side}, or another number of picture_channels"
        )


CHAIRS = Entry(
    name="chairs",
    title="Chairs",
    paper="Dosovitskiy, Springenberg, Brox 2015, arXiv:1411.5928",
    tasks=(GENERATE,),
    system=chairs.Chairs,
    presets={
        "modern": Preset(
            "one stream of fewer units for 64 pixels, bf16, EMA",
            chairs.MODERN,
            chairs.FIT_MODERN,
            RenderedConfig(transformed=0.3),
        ),
        "paper": Preset(
            "two streams for 128 pixels", chairs.CHAIRS_2015, chairs.FIT_2015, RenderedConfig(side=128, transformed=1.0)
        ),
        "paper-64": Preset(
            "two streams for 64 pixels", chairs.CHAIRS_64, chairs.FIT_2015, RenderedConfig(transformed=1.0)
        ),
        "one-stream": Preset(
            "picture and mask by one stream",
            chairs.ONE_STREAM,
            chairs.FIT_2015,
            RenderedConfig(side=128, transformed=1.0),
        ),
        "one-stream-deep": Preset(
            "a convolution more after each doubling",
            chairs.ONE_STREAM_DEEP,
            chairs.FIT_2015,
            RenderedConfig(side=128, transformed=1.0),
        ),
    },
    check=_check_sides,
    small=(
        "num_classes=2",
        "units=16",
        "joint_units=16",
        "picture_channels=[8]",
        "mask_channels=[4]",
        "data.side=16",
        "data.transformed=1",
        "fit.optimizer.learning_rate=0.005",
    ),
)

ENTRIES = (CONDITIONAL_GAN, CHAIRS)
