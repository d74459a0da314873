"""The systems that make pictures from chance, or of what they know."""

from limner.catalog.entry import Entry, Preset, Product
from limner.data.labelled import LabelledConfig
from limner.data.rendered import RenderedConfig
from limner.data.unlabelled import UnlabelledConfig
from limner.errors import LimnerError
from limner.systems.adversarial import acgan, biggan, conditional_gan, dcgan, gan, lapgan, stylegan
from limner.systems.feedforward import chairs, vae
from limner.tasks.generate import GENERATE

_DIGITS = LabelledConfig(side=28)
_SMALL = ("side=8", "data.side=8", "fit.optimizer.learning_rate=0.01")

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
    small=(*_SMALL, "joint_units=32", "class_units=16", "latent_units=16", "dropout=0", "game.r1=0"),
)

ACGAN = Entry(
    name="acgan",
    title="AC-GAN",
    paper="Odena, Olah, Shlens 2016, arXiv:1610.09585",
    tasks=(GENERATE,),
    system=acgan.ACGAN,
    presets={
        "modern": Preset(
            "fewer channels, kernels of 4, less dropout, EMA", acgan.MODERN, acgan.FIT_MODERN, LabelledConfig(side=32)
        ),
        "paper": Preset("as published for CIFAR-10", acgan.ACGAN_2016, acgan.FIT_2016, LabelledConfig(side=32)),
    },
    product=Product(("generator",), acgan.Generator),
    small=(*_SMALL, "channels=1", "widths=[16,8]", "discriminator_widths=[8,8,16]", "dropout=0", "latent_channels=8"),
)

DCGAN = Entry(
    name="dcgan",
    title="DCGAN",
    paper="Radford, Metz, Chintala 2016, arXiv:1511.06434",
    tasks=(GENERATE,),
    system=dcgan.DCGAN,
    presets={
        "modern": Preset(
            "a quarter of the channels, kernels of 4, DiffAugment, EMA",
            dcgan.MODERN,
            dcgan.FIT_MODERN,
            UnlabelledConfig(side=64),
        ),
        "paper": Preset("as published", dcgan.DCGAN_2016, dcgan.FIT_2016, UnlabelledConfig(side=64)),
    },
    product=Product(("generator",), dcgan.Generator),
    small=(
        "side=16",
        "data.side=16",
        "fit.optimizer.learning_rate=0.01",
        "channels=1",
        "base_channels=16",
        "latent_channels=8",
        "augment=[]",
    ),
)

GAN = Entry(
    name="gan",
    title="GAN",
    paper="Goodfellow et al. 2014, arXiv:1406.2661",
    tasks=(GENERATE,),
    system=gan.GAN,
    presets={
        "modern": Preset(
            "the paper's networks, less dropout, Adam, EMA", gan.MODERN, gan.FIT_MODERN, UnlabelledConfig(side=28)
        ),
        "paper": Preset("as published: SGD, dropout of a half", gan.GAN_2014, gan.FIT_2014, UnlabelledConfig(side=28)),
    },
    product=Product(("generator",), gan.Generator),
    small=(
        *_SMALL,
        "hidden_units=32",
        "maxout_units=32",
        "latent_channels=8",
        "dropout=0",
        "input_dropout=0",
        "discriminator_weights=0.2",
    ),
)

LAPGAN = Entry(
    name="lapgan",
    title="LAPGAN",
    paper="Denton, Chintala, Szlam, Fergus 2015, arXiv:1506.05751",
    tasks=(GENERATE,),
    system=lapgan.LAPGAN,
    presets={
        "modern": Preset(
            "fewer channels, less dropout, Adam, EMA", lapgan.MODERN, lapgan.FIT_MODERN, UnlabelledConfig(side=32)
        ),
        "paper": Preset(
            "as published for CIFAR-10: SGD", lapgan.LAPGAN_2015, lapgan.FIT_2015, UnlabelledConfig(side=32)
        ),
    },
    product=Product(("generator",), lapgan.Generator),
    small=(*_SMALL, "channels=1", "coarsest=4", "hidden_units=32", "num_channels=8", "latent_channels=8", "dropout=0"),
)

CLASS_LAPGAN = Entry(
    name="class-lapgan",
    title="LAPGAN of classes",
    paper="Denton, Chintala, Szlam, Fergus 2015, arXiv:1506.05751",
    tasks=(GENERATE,),
    system=lapgan.LAPGAN,
    presets={
        "modern": Preset(
            "fewer channels, less dropout, Adam, EMA",
            lapgan.CLASS_MODERN,
            lapgan.FIT_MODERN,
            LabelledConfig(side=32),
        ),
        "paper": Preset(
            "as published for CIFAR-10: SGD, a plane of the class for each level",
            lapgan.CLASS_LAPGAN_2015,
            lapgan.FIT_2015,
            LabelledConfig(side=32),
        ),
    },
    product=Product(("generator",), lapgan.Generator),
    small=LAPGAN.small,
)

VAE = Entry(
    name="vae",
    title="Variational autoencoder",
    paper="Kingma, Welling 2014, arXiv:1312.6114",
    tasks=(GENERATE,),
    system=vae.VAE,
    presets={
        "modern": Preset(
            "convolutions, one variance for all pixels", vae.MODERN, vae.FIT_MODERN, UnlabelledConfig(side=28)
        ),
        "paper": Preset(
            "as published: one hidden layer, Adagrad", vae.VAE_2014, vae.FIT_2014, UnlabelledConfig(side=28)
        ),
    },
    small=(*_SMALL, "decoder=bernoulli", "hidden_units=64", "base_channels=8", "latent_channels=8"),
)

STYLEGAN = Entry(
    name="stylegan",
    title="StyleGAN",
    paper="Karras, Laine, Aila 2019, arXiv:1812.04948",
    tasks=(GENERATE,),
    system=stylegan.StyleGAN,
    presets={
        "modern": Preset(
            "for 64 pixels: an eighth of the channels, R1 each 16th step",
            stylegan.MODERN,
            stylegan.FIT_MODERN,
            UnlabelledConfig(side=64, colours="rgb"),
        ),
        "paper": Preset(
            "as published: grown to 1024 pixels",
            stylegan.STYLEGAN_2019,
            stylegan.FIT_2019,
            UnlabelledConfig(side=1024, colours="rgb"),
        ),
        "fixed": Preset(
            "the same networks, all of them from the start",
            stylegan.FIXED_2019,
            stylegan.FIT_2019,
            UnlabelledConfig(side=1024, colours="rgb"),
        ),
        "traditional": Preset(
            "the generator that the paper compares with: no styles",
            stylegan.TRADITIONAL_2019,
            stylegan.FIT_2019,
            UnlabelledConfig(side=1024, colours="rgb"),
        ),
    },
    product=Product(("generator",), stylegan.Generator),
    small=(
        *(
            "side=8",
            "data.side=8",
            "fit.optimizer.learning_rate=0.01",
            "channels=3",
            "channels_at_64=8",
            "most_channels=16",
        ),
        *("latent_channels=8", "mapping_layers=2", "growth.phase_share=0"),
    ),
)

BIGGAN = Entry(
    name="biggan",
    title="BigGAN",
    paper="Brock, Donahue, Simonyan 2018, arXiv:1809.11096",
    tasks=(GENERATE,),
    system=biggan.BigGAN,
    presets={
        "modern": Preset(
            "for 32 pixels: a third of the channels, DiffAugment",
            biggan.MODERN,
            biggan.FIT_MODERN,
            LabelledConfig(side=32, colours="rgb"),
        ),
        "paper": Preset(
            "as published for 128 pixels",
            biggan.BIGGAN_2018,
            biggan.FIT_2018,
            LabelledConfig(side=128, colours="rgb"),
        ),
        "paper-256": Preset(
            "as published for 256 pixels",
            biggan.BIGGAN_256,
            biggan.FIT_2018,
            LabelledConfig(side=256, colours="rgb"),
        ),
        "paper-512": Preset(
            "as published for 512 pixels",
            biggan.BIGGAN_512,
            biggan.FIT_2018,
            LabelledConfig(side=512, colours="rgb"),
        ),
        "cifar": Preset(
            "the authors' later code for CIFAR-10",
            biggan.CIFAR_PORT,
            biggan.FIT_CIFAR,
            LabelledConfig(side=32, colours="rgb"),
        ),
    },
    product=Product(("generator",), biggan.Generator),
    small=(
        *("side=32", "data.side=32", "fit.optimizer.learning_rate=0.01", "num_classes=3", "base_channels=2"),
        *("discriminator_channels=2", "latent_channels=8", "class_channels=4", "attention_side=16", "augment=[]"),
        *("discriminator_steps=1", "game.kind=non_saturating"),
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

ENTRIES = (CONDITIONAL_GAN, ACGAN, GAN, DCGAN, LAPGAN, CLASS_LAPGAN, STYLEGAN, BIGGAN, VAE, CHAIRS)
