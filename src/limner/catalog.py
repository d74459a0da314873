"""Every system that is trained: its paper, what it is for, how it is built, trained and loaded."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from torch import nn

from limner.config import Config
from limner.data.enlargement import EnlargementConfig
from limner.data.one_style import OneStyleConfig
from limner.data.sampler import Samples
from limner.data.style_pairs import StylePairsConfig
from limner.data.stylization import StylizationConfig
from limner.errors import LimnerError
from limner.files.weights import Header, load_weights
from limner.loops.fit import FitConfig
from limner.systems.adversarial import srgan
from limner.systems.feedforward import adain, edsr, fast_style, srresnet, texture_network, vdsr
from limner.systems.feedforward import perceptual_super_resolution as perceptual

WEIGHTS = Path(__file__).parent / "weights"


class DataConfig(Protocol):
    """How training data is read; a `Config` that can load a folder."""

    def load(self, folder: Path) -> Samples:
        """The samples of a folder."""


@dataclass(frozen=True)
class Preset:
    """A named way to build and train a system."""

    summary: str
    config: Config
    fit: FitConfig
    data: Any  # a Config that is a DataConfig; Python has no intersection types
    start_from: str | None = None
    """The model whose weights training begins with."""


@dataclass(frozen=True)
class Product:
    """What is used of a system once it is trained, where that is not all of it: a generator without its judge."""

    player: str
    build: Callable[[Any], nn.Module]
    """From the configuration of the whole system."""


@dataclass(frozen=True)
class Entry:
    """One system."""

    name: str
    title: str
    paper: str
    verbs: tuple[str, ...]
    system: Callable[[Any], nn.Module]
    config: type[Config]
    presets: Mapping[str, Preset]
    """The first is the default."""
    product: Product | None = None
    """What weight files hold; None: all of the system."""
    published: Mapping[str, tuple[Config, ...]] = field(default_factory=dict)
    """The networks of the paper's tables by the names of `metrics.published`; without any, the preset `paper`'s."""

    @property
    def default(self) -> Preset:
        """The preset that is meant where none is named."""
        return next(iter(self.presets.values()))

    def published_name(self, config: Mapping[str, Any]) -> str | None:
        """Whose figures those of a configuration are: the method's, if it is the paper's own network; else None."""
        named = dict(self.published)
        if not named and "paper" in self.presets:
            named = {self.title: (self.presets["paper"].config,)}
        parsed = self.config.parse(config)
        return next((name for name, configs in named.items() if parsed in configs), None)

    def product_of(self, system: nn.Module) -> nn.Module:
        """What is used of a system once it is trained, and what its weight file holds."""
        if self.product is None:
            return system
        players: Mapping[str, nn.Module] = system.players  # type: ignore[assignment]
        return players[self.product.player]

    def preset(self, name: str | None) -> Preset:
        """A preset by its name; None means the default.

        Raises:
            LimnerError: If there is none of that name.
        """
        if name is None:
            return self.default
        if name not in self.presets:
            raise LimnerError(f"{self.name} has the presets {', '.join(self.presets)}, got {name!r}")
        return self.presets[name]


_LUMINANCE_41 = EnlargementConfig(kind="luminance", scales=(2, 3, 4), patch=41)
_LUMINANCE_64 = EnlargementConfig(kind="luminance", scales=(2, 3, 4), patch=64)
_RGB_96 = EnlargementConfig(kind="rgb", scales=(4,), patch=96)
_RGB_96_X2 = EnlargementConfig(kind="rgb", scales=(2,), patch=96)
_RGB_144 = EnlargementConfig(kind="rgb", scales=(4,), patch=144)
_RGB_288 = EnlargementConfig(kind="rgb", scales=(4,), patch=288, blur=1.0)
_RGB_LIGHT = EnlargementConfig(kind="rgb", scales=(2,), patch=64, sizes=(1.0, 0.9, 0.8, 0.7, 0.6))
_PAIRS_160 = StylePairsConfig(patch=160, resize=320, recolor=True)
_PAIRS_256 = StylePairsConfig(patch=256, resize=512)
_ONE_STYLE = OneStyleConfig()

ENTRIES = (
    Entry(
        name="vdsr",
        title="VDSR",
        paper="Kim, Lee, Lee 2016, arXiv:1511.04587",
        verbs=("upscale",),
        system=vdsr.VDSR,
        config=vdsr.VDSRConfig,
        presets={
            "modern": Preset("the paper's network, Adam, bf16", vdsr.VDSR_2016, vdsr.FIT_MODERN, _LUMINANCE_64),
            "fast": Preset("a quarter of the work: 2x2 blocks folded", vdsr.VDSR_FAST, vdsr.FIT_MODERN, _LUMINANCE_64),
            "paper": Preset("as published: SGD, adjustable clip", vdsr.VDSR_2016, vdsr.FIT_2016, _LUMINANCE_41),
        },
    ),
    Entry(
        name="srresnet",
        title="SRResNet",
        paper="Ledig et al. 2017, arXiv:1609.04802",
        verbs=("upscale",),
        system=srresnet.SRResNet,
        config=srresnet.SRResNetConfig,
        presets={
            "modern": Preset(
                "half the blocks, 48 channels, on a bilinear skip, bf16, EMA",
                srresnet.SRRESNET_MODERN,
                srresnet.FIT_MODERN,
                _RGB_144,
            ),
            "paper": Preset("as published: a million steps", srresnet.SRRESNET_2017, srresnet.FIT_2017, _RGB_96),
        },
    ),
    Entry(
        name="edsr",
        title="EDSR",
        paper="Lim et al. 2017, arXiv:1707.02921",
        verbs=("upscale",),
        system=edsr.EDSR,
        config=edsr.EDSRConfig,
        presets={
            "light": Preset(
                "a fifth of the baseline, on a bicubic skip, luminance counts twice, bf16, EMA",
                edsr.LIGHT,
                edsr.FIT_LIGHT,
                _RGB_LIGHT,
            ),
            "baseline": Preset("as published: 16 blocks of 64 channels", edsr.BASELINE_2017, edsr.FIT_2017, _RGB_96_X2),
            "full": Preset("as published: 32 blocks of 256 channels", edsr.EDSR_2017, edsr.FIT_2017, _RGB_96_X2),
        },
        published={"EDSR": tuple(edsr.EDSR_2017.model_copy(update={"scale": scale}) for scale in (2, 3, 4))},
    ),
    Entry(
        name="perceptual-super-resolution",
        title="Perceptual super-resolution",
        paper="Johnson, Alahi, Fei-Fei 2016, arXiv:1603.08155",
        verbs=("upscale",),
        system=perceptual.PerceptualSuperResolution,
        config=perceptual.PerceptualSuperResolutionConfig,
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
    ),
    Entry(
        name="srgan",
        title="SRGAN",
        paper="Ledig et al. 2017, arXiv:1609.04802",
        verbs=("upscale",),
        system=srgan.SRGAN,
        config=srgan.SRGANConfig,
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
        product=Product("generator", lambda config: srresnet.SRResNet(config.generator)),
    ),
    Entry(
        name="fast-style",
        title="Fast style transfer",
        paper="Johnson, Alahi, Fei-Fei 2016, arXiv:1603.08155",
        verbs=("stylize",),
        system=fast_style.FastStyle,
        config=fast_style.FastStyleConfig,
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
                "the authors' code: half the channels, instance norm, 150 tanh",
                fast_style.JOHNSON_RELEASED_CODE,
                fast_style.FIT_2016,
                StylizationConfig(),
            ),
        },
    ),
    Entry(
        name="adain",
        title="AdaIN",
        paper="Huang, Belongie 2017, arXiv:1703.06868",
        verbs=("stylize",),
        system=adain.AdaIN,
        config=adain.AdaINConfig,
        presets={
            "modern": Preset("half the decoder's channels, bf16, EMA", adain.ADAIN_SLIM, adain.FIT_MODERN, _PAIRS_160),
            "inverse": Preset(
                "a first decoder for modern to start from", adain.ADAIN_INVERSE, adain.FIT_MODERN, _PAIRS_160
            ),
            "paper": Preset("as published: 160,000 steps", adain.ADAIN_2017, adain.FIT_2017, _PAIRS_256),
        },
    ),
    Entry(
        name="texture-network",
        title="Texture networks",
        paper="Ulyanov, Lebedev, Vedaldi, Lempitsky 2016, arXiv:1603.03417",
        verbs=("texture",),
        system=texture_network.TextureNetwork,
        config=texture_network.TextureNetworkConfig,
        presets={
            "modern": Preset(
                "instance norm, relative losses, bf16",
                texture_network.TEXTURE_MODERN,
                texture_network.FIT_MODERN,
                _ONE_STYLE,
            ),
            "2017": Preset(
                "instance norm and diversity", texture_network.TEXTURE_2017, texture_network.FIT_2017, _ONE_STYLE
            ),
            "style": Preset(
                "paints pictures in one style", texture_network.STYLE_2017, texture_network.FIT_2017, _ONE_STYLE
            ),
            "paper": Preset(
                "as published: batch norm", texture_network.TEXTURE_2016, texture_network.FIT_2016, _ONE_STYLE
            ),
        },
    ),
)


def find(name: str) -> Entry:
    """The entry of that name.

    Raises:
        LimnerError: If there is none.
    """
    for entry in ENTRIES:
        if entry.name == name:
            return entry
    raise LimnerError(f"system must be one of {', '.join(entry.name for entry in ENTRIES)}, got {name!r}")


def build(name: str, config: Mapping[str, Any]) -> nn.Module:
    """A system to be trained, with fresh weights, from its name and plain configuration values.

    Raises:
        LimnerError: If the system is unknown or a value does not fit.
    """
    entry = find(name)
    return entry.system(entry.config.parse(config))


def build_product(name: str, config: Mapping[str, Any]) -> nn.Module:
    """What is used of a system once it is trained, with fresh weights, as a weight file's header names it.

    Raises:
        LimnerError: If the system is unknown or a value does not fit.
    """
    entry = find(name)
    return (entry.product.build if entry.product else entry.system)(entry.config.parse(config))


def embedded() -> dict[str, Path]:
    """The weight files that come with the package, by model name."""
    return {path.stem: path for path in sorted(WEIGHTS.glob("*.safetensors"))}


def weights_path(model: str) -> Path:
    """Where the weights of a model are: the name of an embedded one, or a path to a weight file.

    Raises:
        LimnerError: If it is neither.
    """
    built_in = embedded()
    if model in built_in:
        return built_in[model]
    if model.endswith(".safetensors"):
        return Path(model)
    raise LimnerError(f"model must be one of {', '.join(built_in)} or a .safetensors file, got {model!r}")


def load(model: str) -> tuple[nn.Module, Header]:
    """A trained system in evaluation mode, and the header of its weight file.

    Args:
        model: The name of an embedded model, or a path to a weight file.

    Raises:
        LimnerError: If there is no such model, the file is damaged, or its weights do not fit the system it names.
    """
    path = weights_path(model)
    header, tensors = load_weights(path)
    system = build_product(header.system, header.config)
    try:
        system.load_state_dict(tensors)
    except RuntimeError as error:
        reason = " ".join(str(error).split())
        raise LimnerError(f"{path} does not hold the weights of {header.system} as its header says: {reason}") from None
    return system.eval(), header
