"""The systems that enlarge."""

from limner.catalog.entry import Entry, Part, Preset, Product
from limner.data.enlargement import EnlargementConfig
from limner.data.photo_faults import PHOTO_FAULTS
from limner.systems.adversarial import srgan
from limner.systems.feedforward import compact, edsr, msrresnet, rrdbnet, srresnet, vdsr
from limner.systems.feedforward import perceptual_super_resolution as perceptual
from limner.tasks.enlarge import ENLARGE

_LUMINANCE_41 = EnlargementConfig(kind="luminance", scales=(2, 3, 4), patch=41)
_LUMINANCE_64 = EnlargementConfig(kind="luminance", scales=(2, 3, 4), patch=64)
_RGB_96 = EnlargementConfig(kind="rgb", scales=(4,), patch=96)
_RGB_96_X2 = EnlargementConfig(kind="rgb", scales=(2,), patch=96)
_RGB_LIGHT = EnlargementConfig(kind="rgb", scales=(2,), patch=64, sizes=(1.0, 0.9, 0.8, 0.7, 0.6))
_RGB_PHOTO = _RGB_LIGHT.model_copy(update={"faults": PHOTO_FAULTS})
_RGB_144 = EnlargementConfig(kind="rgb", scales=(4,), patch=144)
_RGB_128 = EnlargementConfig(kind="rgb", scales=(4,), patch=128)
_RGB_256 = EnlargementConfig(kind="rgb", scales=(4,), patch=256, faults=PHOTO_FAULTS)
_RGB_288 = EnlargementConfig(kind="rgb", scales=(4,), patch=288, blur=1.0)

VDSR = Entry(
    name="vdsr",
    title="VDSR",
    paper="Kim, Lee, Lee 2016, arXiv:1511.04587",
    tasks=(ENLARGE,),
    system=vdsr.VDSR,
    presets={
        "modern": Preset("the paper's network, Adam, bf16", vdsr.VDSR_2016, vdsr.FIT_MODERN, _LUMINANCE_64),
        "fast": Preset("a quarter of the work: 2x2 blocks folded", vdsr.VDSR_FAST, vdsr.FIT_MODERN, _LUMINANCE_64),
        "paper": Preset("as published: SGD, adjustable clip", vdsr.VDSR_2016, vdsr.FIT_2016, _LUMINANCE_41),
    },
    small=("data.patch=16",),
)

SRRESNET = Entry(
    name="srresnet",
    title="SRResNet",
    paper="Ledig et al. 2017, arXiv:1609.04802",
    tasks=(ENLARGE,),
    system=srresnet.SRResNet,
    presets={
        "modern": Preset(
            "half the blocks, 48 channels, on a bilinear skip, bf16, EMA",
            srresnet.SRRESNET_MODERN,
            srresnet.FIT_MODERN,
            _RGB_144,
        ),
        "paper": Preset("as published: a million steps", srresnet.SRRESNET_2017, srresnet.FIT_2017, _RGB_96),
    },
    small=("data.patch=16",),
)

PERCEPTUAL_SUPER_RESOLUTION = Entry(
    name="perceptual-super-resolution",
    title="Perceptual super-resolution",
    paper="Johnson, Alahi, Fei-Fei 2016, arXiv:1603.08155",
    tasks=(ENLARGE,),
    system=perceptual.PerceptualSuperResolution,
    presets={
        "modern": Preset(
            "feature loss, resized pixels, fine patterns held down, bf16",
            perceptual.MODERN,
            perceptual.FIT_MODERN,
            _RGB_144,
        ),
        "pixel": Preset("the same with the pixel loss", perceptual.MODERN_PIXEL, perceptual.FIT_MODERN, _RGB_144),
        "paper": Preset("as published: feature loss", perceptual.FEATURE_2016, perceptual.FIT_2016, _RGB_288),
    },
    published={
        "Johnson feature": (perceptual.FEATURE_2016, perceptual.FEATURE_2016_X8),
        "Johnson pixel": (perceptual.PIXEL_2016, perceptual.PIXEL_2016_X8),
    },
    small=("data.patch=16",),
)

SRGAN = Entry(
    name="srgan",
    title="SRGAN",
    paper="Ledig et al. 2017, arXiv:1609.04802",
    tasks=(ENLARGE,),
    system=srgan.SRGAN,
    presets={
        "modern": Preset(
            "two slim networks, relu2_2 and pixels as content, bf16",
            srgan.MODERN,
            srgan.FIT_MODERN,
            _RGB_96,
            "srresnet",
        ),
        "paper": Preset("as published but for VGG-16", srgan.SRGAN_2017, srgan.FIT_2017, _RGB_96),
    },
    product=Product(("generator",), lambda config: srresnet.SRResNet(config.generator)),
    parts={
        "discriminator": Part(srgan.Discriminator, ("crop", "discriminator_channels", "dense", "discriminator_range"))
    },
    small=("crop=16", "data.patch=16"),
)

EDSR = Entry(
    name="edsr",
    title="EDSR",
    paper="Lim et al. 2017, arXiv:1707.02921",
    tasks=(ENLARGE,),
    system=edsr.EDSR,
    presets={
        "light": Preset(
            "a fifth of the baseline, on a bicubic skip, luminance counts twice, bf16, EMA",
            edsr.LIGHT,
            edsr.FIT_LIGHT,
            _RGB_LIGHT,
        ),
        "photo": Preset(
            "the same on blurred, noisy and compressed pictures", edsr.LIGHT, edsr.FIT_PHOTO, _RGB_PHOTO, "edsr-x2"
        ),
        "baseline": Preset("as published: 16 blocks of 64 channels", edsr.BASELINE_2017, edsr.FIT_2017, _RGB_96_X2),
        "full": Preset("as published: 32 blocks of 256 channels", edsr.EDSR_2017, edsr.FIT_2017, _RGB_96_X2),
    },
    published={"EDSR": tuple(edsr.EDSR_2017.model_copy(update={"scale": scale}) for scale in (2, 3, 4))},
    made_anew=("upsample",),
    small=("data.patch=16",),
)

RRDBNET = Entry(
    name="rrdbnet",
    title="RRDBNet",
    paper="Wang et al. 2018, arXiv:1809.00219",
    tasks=(ENLARGE,),
    system=rrdbnet.RRDBNet,
    presets={
        "light": Preset("a thirtieth of the weights, bf16, EMA", rrdbnet.LIGHT, rrdbnet.FIT_MODERN, _RGB_128),
        "esrgan": Preset(
            "the generator of ESRGAN as published, L1 loss", rrdbnet.ESRGAN_2018, rrdbnet.FIT_2018, _RGB_128
        ),
    },
    small=("num_blocks=1", "channels=8", "growth=4", "data.patch=16"),
)

MSRRESNET = Entry(
    name="msrresnet",
    title="MSRResNet",
    paper="Wang et al. 2018, arXiv:1809.00219",
    tasks=(ENLARGE,),
    system=msrresnet.MSRResNet,
    presets={
        "light": Preset("an eighth of the weights, bf16, EMA", msrresnet.LIGHT, msrresnet.FIT_MODERN, _RGB_128),
        "basicsr": Preset("as in its authors' code", msrresnet.BASICSR, msrresnet.FIT_BASICSR, _RGB_128),
    },
    small=("num_blocks=1", "channels=8", "data.patch=16", "fit.optimizer.learning_rate=0.01"),
)

COMPACT = Entry(
    name="compact",
    title="Compact network of Real-ESRGAN",
    paper="Wang, Xie, Dong, Shan 2021, arXiv:2107.10833",
    tasks=(ENLARGE,),
    system=compact.Compact,
    presets={
        "light": Preset("a seventh of the weights, bf16, EMA", compact.LIGHT, compact.FIT_MODERN, _RGB_128),
        "real-esrgan": Preset(
            "as in its authors' code, L1 loss, pictures with faults",
            compact.REAL_ESRGAN,
            compact.FIT_REAL_ESRGAN,
            _RGB_256,
        ),
    },
    small=("num_layers=1", "channels=8", "data.patch=16", "fit.optimizer.learning_rate=0.01"),
)

ENTRIES = (VDSR, SRRESNET, EDSR, PERCEPTUAL_SUPER_RESOLUTION, SRGAN, RRDBNET, MSRRESNET, COMPACT)
