"""The systems that turn pictures of one kind into another."""

from limner.catalog.entry import Entry, Preset, Product
from limner.data.pairs import PairsConfig
from limner.data.unpaired import UnpairedConfig
from limner.systems.adversarial import cyclegan, pix2pix
from limner.tasks.translate import TRANSLATE

PIX2PIX = Entry(
    name="pix2pix",
    title="pix2pix",
    paper="Isola, Zhu, Zhou, Efros 2017, arXiv:1611.07004",
    tasks=(TRANSLATE,),
    system=pix2pix.Pix2Pix,
    presets={
        "modern": Preset(
            "half the channels, for 128 pixels, bf16",
            pix2pix.MODERN,
            pix2pix.FIT_MODERN,
            PairsConfig(resize=143, patch=128),
        ),
        "any-size": Preset(
            "the same with instance norm and resized pixels: large pictures in exact parts",
            pix2pix.ANY_SIZE,
            pix2pix.FIT_MODERN,
            PairsConfig(resize=143, patch=128),
        ),
        "paper": Preset("as published", pix2pix.PIX2PIX_2017, pix2pix.FIT_2017, PairsConfig()),
    },
    product=Product(("generator",), pix2pix.Generator),
    small=("base_channels=4", "discriminator_channels=4", "num_downs=4", "data.resize=36", "data.patch=32"),
)

CYCLEGAN = Entry(
    name="cyclegan",
    title="CycleGAN",
    paper="Zhu, Park, Isola, Efros 2017, arXiv:1703.10593",
    tasks=(TRANSLATE,),
    system=cyclegan.CycleGAN,
    presets={
        "modern": Preset(
            "half the channels, no checkerboard, for 128 pixels, bf16, EMA",
            cyclegan.MODERN,
            cyclegan.FIT_MODERN,
            UnpairedConfig(resize=143, patch=128),
        ),
        "paper": Preset("as published", cyclegan.CYCLEGAN_2017, cyclegan.FIT_2017, UnpairedConfig()),
        "released-code": Preset(
            "with the identity loss of the authors' code",
            cyclegan.CYCLEGAN_RELEASED_CODE,
            cyclegan.FIT_2017,
            UnpairedConfig(),
        ),
    },
    product=Product(("generator",), cyclegan.Generators),
    small=(
        "base_channels=4",
        "num_blocks=1",
        "discriminator_channels=4",
        "discriminator_layers=1",
        "data.resize=36",
        "data.patch=32",
    ),
)

ENTRIES = (PIX2PIX, CYCLEGAN)
