"""The systems that make textures in one pass."""

from limner.catalog.entry import Entry, Preset
from limner.data.one_style import OneStyleConfig
from limner.errors import LimnerError
from limner.systems.feedforward import texture_network
from limner.systems.feedforward.texture_network import TextureNetworkConfig
from limner.tasks.stylize import STYLIZE
from limner.tasks.task import Task
from limner.tasks.texture import TEXTURE

_ONE_STYLE = OneStyleConfig()


def _tasks(config: TextureNetworkConfig) -> tuple[Task, ...]:
    """A content weight makes a painter of the network."""
    return (STYLIZE,) if config.content_weight else (TEXTURE,)


def _check(config: TextureNetworkConfig, data: OneStyleConfig) -> None:
    if bool(config.content_weight) == bool(data.style):
        return
    if data.style:
        raise LimnerError(
            "a texture network without a content weight learns the picture of --data: "
            "leave out --style, or pass --preset style to paint photos in it"
        )
    raise LimnerError(
        "a texture network that paints learns a style from photos: pass its picture with --style, and them with --data"
    )


TEXTURE_NETWORK = Entry(
    name="texture-network",
    title="Texture networks",
    paper="Ulyanov, Lebedev, Vedaldi, Lempitsky 2016, arXiv:1603.03417",
    tasks=(TEXTURE, STYLIZE),
    system=texture_network.TextureNetwork,
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
        "paper": Preset("as published: batch norm", texture_network.TEXTURE_2016, texture_network.FIT_2016, _ONE_STYLE),
    },
    tasks_by_config=_tasks,
    check=_check,
    small=("data.patch=64",),
)

ENTRIES = (TEXTURE_NETWORK,)
