"""Painters: networks that paint a photo in a style in one pass, ready for many photos."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from limner.arguments import check_number
from limner.catalog.models import check_task, embedded, load, tasks_of, weights_path
from limner.errors import LimnerError, did_you_mean
from limner.files.image import Picture, is_image_path
from limner.files.visible import visible_tensor
from limner.files.weights import Header, read_header
from limner.media.any_picture import picture_of, resized_photo
from limner.ops.framing import padded_to
from limner.ops.luminance_alone import has_no_color, luma_of, with_colors_of
from limner.ports import least_of, multiple_of
from limner.runtime.probes import ports_of
from limner.runtime.run_options import RunOptions
from limner.runtime.runner import Runner
from limner.systems.feedforward.fast_style import FastStyle
from limner.systems.feedforward.many_styles import ManyStyles
from limner.tasks.stylize import STYLIZE
from limner.tasks.texture import TEXTURE
from limner.types import Image, OnProgress
from limner.verbs.stylize.network_inputs import NetworkInput, network_inputs, whole_inputs
from limner.verbs.stylize.strokes import Stroke, brought_back, check_stroke, working_size
from limner.verbs.stylize.style import check_weight

EMBEDDED = "many-styles"
"""The embedded network that knows the styles of `limner stylize --list`, and that learns other ones."""

_ONLY = "style"  # what the style of a network that knows one alone is called


class Painter:
    """A network for one style, or one mixture of styles.

    Args of the constructor:
        network: From RGB (n, 3, h, w) in [0, 1], and noise beside it as its ports say, to the same size.
        strength: From 0, the photo itself, to 1, the painting.
        keep_colors: Take the luminance alone from the painting.
        size: The longer side of the result in pixels; None keeps that of the photo.
        stroke: How wide strokes are.
        seed: Of the noise that the network is given.
        options: How it is run; a texture network is painted by torch alone.

    Raises:
        LimnerError: If the strength is not in [0, 1], the stroke is no size, or the device or the backend is not there
            or not for the network.
    """

    def __init__(
        self,
        network: nn.Module,
        *,
        strength: float = 1.0,
        keep_colors: bool = False,
        size: int | None = None,
        stroke: Stroke = 1.0,
        seed: int = 0,
        options: RunOptions = RunOptions(),
    ) -> None:
        check_strength(strength)
        check_stroke(stroke)
        self.strength, self.keep_colors, self.size, self.memory = strength, keep_colors, size, options.memory
        self.stroke = stroke
        self._ports = ports_of(network).inputs
        self.inputs: Sequence[NetworkInput] = network_inputs(self._ports, seed)
        """What the network is given of a photo of the padded size, whole or in parts."""
        self.styles_are_gray = False
        """Whether it paints in styles without colour, or in those of the photo."""
        if len(self.inputs) > 1 and options.backend not in ("auto", "torch"):
            raise LimnerError(
                f"a texture network takes a photo at several scales, which torch alone does, got {options.backend}: "
                "pass --backend torch"
            )
        self.runner = Runner(network, options)

    def paint(self, image: Image, *others: Tensor) -> Float[Tensor, "n 3 H W"]:
        """RGB (n, 3, h, w) in [0, 1], and what else the network takes -> the painting, in [0, 1]."""
        photo = resized_photo(image, self.size)
        seen = resized_photo(photo, working_size(*photo.shape[-2:], stroke=self.stroke))
        height, width = seen.shape[-2:]
        padded = padded_to(seen, *self.padded_size(height, width))
        painted = self.runner(*whole_inputs(self.inputs, padded), *others)
        made = self.finish(photo, brought_back(painted[..., :height, :width], *photo.shape[-2:]))
        return luma_of(made) if self.keeps_gray and has_no_color(photo) else made

    def padded_size(self, height: int, width: int) -> tuple[int, int]:
        """The sides that a photo is brought to, by its last row and column again, for the network."""
        multiple, least = multiple_of(self._ports), least_of(self._ports)
        down, across = (-(-max(side, least) // multiple) * multiple for side in (height, width))
        return down, across

    def finish(self, photo: Image, painted: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n 3 h w"]:
        """The painting, in [0, 1], of what the network has made of a photo, or of the same part of both."""
        painted = painted.clamp(0, 1)
        if self.keep_colors:
            painted = with_colors_of(photo, painted)
        return painted if self.strength == 1 else torch.lerp(photo, painted, self.strength)

    def paint_picture(self, picture: Picture, on_progress: OnProgress | None = None) -> Picture:
        """Paint a photo; its transparency, depth, profile and metadata stay."""
        self.runner.on_tile = on_progress
        return picture_of(self.paint(visible_tensor(picture)), picture)

    @property
    def keeps_gray(self) -> bool:
        """Whether what is made of a photo without colour has none: its colours are kept, or the styles have none."""
        return self.keep_colors or self.styles_are_gray

    @property
    def needs_whole(self) -> bool:
        """Whether a photo must be seen whole before it is painted: to be brought to another size."""
        return self.stroke != 1

    def is_light(self, height: int, width: int) -> bool:
        """Whether several photos of so many pixels may be painted at once, as `Runner.is_light` says."""
        if self.size is not None or self.needs_whole:
            return False
        padded = self.padded_size(height, width)
        return self.runner.is_light(*(made.port.shape(1, *padded) for made in self.inputs))

    def for_size(self, height: int, width: int) -> "Painter":
        """What paints photos of one size in parts: this one."""
        return self


def check_strength(strength: float) -> None:
    """Refuse what lies beyond the photo and the painting.

    Raises:
        LimnerError: If it is not in [0, 1].
    """
    check_number("strength", strength, "0 is the photo, 1 the painting")
    if not 0 <= strength <= 1:
        raise LimnerError(f"strength must be between 0, the photo, and 1, the painting, got {strength:g}")


def paints(header: Header) -> bool:
    """Whether a weight file holds a network that paints in one pass."""
    return STYLIZE in tasks_of(header)


def known_styles(model: str = EMBEDDED) -> tuple[str, ...]:
    """The names of the styles that a network paints in one pass; that of a network whose file has no name is `style`.

    Raises:
        LimnerError: If there is no such model, or it is none that paints.
    """
    header = read_header(weights_path(model, STYLIZE))
    _check_paints(model, header)
    return _names(header)


def one_pass(styles: Mapping[str, float], model: str = EMBEDDED) -> nn.Module:
    """The network of a weight file for one mixture of its styles.

    Args:
        styles: By name, or by place in the file, from 0, with their weights; none means the first style of the file.
        model: An embedded model, or a file that `limner learn-style` or `limner train fast-style` wrote, or `limner
            train texture-network` with the preset `style`.

    Raises:
        LimnerError: If there is no such model or style, or a weight is not above 0.
    """
    network, header = _network(model)
    names = _names(header)
    given = dict.fromkeys(names, 0.0)
    for style, weight in styles.items():
        given[_named(style, names, model)] += weight
        check_weight(weight)
    if "styles" not in header.config:
        return network
    if not styles:
        given[names[0]] = 1.0
    shares = torch.tensor(list(given.values())) / sum(given.values())
    return cast(FastStyle | ManyStyles, network).at(shares)


def shown_styles(model: str = EMBEDDED) -> tuple[str, ...]:
    """The names of the styles of a network that are worth a look; the others have numbers for names.

    Raises:
        LimnerError: As `known_styles` does.
    """
    return tuple(name for name in known_styles(model) if not name.isdecimal())


@torch.inference_mode()
def painted_in_each(
    styles: Sequence[str], photo: Float[Tensor, "1 3 h w"], model: str = EMBEDDED
) -> Float[Tensor, "n 3 h w"]:
    """A small photo in each of some styles of one network, at once, without what makes ready for large ones.

    Args:
        styles: Names.
        photo: RGB in [0, 1], sides multiples of 4.
        model: Of many styles.
    """
    network, header = _network(model)
    assert isinstance(network, ManyStyles)
    names = _names(header)
    mixtures = torch.eye(len(names))[[names.index(style) for style in styles]]
    seen = whole_inputs(network_inputs(network.inputs, 0), photo)[0]
    return network.eval().paint(seen.expand(len(styles), -1, -1, -1), mixtures)


def _names(header: Header) -> tuple[str, ...]:
    return tuple(header.config.get("styles", (header.style or _ONLY,)))


def _named(style: str, names: Sequence[str], model: str) -> str:
    """The name of a style that is given by its name, or by its place in the list, from 0."""
    if style in names:
        return style
    if style.isdecimal() and int(style) < len(names):
        return names[int(style)]
    if is_image_path(Path(style)) and Path(style).stem in names:  # the picture that it was trained with
        return Path(style).stem
    mend = did_you_mean(style, names, "name one of them, or a picture with the method any-style or gatys")
    raise LimnerError(f"{model} paints {', '.join(names)}, got {style!r}: {mend}")


def _network(model: str) -> tuple[nn.Module, Header]:
    if model == EMBEDDED and model not in embedded():
        raise LimnerError(
            "no network for the styles of limner stylize --list comes with this Limner: "
            "name as the model one that limner train fast-style wrote, or choose the method gatys"
        )
    _check_paints(model, read_header(weights_path(model, STYLIZE)))
    return load(model, STYLIZE)


def _check_paints(model: str, header: Header) -> None:
    if paints(header):
        return
    if TEXTURE in tasks_of(header):
        raise LimnerError(
            f"{model} makes textures and paints no photos: draw them with limner texture --method network, or train "
            "one that paints with limner train texture-network --preset style --style PICTURE"
        )
    check_task(model, header, STYLIZE)
