"""Painters: networks that paint a photo in a style in one pass, ready for many photos."""

from collections.abc import Callable, Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from limner.catalog import embedded, load, weights_path
from limner.errors import LimnerError
from limner.files.image import Picture, to_tensor
from limner.files.weights import Header, read_header
from limner.media.any_kind import picture_of
from limner.media.sized import resized
from limner.ops.framing import padded_to
from limner.runtime.runner import Runner
from limner.systems.feedforward.fast_style import FastStyle
from limner.systems.feedforward.many_styles import ManyStyles
from limner.systems.feedforward.texture_network import TextureNetwork
from limner.systems.optimize.style import with_colors_of
from limner.types import Image, Precision
from limner.verbs.stylize.network_inputs import Feed, fed
from limner.verbs.stylize.style import check_weight

EMBEDDED = "styles"
"""The embedded network that knows the styles of `limner stylize --list`."""

MANY_STYLES = "many-styles"
"""The embedded network that learns others by scales and shifts alone; of what both know, this one is taken."""

_ONLY = "style"  # what the style of a network that knows one alone is called

OnTile = Callable[[int, int], None]


class Painter:
    """A network for one style, or one mixture of styles.

    Args of the constructor:
        network: From RGB (n, 3, h, w) in [0, 1] to the same size; `size_multiple` is that of the sides that it takes,
            `input_noise` the deviation of what is to be added to photos, the same for each. Or a texture network that
            paints.
        strength: From 0, the photo itself, to 1, the painting.
        keep_colors: Take the luminance alone from the painting.
        size: The longer side of the result in pixels; None keeps that of the photo.
        seed: Of the noise that the network is given.
        device: `auto`, `cpu`, `cuda` or `mps`.
        precision: `fast` (bfloat16 where it pays) or `exact` (float32).
        backend: As for `Runner`.
        tile: Side of the tiles in pixels; None chooses. The result does not depend on it.
        memory: Bytes that the process may hold in all; None takes half of what is free.
        threads: CPU threads; None leaves that to torch.

    Raises:
        LimnerError: If the strength is not in [0, 1], or the device or the backend is not there or not for the network.
    """

    def __init__(
        self,
        network: nn.Module,
        *,
        strength: float = 1.0,
        keep_colors: bool = False,
        size: int | None = None,
        seed: int = 0,
        device: str = "auto",
        precision: Precision = "fast",
        backend: str = "auto",
        tile: int | None = None,
        memory: int | None = None,
        threads: int | None = None,
    ) -> None:
        check_strength(strength)
        self.strength, self.keep_colors, self.size, self.memory = strength, keep_colors, size, memory
        self._fed = fed(network, seed)
        if len(self._fed.feeds) > 1 and backend not in ("auto", "torch"):
            raise LimnerError(
                f"a texture network takes a photo at several scales, which torch alone does, got {backend}: "
                "pass --backend torch"
            )
        self.runner = Runner(
            self._fed.network,
            device=device,
            precision=precision,
            backend=backend,
            tile=tile,
            memory=memory,
            threads=threads,
        )

    def paint(self, image: Image, *others: Tensor) -> Float[Tensor, "n 3 H W"]:
        """RGB (n, 3, h, w) in [0, 1], and what else the network takes -> the painting, in [0, 1]."""
        photo = resized(image, self.size)
        height, width = photo.shape[-2:]
        padded = padded_to(photo, *self.padded_size(height, width))
        painted = self.runner(*(feed(padded, 0, 0) for feed in self.feeds), *others)
        return self.finish(photo, painted[..., :height, :width])

    @property
    def feeds(self) -> Sequence[Feed]:
        """How the network's inputs are made of a photo of the padded size, whole or in parts."""
        return self._fed.feeds

    def padded_size(self, height: int, width: int) -> tuple[int, int]:
        """The sides that a photo is brought to, by its last row and column again, for the network."""
        multiple, least = self._fed.multiple, self._fed.least_side
        down, across = (-(-max(side, least) // multiple) * multiple for side in (height, width))
        return down, across

    def finish(self, photo: Image, painted: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n 3 h w"]:
        """The painting, in [0, 1], of what the network has made of a photo, or of the same part of both."""
        painted = painted.clamp(0, 1)
        if self.keep_colors:
            painted = with_colors_of(photo, painted)
        return painted if self.strength == 1 else torch.lerp(photo, painted, self.strength)

    def paint_picture(self, picture: Picture, on_tile: OnTile | None = None) -> Picture:
        """Paint a photo; its transparency, depth, profile and metadata stay."""
        self.runner.on_tile = on_tile
        return picture_of(self.paint(to_tensor(picture)), picture)

    needs_whole = False
    """Whether a photo must be seen whole before it is painted."""

    def for_size(self, height: int, width: int) -> "Painter":
        """What paints photos of one size in parts: this one."""
        return self


def check_strength(strength: float) -> None:
    """Refuse what lies beyond the photo and the painting.

    Raises:
        LimnerError: If it is not in [0, 1].
    """
    if not 0 <= strength <= 1:
        raise LimnerError(f"strength must be between 0, the photo, and 1, the painting, got {strength:g}")


def paints(header: Header) -> bool:
    """Whether a weight file holds a network that paints in one pass."""
    return header.system in ("fast-style", "many-styles") or (
        header.system == "texture-network" and header.config.get("content_weight", 0) > 0
    )


def known_styles(model: str = EMBEDDED) -> tuple[str, ...]:
    """The names of the styles that a network paints in one pass; that of a texture network is `style`.

    Raises:
        LimnerError: If there is no such model, or it is none that paints.
    """
    header = read_header(weights_path(model))
    _check_paints(model, header)
    return tuple(header.config.get("styles", (_ONLY,)))


def one_pass(styles: Mapping[str, float], model: str = EMBEDDED) -> nn.Module:
    """The network of a weight file for one mixture of its styles.

    Args:
        styles: By name, or by place in the file, from 0, with their weights; none means the first style of the file.
        model: An embedded model, or a file that `limner learn-style` or `limner train fast-style` wrote, or `limner
            train texture-network` with the preset `style`.

    Raises:
        LimnerError: If there is no such model or style, or a weight is not above 0.
    """
    network = _network(model)
    names = (_ONLY,) if isinstance(network, TextureNetwork) else network.config.styles
    given = dict.fromkeys(names, 0.0)
    for style, weight in styles.items():
        given[_named(style, names, model)] += weight
        check_weight(weight)
    if isinstance(network, TextureNetwork):
        return network
    if not styles:
        given[names[0]] = 1.0
    return network.at(torch.tensor(list(given.values())) / sum(given.values()))


def _named(style: str, names: Sequence[str], model: str) -> str:
    """The name of a style that is given by its name, or by its place in the list, from 0."""
    if style in names:
        return style
    if style.isdecimal() and int(style) < len(names):
        return names[int(style)]
    raise LimnerError(
        f"{model} paints {', '.join(names)}, got {style!r}: name one of them, or a picture with --method adain or gatys"
    )


def _network(model: str) -> FastStyle | ManyStyles | TextureNetwork:
    if model == EMBEDDED and model not in embedded():
        raise LimnerError(
            "no network for the styles of --list comes with this Limner: "
            "pass --model with one that limner train fast-style wrote, or --method gatys"
        )
    system, header = load(model)
    _check_paints(model, header)
    assert isinstance(system, FastStyle | ManyStyles | TextureNetwork)
    return system


def _check_paints(model: str, header: Header) -> None:
    if paints(header):
        return
    if header.system == "texture-network":
        raise LimnerError(
            f"{model} makes textures and paints no photos: draw them with limner texture --method network, or train "
            "one that paints with limner train texture-network --preset style --style PICTURE"
        )
    raise LimnerError(f"{model} is a {header.system}, which does not paint: see `limner models`")
