"""The systems that turn pictures of one kind into another."""

from limner.catalog.entry import Entry, Part, Preset, Product
from limner.data.label_maps import LabelMapsConfig
from limner.data.pairs import PairsConfig
from limner.data.unpaired import UnpairedConfig
from limner.errors import LimnerError
from limner.systems.adversarial import cyclegan, pix2pix, spade
from limner.systems.feedforward import crn
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
        "normal-noise": Preset(
            "normal noise beside the picture instead of dropout", pix2pix.GAUSSIAN, pix2pix.FIT_2017, PairsConfig()
        ),
    },
    product=Product(("generator",), pix2pix.Generator),
    parts={
        "discriminator": Part(
            pix2pix.Discriminator, ("discriminator_channels", "discriminator_layers", "norm", "conditional")
        )
    },
    small=("base_channels=4", "discriminator_channels=4", "num_downs=4", "data.resize=36", "data.patch=32"),
    check=lambda config, data: _check_patch(2**config.num_downs, data),
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
    parts={
        "discriminator": Part(
            cyclegan.Discriminators,
            ("discriminator", "discriminator_channels", "discriminator_layers", "discriminator_norm"),
        )
    },
    small=(
        "base_channels=4",
        "num_blocks=1",
        "discriminator_channels=4",
        "discriminator_layers=1",
        "data.resize=36",
        "data.patch=32",
    ),
)


def _check_sides(factor: int, data: LabelMapsConfig) -> None:
    """Refuse samples whose sides a network cannot halve as often as it doubles them."""
    for name, side in (("height", data.height), ("width", data.width)):
        if side % factor or side < 2 * factor:
            raise LimnerError(
                f"sides of samples must be multiples of {factor}, at least {2 * factor}, got a {name} of {side}: pass "
                f"--set data.{name}={max(2 * factor, round(side / factor) * factor)}"
            )


def _check_patch(factor: int, data: PairsConfig) -> None:
    """Refuse crops whose sides a network cannot halve as often as it doubles them."""
    if data.patch % factor:
        mend = max(factor, round(data.patch / factor) * factor)
        raise LimnerError(
            f"sides of crops must be multiples of {factor}, for num_downs halves them, got a patch of {data.patch}: "
            f"pass --set data.patch={mend}, or a smaller num_downs"
        )


SPADE = Entry(
    name="spade",
    title="SPADE",
    paper="Park, Liu, Wang, Zhu 2019, arXiv:1903.07291",
    tasks=(TRANSLATE,),
    system=spade.SPADEGame,
    presets={
        "modern": Preset(
            "a quarter of the channels, instance norm and styles, for 128 pixels, bf16",
            spade.MODERN,
            spade.FIT_MODERN,
            LabelMapsConfig(height=128, width=128, jitter=14),
        ),
        "paper": Preset("as published", spade.SPADE_2019, spade.FIT_2019, LabelMapsConfig()),
    },
    product=Product(("generator",), spade.Generator),
    parts={
        "discriminator": Part(
            spade.Discriminator, ("discriminator_channels", "discriminator_layers", "num_discriminators")
        )
    },
    check=lambda config, data: _check_sides(2**config.num_ups, data),
    small=(
        "num_classes=2", "base_channels=2", "hidden_channels=16", "discriminator_channels=4", "encoder_side=64",
        "encoder_channels=2", "latent_channels=4", "data.height=64", "data.width=64", "data.jitter=8",
        "fit.optimizer.learning_rate=0.005",
    ),
)  # fmt: skip

CRN = Entry(
    name="crn",
    title="CRN",
    paper="Chen, Koltun 2017, arXiv:1707.09405",
    tasks=(TRANSLATE,),
    system=crn.CRN,
    presets={
        "modern": Preset(
            "an eighth of the channels, three choices, for 128 pixels, bf16",
            crn.MODERN,
            crn.FIT_MODERN,
            LabelMapsConfig(height=128, width=128, jitter=14),
        ),
        "paper": Preset(
            "as published, for 256 rows", crn.CRN_2017, crn.FIT_2017, LabelMapsConfig(width=512, jitter=0)
        ),
        "paper-choices": Preset(
            "the same with nine choices", crn.NINE_CHOICES, crn.FIT_2017, LabelMapsConfig(width=512, jitter=0)
        ),
    },
    check=lambda config, data: _check_sides(config.factor, data),
    small=(
        "num_classes=2", "channels=[8,8,8]", "data.height=32", "data.width=32", "data.jitter=4",
        "fit.optimizer.learning_rate=0.005",
    ),
)  # fmt: skip

ENTRIES = (PIX2PIX, CYCLEGAN, SPADE, CRN)
