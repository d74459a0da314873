"""Any style in one forward pass, on photos of any size, ready for many of them."""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from limner.catalog.models import embedded, load
from limner.errors import LimnerError
from limner.files.image import Picture
from limner.files.visible import visible_tensor
from limner.media.any_picture import picture_of, resized_photo
from limner.ops.color import match_colors
from limner.ops.framing import padded_to
from limner.ops.luminance_alone import has_no_color
from limner.ops.resample import imresize
from limner.runtime.run_options import RunOptions
from limner.runtime.runner import Runner
from limner.systems.feedforward.adain import AdaIN
from limner.tasks.stylize import STYLIZE_LIKE, PaintsLike
from limner.types import Image, OnProgress
from limner.verbs.stylize.network_painter import Painter, check_strength
from limner.verbs.stylize.strokes import Stroke, brought_back, check_stroke, working_size
from limner.verbs.stylize.style import Style, open_style

ANY_STYLE, ADAIN = "any-style", "adain"

AT_ONCE = (ANY_STYLE, ADAIN)
"""The systems, and their embedded networks, that paint like a picture which nothing has learnt: the best first."""

_SIDE = 8  # pixels of a photo to one of the masks that networks take
_LEAST = 16  # pixels of a side of what is painted; smaller photos are continued to that
_SMALLEST_STYLE = 32  # of the longer side, in pixels, that a style is shown with
_KEPT = 4  # painters, each for results of one size


def at_once() -> str | None:
    """What paints like an unknown picture at once: the first of `AT_ONCE` whose network comes with Limner."""
    return next((name for name in AT_ONCE if name in embedded()), None)


def load_any(model: str, system: str | None = None) -> PaintsLike:
    """A trained network that paints like any picture.

    Args:
        model: The name of an embedded model, or a path to a weight file.
        system: The name of its system; None takes any.

    Raises:
        LimnerError: If there is none, or it is of another system.
    """
    if model in AT_ONCE and model not in embedded():
        raise LimnerError(
            "no network for any style comes with this Limner: "
            f"name as the model one that limner train {model} wrote, or choose the method gatys"
        )
    loaded, header = load(model, STYLIZE_LIKE)
    if system not in (None, header.system) or not isinstance(loaded, PaintsLike):
        raise LimnerError(f"{model} is of {header.system}, not of {system or ' or '.join(AT_ONCE)}: name another model")
    return loaded


def load_adain(model: str = ADAIN) -> AdaIN:
    """A trained AdaIN.

    Args:
        model: The name of an embedded model, or a path to a weight file.

    Raises:
        LimnerError: If there is none, or it is of another system.
    """
    return cast(AdaIN, load_any(model, ADAIN))


class AnyPainter:
    """Paints photos in the style of pictures, which it reads once for results of one size.

    A style picture is shown as large as the result, times its scale; beside a result larger than the system's
    `largest_style`, as beside one of that size: its strokes stay as many pixels wide, and it is read once for all of
    these.

    Args of the constructor:
        system: As `load_any` gives it.
        styles: At least one. Those without a mask are mixed by their weights wherever no mask is; where masks lie over
            each other they share the place.
        strength: From 0, the photo (with AdaIN, as its network sees it), to 1, the painting.
        keep_colors: Give the styles the colours of each photo first (section 7.4).
        size: The longer side of the result in pixels; None keeps that of the photo.
        stroke: How wide strokes are.
        options: How it is run; masks are painted by torch alone.

    Raises:
        LimnerError: If there is no style, one cannot be read, a number does not fit, or the device is not there.
    """

    def __init__(
        self,
        system: PaintsLike,
        styles: Sequence[Style],
        *,
        strength: float = 1.0,
        keep_colors: bool = False,
        size: int | None = None,
        stroke: Stroke = 1.0,
        options: RunOptions = RunOptions(),
    ) -> None:
        check_strength(strength)
        check_stroke(stroke)
        if not styles:
            raise LimnerError("a style is missing: name a picture, or one of those that limner stylize --list shows")
        self.system, self.strength, self.keep_colors, self.size = system, strength, keep_colors, size
        self.memory, self.stroke = options.memory, stroke
        self.styles = [open_style(one, system.largest_style) for one in styles]
        self.has_masks = any(one.mask is not None for one in self.styles)
        if self.has_masks and options.backend not in ("auto", "torch"):
            raise LimnerError(
                f"masks are painted by torch alone, got the backend {options.backend}: leave one of them out"
            )
        self._reader = Runner(system.reader, replace(options, backend="auto", tile=None))
        self._strength = 1.0 if system.paints_part_way else strength
        self._styles_are_gray = keep_colors or all(has_no_color(one.image) for one in self.styles)
        self._options = options
        self._painter_at = lru_cache(_KEPT)(lambda size: self._ready(self._network(size)))

    def paint(self, image: Image, on_progress: OnProgress | None = None) -> Float[Tensor, "n 3 H W"]:
        """RGB (n, 3, h, w) in [0, 1] -> the painting, in [0, 1].

        Raises:
            LimnerError: If the picture or a style is too small, a mask has another size, or memory is too short.
        """
        return torch.cat([self._painted(one, on_progress) for one in image.split(1)])

    def paint_picture(self, picture: Picture, on_progress: OnProgress | None = None) -> Picture:
        """Paint a photo; its transparency, depth, profile and metadata stay.

        Raises:
            LimnerError: As `paint` does.
        """
        return picture_of(self.paint(visible_tensor(picture), on_progress), picture)

    @property
    def needs_whole(self) -> bool:
        """Whether a photo must be seen whole before it is painted: for its masks, its colours, or another size."""
        return self.has_masks or self.keep_colors or self.stroke != 1

    def is_light(self, height: int, width: int) -> bool:
        """Whether several photos of so many pixels may be painted at once: by one network, if its `Runner` says so."""
        style = self._style_size(height, width)
        if self.size is not None or self.needs_whole or style < self.system.largest_style:
            return False
        return self._painter_at(style).is_light(height, width)

    def for_size(self, height: int, width: int) -> Painter:
        """What paints photos of one size in parts, if it does not need them whole.

        Raises:
            LimnerError: If the photos or a style are too small.
        """
        assert not self.needs_whole
        return self._painter_at(self._style_size(height, width))

    def for_frames(self, height: int, width: int) -> Painter:
        """What paints pictures of one size that follow each other, without masks.

        Kept colours are then those of each frame, by painting its luminance alone: styles that take the colours of each
        frame would flicker.

        Raises:
            LimnerError: If the frames or a style are too small, or there are masks.
        """
        if self.has_masks:
            raise LimnerError("frames are painted without masks, got some: leave them out")
        return self._ready(self._network(self._style_size(height, width)), keep_colors=self.keep_colors)

    def _ready(self, network: nn.Module, *, keep_colors: bool = False) -> Painter:
        painter = Painter(network, strength=self._strength, keep_colors=keep_colors, options=self._options)
        painter.styles_are_gray = self._styles_are_gray
        return painter

    def _painted(self, image: Image, on_progress: OnProgress | None) -> Float[Tensor, "1 3 H W"]:
        photo = resized_photo(image, self.size)
        working = working_size(*photo.shape[-2:], stroke=self.stroke, least=_LEAST) or self.size
        seen = resized_photo(image, working)
        masks, size = self._masks(image, working), self._style_size(*seen.shape[-2:])
        painter = self._painter_of(size, seen)
        painter.runner.on_tile = on_progress
        return brought_back(painter.paint(seen, *masks), *photo.shape[-2:])

    def _painter_of(self, size: int, seen: Image) -> Painter:
        if not self.keep_colors:
            return self._painter_at(size)
        return self._ready(self._network(size, seen))

    def _style_size(self, height: int, width: int) -> int:
        """The longer side of the result that styles are shown as beside."""
        return min(max(height, width, _SMALLEST_STYLE), self.system.largest_style)

    def _network(self, size: int, colors: Image | None = None) -> nn.Module:
        """The stylizer for styles as large as a result of so many pixels, in the colours of a picture, if given."""
        pictures = [one.picture(size) for one in self.styles]
        if colors is not None:
            pictures = [match_colors(one, colors).clamp(0, 1) for one in pictures]
        regions = self._regions([self.system.read(one, self._reader) for one in pictures])
        alpha = self.strength if self.system.paints_part_way else 1.0
        if self.has_masks:
            return self.system.region_stylizer(regions, alpha)
        return self.system.stylizer(regions[0], alpha)

    def _regions(self, styles: Sequence[Any]) -> list[Any]:
        """Of each part of the picture: of each style with a mask, and of the mixture of the others."""
        pairs = list(zip(styles, self.styles, strict=True))
        masked = [style for style, one in pairs if one.mask is not None]
        others = [(style, one.weight) for style, one in pairs if one.mask is None]
        return [*masked, self.system.mixed(*zip(*others, strict=True))] if others else masked

    def _masks(self, image: Image, size: int | None) -> list[Float[Tensor, "1 k H W"]]:
        """What the network takes beside a photo of some longer side: its parts as the encoder sees them."""
        regions = [one.region(image, size) for one in self.styles]
        known = [_shrunken(region) for region in regions if region is not None]
        if not known:
            return []
        masks = torch.cat(known, 1)
        masks = masks / masks.sum(1, keepdim=True).clamp(min=1)
        return [masks if len(known) == len(regions) else torch.cat([masks, 1 - masks.sum(1, keepdim=True)], 1)]


def _shrunken(mask: Tensor) -> Tensor:
    height, width = (-(-max(side, _LEAST) // _SIDE) for side in mask.shape[-2:])
    large = padded_to(mask, _SIDE * height, _SIDE * width)
    return imresize(large, size=(height, width), kernel="area").clamp(0, 1)
