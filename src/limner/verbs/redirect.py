"""`redirect`: eyes that look elsewhere; all else of a photo stays as it is, bit by bit."""

import math
from collections.abc import Callable, Sequence
from numbers import Real
from os import PathLike
from pathlib import Path
from typing import NamedTuple, cast

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from limner.arguments import model_text, shown
from limner.catalog.models import load
from limner.data.gazes import NUM_POINTS
from limner.errors import LimnerError
from limner.features.eyes import EyeBox, find_eyes
from limner.files.image import losses
from limner.media.any_picture import PictureT, as_same_kind, check_output, open_picture
from limner.media.names import Naming, model_name
from limner.ops.grids import affine_places, sampled
from limner.runtime.device import choose_device
from limner.systems.feedforward.deep_warp import DeepWarp, mixed
from limner.tasks.redirect import REDIRECT
from limner.types import Image

MODEL = "gaze"
FARTHEST = (30.0, 20.0)
"""Degrees of yaw and of pitch that eyes are turned by at most: what was learnt."""

_HEIGHT, _WIDTH = 48, 64  # of what the network sees
_SHARE = 0.53  # of the width that an eye takes there: the middle of what was learnt
_BOX_SHARE = 0.65  # of the width of a cascade's box that an eye takes
_LEAST_PIXELS = 10  # from corner to corner
_CLOSED = 0.13  # height of the gap between the lids, as a share of the width of an eye
_FADE = 0.15  # of the sides, at the borders of what is changed


class Eye(NamedTuple):
    """An eye as the network sees it.

    Attributes:
        frame: (2, 3), from pixels of what the network sees to pixels of the photo.
        points: (1, 14), as shares of the sides of what it sees.
    """

    frame: Float[Tensor, "2 3"]
    points: Float[Tensor, "1 14"]

    @property
    def width(self) -> float:
        """From corner to corner, in pixels of the photo."""
        corners = self.points.view(NUM_POINTS, 2)[[0, 3]] * torch.tensor([_WIDTH, _HEIGHT])
        return float((corners[1] - corners[0]).norm() * self.frame[:, 0].norm())

    @property
    def middle(self) -> Float[Tensor, " 2"]:
        """X and y of what the network sees, in pixels of the photo."""
        return self.frame[:, :2] @ torch.tensor([(_WIDTH - 1) / 2, (_HEIGHT - 1) / 2]) + self.frame[:, 2]

    def lies_in(self, image: Image) -> bool:
        """Whether all seven points are in the photo."""
        points = self.points.view(NUM_POINTS, 2) * torch.tensor([_WIDTH, _HEIGHT]) - 0.5
        places = points @ self.frame[:, :2].T + self.frame[:, 2]
        return bool(((places >= 0) & (places <= torch.tensor([image.shape[-1] - 1, image.shape[-2] - 1]))).all())

    @property
    def openness(self) -> float:
        """Height of the gap between the lids, as a share of the width."""
        points = self.points.view(NUM_POINTS, 2) * torch.tensor([_WIDTH, _HEIGHT])
        gap = points[[4, 5]].mean(0) - points[[1, 2]].mean(0)
        return float(gap[1] / (points[3] - points[0]).norm().clamp(min=1e-6))


def redirect(
    photo: PictureT,
    angle: tuple[float, float],
    *,
    model: str | PathLike[str] = MODEL,
    eyes: Sequence[tuple[float, float, float, float]] | None = None,
    output: str | PathLike[str] | None = None,
    device: str = "auto",
    quality: int | None = None,
    overwrite: bool = False,
    on_note: Callable[[str], None] = lambda note: None,
) -> PictureT:
    """The photo with its eyes turned, in the kind that was given: a path for a path.

    Args:
        photo: As for `open_picture`.
        angle: Yaw to the right of the photo and pitch upwards, in degrees, on top of where the eyes look.
        model: The name of an embedded model, a path to a weight file, or the folder of a run.
        eyes: Rectangles around the eyes: x, y, width and height in pixels; None looks for them.
        output: Where to write the result; None puts that of a path beside it as `<name>_redirected`.
        device: `auto`, `cpu`, `cuda` or `mps`.
        quality: Of JPEG, WebP and AVIF, 1 to 100; None takes the usual.
        overwrite: Replace an existing output.
        on_note: Called with what of the picture in a file is not kept, and with eyes that are left as they are.

    Raises:
        LimnerError: If the photo cannot be read, no eye is found, there is no such model, or the output is there.

    Example:
        >>> limner.redirect("portrait.jpg", (15, 0))  # doctest: +SKIP
        'portrait_redirected.jpg'
    """
    model = model_text(model)
    naming = redirect_naming(model)
    check_output(photo, output, naming.path, quality=quality, overwrite=overwrite)
    turn = allowed(angle, on_note)
    opened, redirector = open_picture(photo), Redirector(model, device)
    if isinstance(photo, str | PathLike) and opened.picture:
        target = output or naming.path(Path(photo))
        for note in (*opened.picture.notes, *losses(target, opened.picture)):
            on_note(note)
    boxes = None if eyes is None else [_box(one) for one in eyes]
    made = torch.cat([redirector.turned(one[None], turn, boxes, on_note) for one in opened.image])
    return as_same_kind(made, photo, opened.picture, output, naming.path, quality=quality, overwrite=overwrite)


def redirect_naming(model: str, *, template: str | None = None) -> Naming:
    """How redirected photos are called.

    Raises:
        LimnerError: If the template does not fit.
    """
    usual = "{stem}_redirected"
    return Naming(template or usual, None, (usual,), model=model_name(model))


def allowed(angle: tuple[float, float], on_note: Callable[[str], None]) -> tuple[float, float]:
    """The angle, or the nearest that was learnt.

    Raises:
        LimnerError: If it is no two numbers.
    """
    if not _are_numbers(angle, 2):
        raise LimnerError(f"an angle is a yaw and a pitch in degrees, got {shown(angle)}: give two numbers, as (15, 0)")
    yaw, pitch = (max(-most, min(most, one)) for one, most in zip(angle, FARTHEST, strict=True))
    if (yaw, pitch) != tuple(angle):
        on_note(
            f"eyes are turned by {yaw:g},{pitch:g} degrees, the most that was learnt, not by {angle[0]:g},{angle[1]:g}"
        )
    return yaw, pitch


def _are_numbers(given: object, number: int) -> bool:
    """Whether these are so many finite numbers."""
    several = given if isinstance(given, Sequence) and not isinstance(given, str) else ()
    return len(several) == number and all(isinstance(one, Real) and math.isfinite(one) for one in several)


def _box(given: object) -> EyeBox:
    if not _are_numbers(given, 4):
        raise LimnerError(f"an eye is x, y, width and height in pixels, got {shown(given)}: give four numbers")
    return EyeBox(*cast("Sequence[float]", given))


class Redirector:
    """Turns the eyes of photos.

    Args of the constructor:
        model: The name of an embedded model, or a path to a weight file.
        device: `auto`, `cpu`, `cuda` or `mps`.

    Raises:
        LimnerError: If there is none of that name, or it does something else.
    """

    def __init__(self, model: str = MODEL, device: str = "auto") -> None:
        self.system = cast(DeepWarp, load(model, REDIRECT)[0])
        self.device = choose_device(device)
        self.system.to(self.device)

    @torch.inference_mode()
    def turned(
        self,
        image: Image,
        angle: tuple[float, float],
        boxes: Sequence[EyeBox] | None = None,
        on_note: Callable[[str], None] = lambda note: None,
    ) -> Image:
        """A photo (1, 3, h, w) with its eyes turned.

        Args:
            image: In [0, 1].
            angle: Yaw and pitch, in degrees.
            boxes: Around its eyes; None looks for them.
            on_note: Called with why an eye is left as it is.

        Raises:
            LimnerError: If no eye is found, or a box lies outside.
        """
        return self.look(image, self.eyes_of(image, boxes, on_note), angle)

    @torch.inference_mode()
    def eyes_of(
        self, image: Image, boxes: Sequence[EyeBox] | None = None, on_note: Callable[[str], None] = lambda note: None
    ) -> list[Eye]:
        """The eyes that can be turned.

        Raises:
            LimnerError: If no eye is found, or a box lies outside.
        """
        found = find_eyes(_gray(image)) if boxes is None else [_inside(box, image) for box in boxes]
        if not found:
            raise LimnerError("no eyes are found: name them by --eyes x,y,width,height, or take a photo of a face")
        eyes = []
        for box in found:
            eye = self._framed(image, box)
            where = f"the eye at {box.middle[0]:.0f},{box.middle[1]:.0f}"
            if eye.width < _LEAST_PIXELS:
                on_note(f"{where} is left as it is: it is {eye.width:.0f} pixels wide, and {_LEAST_PIXELS} are needed")
            elif eye.openness < _CLOSED:
                on_note(f"{where} is left as it is: it looks closed")
            elif not eye.lies_in(image):
                on_note(f"{where} is left as it is: it is cut by the border of the photo")
            else:
                eyes.append(eye)
        return eyes

    @torch.inference_mode()
    def look(self, image: Image, eyes: Sequence[Eye], angle: tuple[float, float]) -> Image:
        """A photo with these eyes turned by yaw and pitch, in degrees."""
        turn = torch.tensor([[math.radians(one) for one in angle]])
        made = image.clone()
        for eye in eyes if any(angle) else ():
            self._turn(made, eye, turn)
        return made

    @torch.inference_mode()
    def followed(self, image: Image, eyes: Sequence[Eye]) -> list[Eye]:
        """Where these eyes of the frame before are in a frame of a video; half way there, so that nothing trembles."""
        found = []
        for eye in eyes:
            x, y = eye.middle.tolist()
            side = eye.width / _BOX_SHARE
            now = self._framed(image, EyeBox(x - side / 2, y - side / 2, side, side))
            if now.openness >= _CLOSED and now.lies_in(image):
                found.append(Eye((eye.frame + now.frame) / 2, (eye.points + now.points) / 2))
        return found

    def _framed(self, image: Image, box: EyeBox) -> Eye:
        """The frame in which the corners are level and the eye has its usual width, found from a box in steps."""
        scale = box.width * _BOX_SHARE / (_SHARE * _WIDTH)
        frame = _frame(box.middle, scale, 0.0)
        for _ in range(3):
            points = self.system.finder(seen(image, frame).to(self.device)).float().cpu()
            corners = points.view(NUM_POINTS, 2)[[0, 3]] * torch.tensor([_WIDTH, _HEIGHT]) - 0.5
            left, right = (frame[:, :2] @ one + frame[:, 2] for one in corners)
            across = right - left
            angle = math.atan2(float(across[1]), float(across[0]))
            width = max(0.55 * box.width * _BOX_SHARE, min(1.6 * box.width * _BOX_SHARE, float(across.norm())))
            middle = tuple(((left + right) / 2).tolist())
            frame = _frame(middle, width / (_SHARE * _WIDTH), max(-0.35, min(0.35, angle)))
        points = self.system.finder(seen(image, frame).to(self.device)).float().cpu()
        return Eye(frame, points)

    def _turn(self, image: Image, eye: Eye, angle: Float[Tensor, "1 2"]) -> None:
        """Move the pixels of the photo itself by the flow that the network finds in what it sees."""
        small = seen(image, eye.frame)
        made = self.system.warper(*(one.to(self.device) for one in (small, eye.points, angle)))
        told = torch.cat([made.flow, made.weights], 1).float().cpu()
        top, left, bottom, right = _bounds(eye.frame, image)
        part = image[..., top:bottom, left:right].clone()
        own = _places_of(_inverse(eye.frame), (top, left, bottom, right))  # in what the network sees
        there = sampled(told, own)
        flow = torch.einsum("ab,nbhw->nahw", eye.frame[:, :2], there[:, :2])
        warped = sampled(image, _places_of(torch.eye(3)[:2], (top, left, bottom, right)) + flow)
        palette = self.system.warper.colours.float().cpu() if there.shape[1] > 3 else torch.zeros(0, 3)
        result = mixed(warped, there[:, 2:], palette)
        window = _window(own)
        image[..., top:bottom, left:right] = torch.where(window > 0, part + window * (result - part), part).clamp(0, 1)


def seen(image: Image, frame: Float[Tensor, "2 3"]) -> Float[Tensor, "1 3 48 64"]:
    """What the network sees of a photo: several places to a pixel where it is larger, so that nothing flickers."""
    finer = max(1, min(16, round(float(frame[:, 0].norm()))))
    within = torch.tensor([[1 / finer, 0, (1 / finer - 1) / 2], [0, 1 / finer, (1 / finer - 1) / 2], [0, 0, 1]])
    places = affine_places((frame @ within)[None], (finer * _HEIGHT, finer * _WIDTH))
    return F.avg_pool2d(sampled(image, places), finer)


def _frame(middle: Sequence[float], scale: float, angle: float) -> Float[Tensor, "2 3"]:
    cosine, sine = scale * math.cos(angle), scale * math.sin(angle)
    turned = torch.tensor([[cosine, -sine], [sine, cosine]])
    own = torch.tensor([(_WIDTH - 1) / 2, (_HEIGHT - 1) / 2])
    return torch.cat([turned, (torch.tensor(list(middle), dtype=torch.float32) - turned @ own)[:, None]], 1)


def _places_of(theta: Float[Tensor, "2 3"], bounds: tuple[int, int, int, int]) -> Float[Tensor, "1 2 h w"]:
    """Where theta takes the pixels of a part of a photo."""
    top, left, bottom, right = bounds
    begin = theta[:, :2] @ torch.tensor([float(left), float(top)]) + theta[:, 2]
    return affine_places(torch.cat([theta[:, :2], begin[:, None]], 1)[None], (bottom - top, right - left))


def _inverse(frame: Float[Tensor, "2 3"]) -> Float[Tensor, "2 3"]:
    return torch.linalg.inv(torch.cat([frame, torch.tensor([[0.0, 0.0, 1.0]])]))[:2]


def _bounds(frame: Float[Tensor, "2 3"], image: Image) -> tuple[int, int, int, int]:
    """Top, left, bottom and right of what a frame covers of a photo."""
    corners = torch.tensor([[x, y] for x in (0.0, _WIDTH - 1.0) for y in (0.0, _HEIGHT - 1.0)])
    reached = corners @ frame[:, :2].T + frame[:, 2]
    (left, top), (right, bottom) = reached.amin(0).floor().tolist(), reached.amax(0).ceil().tolist()
    height, width = image.shape[-2:]
    return max(0, int(top)), max(0, int(left)), min(height, int(bottom) + 1), min(width, int(right) + 1)


def _window(own: Float[Tensor, "1 2 h w"]) -> Float[Tensor, "1 1 h w"]:
    """1 in the middle of what the network sees, 0 at its borders and beyond, smooth between."""
    sides = torch.tensor([_WIDTH, _HEIGHT]).view(1, 2, 1, 1)
    share = (own + 0.5) / sides
    near = (torch.minimum(share, 1 - share) / _FADE).clamp(0, 1)
    smooth = near * near * (3 - 2 * near)
    return smooth[:, :1] * smooth[:, 1:]


def _gray(image: Image) -> np.ndarray:
    weights = torch.tensor([0.299, 0.587, 0.114])[:, None, None]
    return (255 * (image[0] * weights).sum(0)).round().clamp(0, 255).to(torch.uint8).numpy()


def _inside(box: EyeBox, image: Image) -> EyeBox:
    height, width = image.shape[-2:]
    x, y = box.middle
    if min(box.width, box.height) < 4 or not (0 <= x < width and 0 <= y < height):
        raise LimnerError(
            f"an eye must lie in the photo of {width}x{height} pixels and be 4 or more wide and high, got "
            f"{box.x:g},{box.y:g},{box.width:g},{box.height:g}: measure it anew"
        )
    return box
