"""The systems that paint in one pass."""

from limner.catalog.entry import Entry, Preset
from limner.data.style_pairs import StylePairsConfig
from limner.data.stylization import StylizationConfig
from limner.errors import LimnerError
from limner.systems.feedforward import adain, any_style, fast_style, many_styles
from limner.tasks.stylize import STYLIZE, STYLIZE_LIKE

_PAIRS_160 = StylePairsConfig(patch=160, resize=320, recolor=True)
_PAIRS_256 = StylePairsConfig(patch=256, resize=512)
_PAIRS_128 = StylePairsConfig(patch=128, style_patch=144, resize=280, varied=True)

FAST_STYLE = Entry(
    name="fast-style",
    title="Fast style transfer",
    paper="Johnson, Alahi, Fei-Fei 2016, arXiv:1603.08155",
    tasks=(STYLIZE,),
    system=fast_style.FastStyle,
    presets={
        "slim": Preset(
            "half the channels, instance norm, resize-convolution: for CPUs",
            fast_style.SLIM,
            fast_style.FIT_MODERN,
            StylizationConfig(patch=192),
        ),
        "modern": Preset(
            "the paper's channels, instance norm, resize-convolution",
            fast_style.JOHNSON_IN,
            fast_style.FIT_MODERN,
            StylizationConfig(),
        ),
        "paper": Preset("as published", fast_style.JOHNSON_2016, fast_style.FIT_2016, StylizationConfig()),
        "released": Preset(
            "the authors' code: instance norm, 150 tanh, content at relu3_3",
            fast_style.JOHNSON_RELEASED_CODE,
            fast_style.FIT_2016,
            StylizationConfig(),
        ),
    },
    small=("data.patch=48", "data.style_size=32"),
)

MANY_STYLES = Entry(
    name="many-styles",
    title="A learned representation for artistic style",
    paper="Dumoulin, Shlens, Kudlur 2017, arXiv:1610.07629",
    tasks=(STYLIZE,),
    system=many_styles.ManyStyles,
    presets={
        "slim": Preset(
            "the released network of telephones, relative losses, bf16, EMA",
            many_styles.RELEASED_SLIM,
            many_styles.FIT_MODERN,
            StylizationConfig(patch=192),
        ),
        "paper": Preset("as published", many_styles.DUMOULIN_2017, many_styles.FIT_2017, StylizationConfig()),
    },
    made_anew=("norm",),
    small=("data.patch=48", "data.style_size=32"),
)


def _has_its_encoder(config: adain.AdaINConfig, data: StylePairsConfig) -> None:
    if config.encoder != "vgg16":
        raise LimnerError("encoder=vgg19 is for models of others, which bring it along: train with the embedded one")


ADAIN = Entry(
    name="adain",
    title="AdaIN",
    paper="Huang, Belongie 2017, arXiv:1703.06868",
    tasks=(STYLIZE_LIKE,),
    system=adain.AdaIN,
    presets={
        "modern": Preset("half the decoder's channels, bf16, EMA", adain.ADAIN_SLIM, adain.FIT_MODERN, _PAIRS_160),
        "inverse": Preset(
            "a first decoder for modern to start from", adain.ADAIN_INVERSE, adain.FIT_MODERN, _PAIRS_160
        ),
        "paper": Preset("as published: 160,000 steps", adain.ADAIN_2017, adain.FIT_2017, _PAIRS_256),
    },
    check=_has_its_encoder,
    small=("data.patch=32", "data.resize=64"),
)

ANY_STYLE = Entry(
    name="any-style",
    title="A network that predicts styles",
    paper="Ghiasi, Lee, Kudlur, Dumoulin, Shlens 2017, arXiv:1705.06830",
    tasks=(STYLIZE_LIKE,),
    system=any_style.AnyStyle,
    presets={
        "slim": Preset(
            "the network of many-styles' preset slim, bf16, EMA", any_style.ANY_SLIM, any_style.FIT_MODERN, _PAIRS_128
        ),
        "paper": Preset("the paper's channels and embedding", any_style.GHIASI_2017, any_style.FIT_2017, _PAIRS_256),
    },
    small=("data.patch=32", "data.style_patch=32", "data.resize=64", "hidden=16", "embedding=8"),
)

ENTRIES = (FAST_STYLE, MANY_STYLES, ANY_STYLE, ADAIN)
