"""Pictures of eyes whose gaze is known, two of one person at a time: what redirection is learnt from."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float
from pydantic import BaseModel, Field, TypeAdapter, ValidationError
from torch import Tensor

from limner.data.source import DataConfig
from limner.errors import LimnerError
from limner.files.image import read_image
from limner.files.json_text import parse_json
from limner.files.visible import visible_tensor
from limner.ops.grids import affine_places, sampled
from limner.types import Image

META_FILE = "meta.json"
NUM_POINTS = 7
"""Of an eye: a corner, two of the upper lid, the other corner, two of the lower lid, the pupil."""
_MOST_BYTES = 2**26  # of the list of pictures
_MIRRORED = (3, 2, 1, 0, 5, 4, 6)
"""Which point of an eye becomes which of its mirror image."""

Point = Annotated[tuple[float, float], "x and y, in pixels"]


class _Eye(BaseModel):
    file: str
    subject: int
    gaze_yaw: float
    gaze_pitch: float
    landmarks: Annotated[list[Point], Field(min_length=NUM_POINTS, max_length=NUM_POINTS)]


_EYES = TypeAdapter(list[_Eye])


class Gazes(NamedTuple):
    """A batch of eyes, how far their gaze is to turn, and the same eyes with it turned.

    Attributes:
        image: In [0, 1].
        points: x and y of each point in turn, as shares of width and height.
        angle: Yaw to the right of the picture and pitch upwards, in radians.
        target: In [0, 1].
    """

    image: Float[Tensor, "n 3 h w"]
    points: Float[Tensor, "n 14"]
    angle: Float[Tensor, "n 2"]
    target: Float[Tensor, "n 3 h w"]

    @property
    def inputs(self) -> tuple[Tensor, ...]:
        """What the system's forward pass is given."""
        return (self.image, self.points, self.angle)


class GazesConfig(DataConfig):
    """How eyes are cropped, and how much pairs vary in what both of a pair share."""

    height: int = Field(48, ge=16, description="of a sample, in pixels")
    width: int = Field(64, ge=16, description="of a sample, in pixels")
    least_share: float = Field(0.38, gt=0, lt=1, description="of the width of a sample that the eye takes, at least")
    most_share: float = Field(0.68, gt=0, lt=1, description="of the width of a sample that the eye takes, at most")
    shift: float = Field(0.06, ge=0, lt=0.3, description="most that the eye is off the middle, as a share of the sides")
    rotate: float = Field(12.0, ge=0, description="degrees of the largest turn")
    mirror: bool = Field(True, description="mirror at random")
    light: float = Field(
        0.35, ge=0, description="deviation of the logarithm of brightness; of colours and contrast less"
    )
    blur: float = Field(0.8, ge=0, description="largest deviation of a blur, in pixels")
    noise: float = Field(0.02, ge=0, description="largest deviation of noise, of the first picture alone")
    augment: bool = Field(True, description="vary at all; without it the eye is cropped in the middle")

    def load(self, place: Path, *, memory: int | None = None) -> "GazePairs":
        """The pairs of a folder with `meta.json`; held out are people, not pictures.

        Raises:
            LimnerError: If there are none, or what is told of them is not whole.
        """
        return GazePairs(self._people(place), self)

    def files(self, place: Path) -> list[Path]:
        """What tells of the pictures, and they."""
        return [place / META_FILE, *(place / eye.file for eye in _read_meta(place))]

    def _people(self, place: Path) -> list[list["Seen"]]:
        by_person: dict[int, list[Seen]] = {}
        for eye in _read_meta(place):
            picture = visible_tensor(read_image(place / eye.file))[0]
            gaze = torch.tensor([math.radians(eye.gaze_yaw), math.radians(eye.gaze_pitch)])
            by_person.setdefault(eye.subject, []).append(Seen(picture, torch.tensor(eye.landmarks), gaze))
        people = list(by_person.values())
        found = [people[number] for number in self.chosen(len(people))]
        if not found or any(len(eyes) < 2 for eyes in found):
            raise LimnerError(f"{place} must hold two pictures or more of each person: a pair is of one person")
        return found


class Seen(NamedTuple):
    """One picture of an eye: (3, h, w) in [0, 1], seven points in pixels (7, 2), its gaze in radians (2,)."""

    picture: Tensor
    points: Tensor
    gaze: Tensor


def _read_meta(place: Path) -> list[_Eye]:
    path = place / META_FILE
    try:
        return _EYES.validate_python(parse_json(path.read_bytes(), most=_MOST_BYTES))
    except FileNotFoundError:
        raise LimnerError(
            f"{place} must hold {META_FILE}, a list with file, subject, gaze_yaw, gaze_pitch and seven landmarks of "
            "each picture: unpack the data, or name their folder"
        ) from None
    except ValidationError as error:
        first = error.errors()[0]
        where = " ".join(map(str, first["loc"]))
        raise LimnerError(f"{path}: {where}: {first['msg']}: mend it") from None
    except ValueError as error:
        raise LimnerError(f"{path}: is no JSON ({error}): mend it") from None


class GazePairs:
    """Two pictures of one person, cropped, turned, mirrored and lit alike."""

    def __init__(self, people: list[list[Seen]], config: GazesConfig) -> None:
        """Take all pictures of each person."""
        self.people, self.config = people, config
        self._of = [(person, number) for person, eyes in enumerate(people) for number in range(len(eyes))]

    def __len__(self) -> int:
        """Pictures that a pair begins with."""
        return len(self._of)

    def draw(self, index: int, rng: torch.Generator) -> Gazes:
        """A picture (3, h, w), its points (14,), the turn (2,), and another picture of the same person."""
        person, number = self._of[index]
        eyes = self.people[person]
        other = (number + 1 + int(torch.randint(len(eyes) - 1, (), generator=rng))) % len(eyes)
        return self.pair(eyes[number], eyes[other], rng)

    def pair(self, first: Seen, second: Seen, rng: torch.Generator) -> Gazes:
        """Two pictures seen alike."""
        own = self.config
        height, width = own.height, own.width
        frame = _frame(first, own, rng)
        places = affine_places(frame[None], (height, width))
        seen = [sampled(one.picture[None], places)[0] for one in (first, second)]
        back = torch.linalg.inv(torch.cat([frame, torch.tensor([[0.0, 0.0, 1.0]])]))[:2]
        points = (first.points @ back[:, :2].T + back[:, 2] + 0.5) / torch.tensor([width, height])
        turn = second.gaze - first.gaze
        if own.augment:
            seen = _lit(seen, own, rng)
        if own.augment and own.mirror and torch.rand((), generator=rng) < 0.5:
            seen, turn = [one.flip(-1) for one in seen], turn * torch.tensor([-1.0, 1.0])
            points = torch.stack([1 - points[:, 0], points[:, 1]], 1)[list(_MIRRORED)]
        return Gazes(seen[0], points.flatten(), turn, seen[1])

    def sheet(self, run: Callable[[Tensor, Tensor, Tensor], Tensor], num_rows: int = 8) -> Image:
        """A picture (1, 3, h, w) of fixed pairs, a row each: the eye, what `run` makes of it, the true one."""
        rows = []
        for number in range(num_rows):
            rng = torch.Generator().manual_seed(number)
            pair = self.draw(int(torch.randint(len(self), (), generator=rng)), rng)
            made = run(*(one[None] for one in pair.inputs))[0]
            rows.append(torch.cat([pair.image, made, pair.target], -1))
        return torch.cat(rows, -2)[None].clamp(0, 1)


def _frame(eye: Seen, config: GazesConfig, rng: torch.Generator) -> Tensor:
    """(2, 3), from pixels of a sample to pixels of the picture."""
    corners = eye.points[[0, 3]]
    middle, across = corners.mean(0), corners[1] - corners[0]
    draws = (2 * torch.rand(4, generator=rng) - 1).tolist() if config.augment else [0.0] * 4
    share = (config.least_share + config.most_share) / 2 + draws[0] * (config.most_share - config.least_share) / 2
    scale = float(across.norm()) / (share * config.width)
    angle = math.radians(config.rotate * draws[1])
    cosine, sine = scale * math.cos(angle), scale * math.sin(angle)
    turned = torch.tensor([[cosine, -sine], [sine, cosine]])
    sides = torch.tensor([config.width, config.height])
    wanted = (sides - 1) / 2 + config.shift * sides * torch.tensor(draws[2:])
    return torch.cat([turned, (middle - turned @ wanted)[:, None]], 1)


def _lit(seen: list[Tensor], config: GazesConfig, rng: torch.Generator) -> list[Tensor]:
    """Brightness, colours, contrast and sharpness of both alike; grain of the first alone, for it is the camera's."""
    contrast, blur, noise = torch.rand(3, generator=rng).tolist()
    gains = config.light * (torch.randn((), generator=rng) + 0.3 * torch.randn(3, generator=rng))
    power = 1 + 0.5 * config.light * (2 * contrast - 1)
    lit = [(one.clamp(min=1e-4) ** power * gains.exp()[:, None, None]).clamp(0, 1) for one in seen]
    if config.blur * blur > 0.3:
        lit = [blurred(one, config.blur * blur) for one in lit]
    grain = config.noise * noise * torch.randn(lit[0].shape, generator=rng)
    return [(lit[0] + grain).clamp(0, 1), lit[1]]


def blurred(image: Float[Tensor, "c h w"], deviation: float) -> Float[Tensor, "c h w"]:
    """By a Gaussian of five pixels."""
    taps = torch.exp(-(torch.arange(-2.0, 3.0) ** 2) / (2 * deviation**2))
    kernel = (taps / taps.sum()).expand(len(image), 1, -1)
    padded = F.pad(image[None], [2] * 4, mode="replicate")
    across = F.conv2d(padded, kernel[:, :, None], groups=len(image))
    return F.conv2d(across, kernel[..., None], groups=len(image))[0]
