"""Any style in one forward pass: AdaIN on photos of any size, ready for many of them."""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache, partial
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from limner.catalog.models import embedded, load
from limner.errors import LimnerError
from limner.files.image import Picture, to_tensor
from limner.media.any_picture import picture_of, resized_photo
from limner.ops.color import match_colors
from limner.ops.framing import padded_to
from limner.ops.resample import imresize
from limner.ops.statistics import Statistics
from limner.runtime.run_options import RunOptions
from limner.runtime.runner import Runner
from limner.systems.feedforward.adain import STRIDE, AdaIN, mixed
from limner.tasks.stylize import STYLIZE_LIKE
from limner.types import Image, OnProgress
from limner.verbs.stylize.network_painter import Painter, check_strength
from limner.verbs.stylize.style import Style, open_style

ADAIN = "adain"
"""The embedded network that takes any style."""

LARGEST_STYLE = 1024
"""The longer side, in pixels, of the largest result that a style picture is shown as large as."""

_KEPT = 4  # painters, each for results of one size


def load_adain(model: str = ADAIN) -> AdaIN:
    """A trained AdaIN.

    Args:
        model: The name of an embedded model, or a path to a weight file.

    Raises:
        LimnerError: If there is none, or it is of another system.
    """
    if model == ADAIN and model not in embedded():
        raise LimnerError(
            "no network for any style comes with this Limner: "
            "pass --model with one that limner train adain wrote, or --method gatys"
        )
    return cast(AdaIN, load(model, STYLIZE_LIKE)[0])


class AdaINPainter:
    """Paints photos in the style of pictures, which it encodes once for results of one size.

    A style picture is shown as large as the result, times its scale; beside a result larger than `LARGEST_STYLE`, as
    beside one of that size: its strokes stay as many pixels wide, and it is encoded once for all of these.

    Args of the constructor:
        system: As `load_adain` gives it.
        styles: At least one. Those without a mask are mixed by their weights wherever no mask is; where masks lie over
            each other they share the place.
        strength: alpha of equation 14: from 0, the photo as the network sees it, to 1, the painting.
        keep_colors: Give the styles the colours of each photo first (section 7.4).
        size: The longer side of the result in pixels; None keeps that of the photo.
        options: How it is run; masks are painted by torch alone.

    Raises:
        LimnerError: If there is no style, one cannot be read, a number does not fit, or the device is not there.
    """

    def __init__(
        self,
        system: AdaIN,
        styles: Sequence[Style],
        *,
        strength: float = 1.0,
        keep_colors: bool = False,
        size: int | None = None,
        options: RunOptions = RunOptions(),
    ) -> None:
        check_strength(strength)
        if not styles:
            raise LimnerError("a style is missing: pass --style with a picture, or with a name of --list")
        self.system, self.strength, self.keep_colors, self.size = system, strength, keep_colors, size
        self.memory = options.memory
        self.styles = [open_style(one, LARGEST_STYLE) for one in styles]
        self.has_masks = any(one.mask is not None for one in self.styles)
        if self.has_masks and options.backend not in ("auto", "torch"):
            raise LimnerError(
                f"masks are painted by torch alone, got the backend {options.backend}: leave one of them out"
            )
        self._encoder = Runner(system.encoder, replace(options, backend="auto", tile=None))
        self._ready = partial(Painter, options=options)
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
        return picture_of(self.paint(to_tensor(picture), on_progress), picture)

    @property
    def needs_whole(self) -> bool:
        """Whether a photo must be seen whole before it is painted: for its masks, or for its colours."""
        return self.has_masks or self.keep_colors

    def for_size(self, height: int, width: int) -> Painter:
        """What paints photos of one size in parts, if it does not need them whole.

        Raises:
            LimnerError: If the photos or a style are too small.
        """
        assert not self.needs_whole
        _check_size(height, width)
        return self._painter_at(_style_size(height, width))

    def for_frames(self, height: int, width: int) -> Painter:
        """What paints pictures of one size that follow each other, without masks.

        Kept colours are then those of each frame, by painting its luminance alone: styles that take the colours of each
        frame would flicker.

        Raises:
            LimnerError: If the frames or a style are too small, or there are masks.
        """
        if self.has_masks:
            raise LimnerError("frames are painted without masks, got some: leave them out")
        _check_size(height, width)
        return self._ready(self._network(_style_size(height, width)), keep_colors=self.keep_colors)

    def _painted(self, image: Image, on_progress: OnProgress | None) -> Float[Tensor, "1 3 H W"]:
        photo = resized_photo(image, self.size)
        _check_size(*photo.shape[-2:])
        masks, size = self._masks(image), _style_size(*photo.shape[-2:])
        painter = self._ready(self._network(size, photo)) if self.keep_colors else self._painter_at(size)
        painter.runner.on_tile = on_progress
        return painter.paint(photo, *masks)

    def _network(self, size: int, colors: Image | None = None) -> nn.Module:
        """The stylizer for styles as large as a result of so many pixels, in the colours of a picture, if given."""
        pictures = [one.picture(size) for one in self.styles]
        if colors is not None:
            pictures = [match_colors(one, colors).clamp(0, 1) for one in pictures]
        regions = self._regions([self.system.statistics(one, self._encoder) for one in pictures])
        if self.has_masks:
            return self.system.region_stylizer(regions, self.strength)
        return self.system.stylizer(regions[0], self.strength)

    def _regions(self, styles: Sequence[Statistics]) -> list[Statistics]:
        """Of each part of the picture: of each style with a mask, and of the mixture of the others."""
        pairs = list(zip(styles, self.styles, strict=True))
        masked = [style for style, one in pairs if one.mask is not None]
        others = [(style, one.weight) for style, one in pairs if one.mask is None]
        return [*masked, mixed(*zip(*others, strict=True))] if others else masked

    def _masks(self, image: Image) -> list[Float[Tensor, "1 k H W"]]:
        """What the network takes beside the photo: these parts as the encoder's last layer sees them, if there are."""
        regions = [one.region(image, self.size) for one in self.styles]
        known = [_shrunken(region) for region in regions if region is not None]
        if not known:
            return []
        masks = torch.cat(known, 1)
        masks = masks / masks.sum(1, keepdim=True).clamp(min=1)
        return [masks if len(known) == len(regions) else torch.cat([masks, 1 - masks.sum(1, keepdim=True)], 1)]


def _check_size(height: int, width: int) -> None:
    if min(height, width) < 2 * STRIDE:
        raise LimnerError(f"the content must have {2 * STRIDE} pixels a side or more, got {width}x{height}: enlarge it")


def _style_size(height: int, width: int) -> int:
    """The longer side of the result that styles are shown as beside."""
    return min(max(height, width), LARGEST_STYLE)


def _shrunken(mask: Tensor) -> Tensor:
    height, width = (-(-side // STRIDE) for side in mask.shape[-2:])
    large = padded_to(mask, STRIDE * height, STRIDE * width)
    return imresize(large, size=(height, width), kernel="area").clamp(0, 1)
