"""Painters: networks that paint a photo in a style in one pass, ready for many photos."""

from collections.abc import Callable, Mapping

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from limner.catalog import embedded, load, weights_path
from limner.errors import LimnerError
from limner.files.image import Picture, to_tensor
from limner.files.weights import read_header
from limner.ops.framing import with_longer_side
from limner.runtime.runner import Runner
from limner.systems.feedforward.fast_style import FastStyle
from limner.systems.optimize.style import with_colors_of
from limner.types import Image, Precision
from limner.verbs.given import picture_of
from limner.verbs.style_reference import check_weight

EMBEDDED = "styles"
"""The embedded network that knows the styles of `limner stylize --list`."""

OnTile = Callable[[int, int], None]


class Painter:
    """A network for one style, or one mixture of styles.

    Args of the constructor:
        network: From RGB (n, 3, h, w) in [0, 1] to the same size; `size_multiple` is that of the sides that it takes,
            `input_noise` the deviation of what is to be added to photos, the same for each.
        strength: From 0, the photo itself, to 1, the painting.
        keep_colors: Take the luminance alone from the painting.
        size: The longer side of the result in pixels; None keeps that of the photo.
        device: `auto`, `cpu`, `cuda` or `mps`.
        precision: `fast` (bfloat16 where it pays) or `exact` (float32).
        backend: As for `Runner`.
        tile: Side of the tiles in pixels; None chooses. The result does not depend on it.
        memory: Bytes that the process may hold in all; None takes half of what is free.
        threads: CPU threads; None leaves that to torch.

    Raises:
        LimnerError: If the strength is not in [0, 1], or the device or the backend is not there.
    """

    def __init__(
        self,
        network: nn.Module,
        *,
        strength: float = 1.0,
        keep_colors: bool = False,
        size: int | None = None,
        device: str = "auto",
        precision: Precision = "fast",
        backend: str = "auto",
        tile: int | None = None,
        memory: int | None = None,
        threads: int | None = None,
    ) -> None:
        check_strength(strength)
        self.strength, self.keep_colors, self.size = strength, keep_colors, size
        self.multiple = int(getattr(network, "size_multiple", 1))
        self.noise = float(getattr(network, "input_noise", 0.0))
        self.runner = Runner(
            network,
            device=device,
            precision=precision,
            backend=backend,
            tile=tile,
            memory=memory,
            threads=threads,
        )

    def paint(self, image: Image, *others: Tensor) -> Float[Tensor, "n 3 H W"]:
        """RGB (n, 3, h, w) in [0, 1], and what else the network takes -> the painting, in [0, 1]."""
        photo = with_longer_side(image, self.size)
        height, width = photo.shape[-2:]
        given = padded(photo, self.multiple)
        if self.noise:
            given = given + self.noise * torch.randn(given.shape, generator=torch.Generator().manual_seed(0))
        painted = self.runner(given, *others)[..., :height, :width].clamp(0, 1)
        if self.keep_colors:
            painted = with_colors_of(photo, painted)
        return painted if self.strength == 1 else torch.lerp(photo, painted, self.strength)

    def paint_picture(self, picture: Picture, on_tile: OnTile | None = None) -> Picture:
        """Paint a photo; its transparency, depth, profile and metadata stay."""
        self.runner.on_tile = on_tile
        return picture_of(self.paint(to_tensor(picture)), picture)


def padded(image: Float[Tensor, "n c h w"], multiple: int) -> Float[Tensor, "n c H W"]:
    """With sides that are multiples of a number: the last row and column again."""
    height, width = image.shape[-2:]
    return F.pad(image, (0, -width % multiple, 0, -height % multiple), mode="replicate")


def check_strength(strength: float) -> None:
    """Refuse what lies beyond the photo and the painting.

    Raises:
        LimnerError: If it is not in [0, 1].
    """
    if not 0 <= strength <= 1:
        raise LimnerError(f"strength must be between 0, the photo, and 1, the painting, got {strength:g}")


def known_styles(model: str = EMBEDDED) -> tuple[str, ...]:
    """The names of the styles that a network paints in one pass.

    Raises:
        LimnerError: If there is no such model, or it is none that paints.
    """
    path = weights_path(model)
    header = read_header(path)
    if header.system != "fast-style":
        raise LimnerError(f"{model} is a {header.system}, which does not paint: see `limner models`")
    return tuple(header.config["styles"])


def one_pass(styles: Mapping[str, float], model: str = EMBEDDED) -> nn.Module:
    """The network of a weight file for one mixture of its styles.

    Args:
        styles: By name, with their weights; none means the first style of the file.
        model: An embedded model, or a file that `limner train fast-style` wrote.

    Raises:
        LimnerError: If there is no such model or style, or a weight is not above 0.
    """
    network = _network(model)
    names = network.config.styles
    for name, weight in styles.items():
        if name not in names:
            raise LimnerError(
                f"{model} paints {', '.join(names)}, got {name!r}: "
                "name one of them, or a picture with --method adain or gatys"
            )
        check_weight(weight)
    given = {name: weight / sum(styles.values()) for name, weight in styles.items()} or {names[0]: 1.0}
    return network.at(torch.tensor([given.get(name, 0.0) for name in names]))


def _network(model: str) -> FastStyle:
    if model == EMBEDDED and model not in embedded():
        raise LimnerError(
            "no network for the styles of --list comes with this Limner: "
            "pass --model with one that limner train fast-style wrote, or --method gatys"
        )
    system, header = load(model)
    if not isinstance(system, FastStyle):
        raise LimnerError(f"{model} is a {header.system}, which does not paint: see `limner models`")
    return system
