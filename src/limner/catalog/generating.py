"""The systems that make pictures from chance."""

from limner.catalog.entry import Entry, Preset, Product
from limner.data.labelled import LabelledConfig
from limner.systems.adversarial import conditional_gan
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

ENTRIES = (CONDITIONAL_GAN,)
