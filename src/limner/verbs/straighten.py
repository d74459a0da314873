"""`straighten`: a digit that lies turned, moved or small is laid straight, and its class is told."""

from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import NamedTuple, cast

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from limner.arguments import model_text
from limner.catalog.models import load
from limner.errors import LimnerError
from limner.files.image import losses
from limner.media.any_picture import PictureT, as_same_kind, check_output, open_picture
from limner.media.names import Naming, model_name
from limner.ops.grids import sampled
from limner.ops.resample import imresize
from limner.runtime.device import choose_device
from limner.systems.feedforward.spatial_transformer import SpatialTransformer
from limner.tasks.straighten import STRAIGHTEN
from limner.types import Image

MODEL = "transformer-digits"

_ROOM = 2.0  # sides of what the network sees, over those of the ink: the middle of what was learnt
_INK = 0.4  # share of the strongest difference from the background from which on something is ink
_FAINT = 0.05  # differences that are no ink
_SLIMMEST = 50  # times as long as wide: more than any digit is


class Straightened(NamedTuple):
    """What was found.

    Attributes:
        image: The square around the ink (n, 3, s, s), in [0, 1], straightened; its pixels are the photo's own.
        label: The number of the likeliest class.
        probability: How sure the network is of it, in [0, 1].
    """

    image: Image
    label: int
    probability: float


def straighten(
    photo: PictureT,
    *,
    model: str | PathLike[str] = MODEL,
    output: str | PathLike[str] | None = None,
    device: str = "auto",
    quality: int | None = None,
    overwrite: bool = False,
    on_note: Callable[[str], None] = lambda note: None,
) -> PictureT:
    """The one digit of a photo laid straight, in the kind that was given: a path for a path.

    Args:
        photo: As for `open_picture`, of dark ink on light ground or the other way round.
        model: The name of an embedded model, a path to a weight file, or the folder of a run.
        output: Where to write the result; None puts that of a path beside it as `<name>_straightened`.
        device: `auto`, `cpu`, `cuda` or `mps`.
        quality: Of JPEG, WebP and AVIF, 1 to 100; None takes the usual.
        overwrite: Replace an existing output.
        on_note: Called with the class, and with what of the picture in a file is not kept.

    Raises:
        LimnerError: If the photo cannot be read or is of one colour, there is no such model, or the output is there.

    Example:
        >>> limner.straighten("seven.jpg")  # doctest: +SKIP
        'seven_straightened.jpg'
    """
    model = model_text(model)
    naming = straighten_naming(model)
    check_output(photo, output, naming.path, quality=quality, overwrite=overwrite)
    opened, straightener = open_picture(photo), Straightener(model, device)
    if isinstance(photo, str | PathLike) and opened.picture:
        for note in (*opened.picture.notes, *losses(output or naming.path(Path(photo)), opened.picture)):
            on_note(note)
    found = [straightener(one[None]) for one in opened.image]
    for one in found:
        on_note(f"class {one.label}, {one.probability:.0%} sure")
    sides = {one.image.shape for one in found}
    if len(sides) > 1:
        raise LimnerError("what is straightened has the size of its ink, which differs: pass pictures one by one")
    made = torch.cat([one.image for one in found])
    return as_same_kind(made, photo, opened.picture, output, naming.path, quality=quality, overwrite=overwrite)


def straighten_naming(model: str, *, template: str | None = None) -> Naming:
    """How straightened photos are called.

    Raises:
        LimnerError: If the template does not fit.
    """
    usual = "{stem}_straightened"
    return Naming(template or usual, None, (usual,), model=model_name(model))


class Straightener:
    """Straightens photos of one digit each.

    Args of the constructor:
        model: The name of an embedded model, or a path to a weight file.
        device: `auto`, `cpu`, `cuda` or `mps`.

    Raises:
        LimnerError: If there is none of that name, or it does something else.
    """

    def __init__(self, model: str = MODEL, device: str = "auto") -> None:
        self.system = cast(SpatialTransformer, load(model, STRAIGHTEN)[0])
        self.device = choose_device(device)
        self.system.to(self.device)

    @torch.inference_mode()
    def __call__(self, image: Image) -> Straightened:
        """A photo (1, 3, h, w) in [0, 1], straightened.

        Raises:
            LimnerError: If it is of one colour, or its ink is far longer than wide.
        """
        ink = ink_of(image)
        top, left, side = _square(ink)
        seen = _cut(ink, top, left, side)
        scale = self.system.config.side
        seen = imresize(seen, size=(scale, scale)).clamp(0, 1).to(self.device)
        theta = None if self.system.localisation is None else self.system.found(seen)
        probabilities = self.system.scores(seen, theta).float().softmax(1)[0].cpu()
        label = int(probabilities.argmax())
        corner = torch.tensor([float(left), float(top)]).view(1, 2, 1, 1)
        if theta is None:
            theta = torch.tensor([[1.0, 0, 0, 0, 1, 0]])
        places = self.system.places(theta.cpu(), (side, side)) + corner
        return Straightened(sampled(image, places, "border").clamp(0, 1), label, float(probabilities[label]))


def ink_of(image: Image) -> Float[Tensor, "1 1 h w"]:
    """How far each pixel is from the background, which the borders show: light on black, in [0, 1].

    Raises:
        LimnerError: If the picture is of one colour.
    """
    gray = (image * torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)).sum(1, keepdim=True)
    border = torch.cat([gray[..., 0, :], gray[..., -1, :], gray[..., 0], gray[..., -1]], -1)
    apart = (gray - border.median()).abs()
    if float(apart.max()) < _FAINT:
        raise LimnerError("the picture is of one colour: take one of a digit on a plain ground")
    return apart / apart.max()


def _square(ink: Float[Tensor, "1 1 h w"]) -> tuple[int, int, int]:
    """Top, left and side of what the network is shown: the ink with room around it.

    Raises:
        LimnerError: If the ink is a line that is no digit, of which the square would be far larger than the photo.
    """
    is_ink = ink[0, 0] > _INK
    rows, columns = is_ink.any(1).nonzero().flatten(), is_ink.any(0).nonzero().flatten()
    high, wide = int(rows[-1] - rows[0]) + 1, int(columns[-1] - columns[0]) + 1
    if max(high, wide) > _SLIMMEST * min(high, wide):
        raise LimnerError(
            f"a digit's ink must be at most {_SLIMMEST} times as long as wide, got {wide}x{high} pixels: take a photo "
            "of one digit on a plain ground"
        )
    side = max(8, round(_ROOM * max(high, wide)))
    return int(rows[0]) + (high - side) // 2, int(columns[0]) + (wide - side) // 2, side


def _cut(ink: Float[Tensor, "1 1 h w"], top: int, left: int, side: int) -> Float[Tensor, "1 1 s s"]:
    """A square that may reach beyond the picture, where it is black."""
    height, width = ink.shape[-2:]
    return F.pad(ink, [-left, left + side - width, -top, top + side - height])
