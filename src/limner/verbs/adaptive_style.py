"""Any style in one forward pass: AdaIN on a picture of any size, from tensor to tensor."""

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from limner.catalog import load
from limner.errors import LimnerError
from limner.ops.color import match_colors
from limner.ops.resample import imresize
from limner.ops.statistics import Statistics
from limner.runtime.runner import Runner
from limner.systems.feedforward.adain import STRIDE, AdaIN, mixed
from limner.systems.optimize.style import Reference
from limner.types import Image, Precision


def load_adain(model: str) -> AdaIN:
    """A trained AdaIN.

    Args:
        model: The name of an embedded model, or a path to a weight file.

    Raises:
        LimnerError: If there is none, or it is of another system.
    """
    system, header = load(model)
    if not isinstance(system, AdaIN):
        raise LimnerError(f"{model} is of {header.system}, not of adain: name another model")
    return system


def paint(
    system: AdaIN,
    content: Image,
    references: Sequence[Reference],
    *,
    alpha: float = 1.0,
    keep_colors: bool = False,
    device: str = "auto",
    precision: Precision = "fast",
    tile: int | None = None,
    memory: int | None = None,
    threads: int | None = None,
    on_tile: Callable[[int, int], None] | None = None,
) -> Image:
    """A picture in the style of others, as large as it is; what does not fit into the memory is painted in parts.

    Args:
        system: As `load_adain` gives it.
        content: (1, 3, h, w).
        references: The styles, at least one, each as large as its strokes are to be seen. Those without a mask are
            mixed by their weights wherever no mask is; a mask is as large as the content.
        alpha: 0 keeps the content, 1 takes the style (equation 14).
        keep_colors: Give the styles the content's colours first (section 7.4).
        device: As for `Runner`.
        precision: As for `Runner`.
        tile: As for `Runner`.
        memory: As for `Runner`.
        threads: As for `Runner`.
        on_tile: Told after each part how many of how many are done.

    Raises:
        LimnerError: If there is no style, a picture is too small, a mask has another size, or memory is too short.
    """
    _check(content, references)
    height, width = content.shape[-2:]
    styles = [system.statistics(_recolored(one.image, content) if keep_colors else one.image) for one in references]
    regions, masks = _regions(references, styles, content)
    network = system.stylizer(regions[0], alpha) if masks is None else system.region_stylizer(regions, alpha)
    runner = Runner(network, device=device, precision=precision, tile=tile, memory=memory, threads=threads)
    runner.on_tile = on_tile
    inputs = [_padded(content)] if masks is None else [_padded(content), masks]
    return runner(*inputs)[..., :height, :width].clamp(0, 1)


def _regions(
    references: Sequence[Reference], styles: Sequence[Statistics], content: Image
) -> tuple[list[Statistics], Tensor | None]:
    """The styles that have a part of the picture each, and these parts (1, k, h / 8, w / 8); None is all of it."""
    free = [number for number, one in enumerate(references) if one.mask is None]
    regions = [style for style, one in zip(styles, references, strict=True) if one.mask is not None]
    rest = [mixed([styles[number] for number in free], [references[number].weight for number in free])] if free else []
    if not regions:
        return rest, None
    masks = torch.cat([_shrunken(one.mask) for one in references if one.mask is not None], 1)
    masks = masks / masks.sum(1, keepdim=True).clamp(min=1)  # where masks lie over each other, they share the place
    if free:
        masks = torch.cat([masks, 1 - masks.sum(1, keepdim=True)], 1)
    return [*regions, *rest], masks


def _shrunken(mask: Tensor) -> Tensor:
    """As the encoder's last layer sees it."""
    large = _padded(mask)
    return imresize(large, size=(large.shape[-2] // STRIDE, large.shape[-1] // STRIDE), kernel="area").clamp(0, 1)


def _recolored(style: Image, content: Image) -> Image:
    return match_colors(style, content).clamp(0, 1)


def _padded(image: Tensor) -> Tensor:
    """With sides that are multiples of 8: the last row and column again."""
    down, across = (-side % STRIDE for side in image.shape[-2:])
    return F.pad(image, (0, across, 0, down), mode="replicate")


def _check(content: Image, references: Sequence[Reference]) -> None:
    if not references:
        raise LimnerError("styles must be one picture or more, got none")
    if min(content.shape[-2:]) < 2 * STRIDE:
        size = f"{content.shape[-1]}x{content.shape[-2]}"
        raise LimnerError(f"the content must have {2 * STRIDE} pixels a side or more, got {size}: enlarge it")
    for one in references:
        if one.mask is not None and one.mask.shape[-2:] != content.shape[-2:]:
            raise LimnerError(
                f"a mask must be as large as the content, {content.shape[-1]}x{content.shape[-2]}, "
                f"got {one.mask.shape[-1]}x{one.mask.shape[-2]}: resize it"
            )
