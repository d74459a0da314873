"""Objects rendered from many views: pictures with opacity, in a folder or a zip file, beside a `meta.json`."""

import math
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from limner.data.source import DataConfig
from limner.data.varied import hues_turned
from limner.errors import LimnerError
from limner.files.header import UnreadableError
from limner.files.image import MOST_PIXELS, too_many_pixels
from limner.files.json_text import parse_json
from limner.files.opening import open_image
from limner.files.still import telling_of
from limner.files.tree import files_below
from limner.ops.resample import imresize
from limner.types import Image

TRANSFORMS = ("turn", "right", "down", "zoom", "stretch", "hue", "saturation", "brightness")
"""
| name | what it does |
|---|---|
| turn | in the plane of the picture, in radians, as a clock's hands |
| right, down | moves it, as a share of the side |
| zoom | logarithm of how much larger |
| stretch | logarithm of how much wider and lower |
| hue | turns colours about the axis of grays, in radians |
| saturation, brightness | logarithms of factors |
"""

META = "meta.json"

_SPREADS = (0.2, 0.1, 0.1, 0.2, 0.1, 0.5, 0.7, 0.5)  # of `TRANSFORMS`, either way
_NAME = re.compile(r"(?:.*/)?(?P<object>[^/]+)/e(?P<elevation>\d+)_a(?P<azimuth>\d+)\.png")
_COLUMNS = 10
_MOST_BYTES = 2**26  # of a file in a zip file


class Rendered(NamedTuple):
    """A batch of objects, of how they are seen, and of their pictures."""

    style: Float[Tensor, "n k"]
    """1 for the object and 0 for all others."""
    view: Float[Tensor, "n 2"]
    """Elevation and azimuth, in radians."""
    transform: Float[Tensor, "n t"]
    """As `TRANSFORMS` names them."""
    picture: Float[Tensor, "n 3 h w"]
    """RGB in [0, 1] times opacity: black around the object."""
    mask: Float[Tensor, "n 1 h w"]
    """Opacity, in [0, 1]."""

    @property
    def inputs(self) -> tuple[Tensor, ...]:
        """What a generator is given."""
        return (self.style, self.view, self.transform)


class RenderedConfig(DataConfig):
    """How large pictures are, and how many are transformed.

    Objects are the folders of the pictures, in the order of their names. A picture is called `e20_a03.png`: elevation
    in degrees, and the place of the azimuth in the list `azimuth_deg` of `meta.json`. Its list `models` may name the
    objects, by `name` or by the file `obj`.
    """

    side: int = Field(64, ge=8, description="of the pictures, in pixels")
    transformed: float = Field(0.0, ge=0, le=1, description="share of the pictures that are transformed at random")

    def facts(self, place: Path) -> Mapping[str, Any]:
        """How many objects there are, and what they are called."""
        names = _Collection(place).names
        return {"num_classes": len(names), "names": list(names)}

    def files(self, place: Path) -> list[Path]:
        """The zip file or all pictures, and `meta.json`."""
        return _Collection(place).files

    def load(self, place: Path, *, memory: int | None = None) -> "RenderedPictures":
        """All pictures that are read, in memory: at their side they are small.

        Raises:
            LimnerError: If there are none, or they cannot be read.
        """
        found = _Collection(place)
        chosen = [found.pictures[one] for one in self.chosen(len(found.pictures))]
        return RenderedPictures(chosen, found.images(chosen, self.side), len(found.names), self.transformed)


class Place(NamedTuple):
    """A picture: where it lies, which object it shows, and from where, in radians."""

    name: str
    style: int
    elevation: float
    azimuth: float


class _Collection:
    """What lies in a folder, or in the one zip file in it."""

    def __init__(self, place: Path) -> None:
        self._zip = self._zip_of(place)
        folder = place if self._zip is None else self._zip.parent
        self._folder = folder
        names = self._entries()
        meta = self._meta(folder / META, names)
        matches = [match for name in sorted(names) if (match := _NAME.fullmatch(name))]
        if not matches:
            raise LimnerError(f"{place} holds no pictures like chair/e20_a03.png: name a folder or a zip of them")
        objects = sorted({match["object"] for match in matches})
        azimuths = _azimuths(meta, folder / META, 1 + max(int(match["azimuth"]) for match in matches))
        self.names = _names(objects, meta.get("models"))
        self.pictures = [
            Place(
                match[0], objects.index(match["object"]), math.radians(int(match["elevation"])),
                math.radians(azimuths[int(match["azimuth"])]),
            )
            for match in matches
        ]  # fmt: skip
        own = [self._zip] if self._zip else [folder / one.name for one in self.pictures]
        self.files = [*own, *([folder / META] if (folder / META).is_file() else [])]

    @staticmethod
    def _zip_of(place: Path) -> Path | None:
        if place.suffix.lower() == ".zip" and place.is_file():
            return place
        if not place.is_dir():
            raise LimnerError(f"{place} is neither a folder nor a zip file: name one that holds renderings")
        found = sorted(place.glob("*.zip"))
        return found[0] if len(found) == 1 else None

    def _entries(self) -> list[str]:
        if self._zip is None:
            return [path.relative_to(self._folder).as_posix() for path in files_below(self._folder) if path.is_file()]
        try:
            with zipfile.ZipFile(self._zip) as archive:
                return archive.namelist()
        except (OSError, zipfile.BadZipFile) as error:
            raise LimnerError(f"{self._zip} is no whole zip file ({error}): get it anew") from None

    def _meta(self, beside: Path, names: Sequence[str]) -> Mapping[str, Any]:
        if not beside.is_file() and META not in names:
            raise LimnerError(f"{beside.parent} holds no {META}: write one with the list azimuth_deg")
        try:
            read = parse_json(beside.read_bytes() if beside.is_file() else next(self._bytes([META])))
        except (OSError, ValueError) as error:
            raise LimnerError(f"{beside} cannot be read ({error}): write it anew") from None
        if not isinstance(read, dict):
            raise LimnerError(f"{beside} must hold an object of JSON, got a {type(read).__name__}: write it anew")
        return read

    def _bytes(self, names: Sequence[str]) -> Iterator[bytes]:
        if self._zip is None:
            yield from ((self._folder / name).read_bytes() for name in names)
            return
        with zipfile.ZipFile(self._zip) as archive:
            for name in names:
                if archive.getinfo(name).file_size > _MOST_BYTES:
                    raise LimnerError(f"{self._zip}: {name} has more than {_MOST_BYTES // 2**20} MB: render it anew")
                try:
                    data = archive.read(name)
                except Exception as error:  # the reader of a damaged zip file raises whatever it trips over
                    raise LimnerError(f"{self._zip}: {name} cannot be read ({error}): render it anew") from None
                yield data

    def images(self, places: Sequence[Place], side: int) -> Tensor:
        """uint8 (n, 4, side, side): RGB times opacity, and opacity."""
        read = zip(places, self._bytes([one.name for one in places]), strict=True)
        images = [_image(place.name, data, side) for place, data in read]
        return torch.stack(images) if images else torch.empty(0, 4, side, side, dtype=torch.uint8)


def _image(name: str, data: bytes, side: int) -> Tensor:
    with telling_of(name):
        file = open_image(BytesIO(data))
        if reason := too_many_pixels(*file.size, MOST_PIXELS):
            raise UnreadableError(reason)
        pixels = torch.from_numpy(np.array(file.convert("RGBA"))).permute(2, 0, 1).float() / 255
    image = torch.cat([pixels[:3] * pixels[3:], pixels[3:]])
    if image.shape[-2:] != (side, side):
        image = imresize(image[None], size=(side, side))[0].clamp(0, 1)
    return (255 * image).round().to(torch.uint8)


def _azimuths(meta: Mapping[str, Any], path: Path, number: int) -> list[float]:
    """In degrees."""
    found = meta.get("azimuth_deg")
    if not isinstance(found, list) or len(found) < number or not all(isinstance(one, int | float) for one in found):
        raise LimnerError(f"{path} must have a list azimuth_deg of {number} angles or more, in degrees: add it")
    return [float(one) for one in found]


def _names(objects: Sequence[str], models: Any) -> tuple[str, ...]:
    """Small letters, digits and underscores, no two alike; of the folders where nothing else is said.

    >>> _names(["c0", "c1"], [{"name": "Oak chair"}, {"obj": "a/oakChair.obj"}])
    ('oak_chair', 'oak_chair_b')
    """
    has_models = isinstance(models, list) and len(models) == len(objects)
    told = [_told(one) if has_models else None for one in (models if has_models else objects)]
    names: list[str] = []
    for folder, name in zip(objects, told, strict=True):
        apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name or folder)
        plain = re.sub(r"[^a-z0-9]+", "_", apart.lower()).strip("_") or folder
        letters = (f"{plain}{end}" for end in ("", *(f"_{chr(code)}" for code in range(98, 123))))
        names.append(next((one for one in letters if one not in names), folder))
    return tuple(names)


def _told(model: Any) -> str | None:
    if not isinstance(model, dict):
        return None
    name, file = model.get("name"), model.get("obj")
    return name if isinstance(name, str) else Path(file).stem if isinstance(file, str) else None


class RenderedPictures:
    """Pictures of objects, from where they were rendered, transformed at random."""

    def __init__(self, places: Sequence[Place], images: Tensor, num_classes: int, transformed: float) -> None:
        """Take uint8 (n, 4, h, w), as `_Collection.images` gives them, in the order of their places."""
        self.places, self.images, self.num_classes, self.transformed = list(places), images, num_classes, transformed

    def __len__(self) -> int:
        """Pictures."""
        return len(self.places)

    def draw(self, index: int, rng: torch.Generator) -> Rendered:
        """One object, its view, its transform and its picture, without the axis of the batch."""
        place, image = self.places[index], self.images[index] / 255
        share, *amounts = torch.rand(1 + len(TRANSFORMS), generator=rng).tolist()
        transform = torch.zeros(len(TRANSFORMS))
        if share < self.transformed:
            transform = torch.tensor([(2 * one - 1) * most for one, most in zip(amounts, _SPREADS, strict=True)])
            image = transformed(image, transform)
        style = F.one_hot(torch.tensor(place.style), self.num_classes).float()
        return Rendered(style, torch.tensor([place.elevation, place.azimuth]), transform, image[:3], image[3:])

    def sheet(self, run: Callable[..., Tensor], num_rows: int = 2) -> Image:
        """A picture (1, 3, h, w) on white: fixed pictures, and below each row what `run` makes of them."""
        count = min(_COLUMNS * num_rows, len(self))
        rng = torch.Generator().manual_seed(0)
        drawn = [self.draw(int(torch.randint(len(self), (), generator=rng)), rng) for _ in range(count)]
        batch = Rendered(*map(torch.stack, zip(*drawn, strict=True)))
        made = run(*batch.inputs)
        pairs = zip(
            (batch.picture + 1 - batch.mask).split(_COLUMNS), on_white(made).split(_COLUMNS), strict=True
        )  # fmt: skip
        rows = [torch.cat(list(row), dim=-1) for pair in pairs for row in pair if len(row) == min(count, _COLUMNS)]
        return torch.cat(rows, dim=-2)[None].clamp(0, 1)


def on_white(image: Float[Tensor, "n 4 h w"]) -> Float[Tensor, "n 3 h w"]:
    """Pictures with opacity, both in [0, 1], before white.

    >>> on_white(torch.tensor([0.5, 0.0, 1.0, 0.5]).view(1, 4, 1, 1)).flatten()
    tensor([0.7500, 0.5000, 1.0000])
    """
    return image[:, :3] * image[:, 3:] + 1 - image[:, 3:]


def transformed(image: Float[Tensor, "4 h w"], transform: Float[Tensor, " t"]) -> Float[Tensor, "4 h w"]:
    """RGB times opacity, and opacity, transformed as `TRANSFORMS` says; nothing comes in from outside."""
    turn, right, down, zoom, stretch, hue, saturation, brightness = transform.tolist()
    across, along = math.exp(-zoom - stretch), math.exp(-zoom + stretch)
    cosine, sine = math.cos(turn), math.sin(turn)
    to_source = torch.tensor([[across * cosine, across * sine], [-along * sine, along * cosine]])
    theta = torch.cat([to_source, -to_source @ torch.tensor([[2 * right], [2 * down]])], 1)
    grid = F.affine_grid(theta[None], [1, *image.shape], align_corners=False)
    moved = F.grid_sample(image[None], grid, padding_mode="zeros", align_corners=False)[0]
    mask = moved[3:]
    colors = hues_turned(moved[:3], hue)
    gray = colors.mean(0, keepdim=True)
    colors = math.exp(brightness) * (gray + math.exp(saturation) * (colors - gray))
    return torch.cat([torch.minimum(colors.clamp(min=0), mask), mask])
