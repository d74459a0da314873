"""Every system that is trained: its paper, what it is for, how it is built, trained and loaded."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from torch import nn

from limner.config import Config
from limner.data.enlargement import EnlargementConfig
from limner.data.one_style import OneStyleConfig
from limner.data.sampler import Samples
from limner.data.style_pairs import StylePairsConfig
from limner.errors import LimnerError
from limner.files.weights import Header, load_weights
from limner.loops.fit import FitConfig
from limner.systems.feedforward import adain, srresnet, texture_network, vdsr

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

    @property
    def default(self) -> Preset:
        """The preset that is meant where none is named."""
        return next(iter(self.presets.values()))

    def is_published(self, config: Mapping[str, Any]) -> bool:
        """Whether a configuration is that of the paper's own network, so that the paper's figures are its own."""
        return "paper" in self.presets and self.presets["paper"].config == self.config.parse(config)

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
_RGB_80 = EnlargementConfig(kind="rgb", scales=(4,), patch=80)
_RGB_96 = EnlargementConfig(kind="rgb", scales=(4,), patch=96)
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
            "modern": Preset("the paper's network, bf16, EMA", srresnet.SRRESNET_2017, srresnet.FIT_MODERN, _RGB_80),
            "paper": Preset("as published: a million steps", srresnet.SRRESNET_2017, srresnet.FIT_2017, _RGB_96),
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
            "paper": Preset("as published: 160,000 steps", adain.ADAIN_2017, adain.FIT_2017, _PAIRS_256),
        },
    ),
    Entry(
        name="texture_network",
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
    """A system with fresh weights from its name and plain configuration values, as a weight file's header has them.

    Raises:
        LimnerError: If the system is unknown or a value does not fit.
    """
    entry = find(name)
    return entry.system(entry.config.parse(config))


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
    system = build(header.system, header.config)
    try:
        system.load_state_dict(tensors)
    except RuntimeError as error:
        reason = " ".join(str(error).split())
        raise LimnerError(f"{path} does not hold the weights of {header.system} as its header says: {reason}") from None
    return system.eval(), header
