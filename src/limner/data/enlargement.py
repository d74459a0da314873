"""Training pairs for super-resolution, cut at random from a folder of pictures."""

import itertools
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor

from limner.data.degrade import bicubic_enlarge, crop_to_multiple, low_resolution, published_low_resolution
from limner.data.folder import find_images
from limner.data.pairs import Pair
from limner.data.photo_cache import PhotoCache
from limner.data.photo_faults import PhotoFaults, with_faults
from limner.data.source import DataConfig
from limner.errors import LimnerError
from limner.files.image import read_header, read_image
from limner.files.visible import visible_tensor
from limner.ops.color import luminance
from limner.ops.resample import imresize

_AROUND = 8  # pixels of low resolution around a crop that faults see: a block of JPEG, and the reach of a blur


class EnlargementConfig(DataConfig):
    """Which crops to draw."""

    kind: Literal["luminance", "rgb"] = Field(description="see EnlargementPatches")
    scales: tuple[int, ...] = Field(min_length=1)
    patch: int = Field(ge=8, description="side of the target crop, in pixels")
    blur: float = Field(
        0.0, ge=0, description="standard deviation of a Gaussian blur before shrinking, in pixels of the target"
    )
    sizes: tuple[Annotated[float, Field(gt=0, le=1)], ...] = Field(
        (1.0,), min_length=1, description="every picture is there at each of these shares of its sides"
    )
    faults: PhotoFaults | None = Field(None, description="of rgb: what happens to the low resolution beside shrinking")

    def load(self, folder: Path, *, memory: int | None = None) -> "EnlargementPatches":
        """The crops of the pictures in a folder."""
        return EnlargementPatches(
            self.pictures(folder),
            scales=self.scales,
            patch=self.patch,
            kind=self.kind,
            blur=self.blur,
            sizes=self.sizes,
            memory=memory,
            faults=self.faults,
        )


def _shrunk_sides(height: int, width: int, size: float) -> tuple[int, int]:
    """As `imresize` has them."""
    return (height, width) if size == 1 else (math.ceil(size * height), math.ceil(size * width))


def _shrunk(image: Tensor, size: float) -> Tensor:
    return image if size == 1 else imresize(image, size).clamp(0, 1)


class EnlargementPatches:
    """Random crops of pictures and of what is left of them at low resolution, turned and mirrored at random.

    The low resolution is made from the whole picture, as in a benchmark, and kept as long as memory holds it.
    `luminance`: source is the bicubically enlarged Y, as large as the target, at a scale drawn from `scales` (VDSR).
    `rgb`: source is the 8-bit low resolution, `1 / scale` as large as the target (SRResNet). With `faults` it is made
    anew for every crop, and differently.
    """

    def __init__(
        self,
        pictures: Path | Sequence[Path],
        *,
        scales: Sequence[int],
        patch: int,
        kind: Literal["luminance", "rgb"],
        repeat: int = 1,
        blur: float = 0.0,
        sizes: Sequence[float] = (1.0,),
        memory: int | None = None,
        faults: PhotoFaults | None = None,
    ) -> None:
        """Find the pictures, and how large they are.

        Args:
            pictures: A folder that is searched with its subfolders, or the pictures themselves.
            scales: One for `rgb`; any number for `luminance`.
            patch: Side of the target crop, in pixels.
            kind: See above.
            repeat: Crops to draw from each patch-sized area in one epoch.
            blur: Standard deviation in pixels of a Gaussian blur before shrinking; benchmarks have none.
            sizes: Every picture is there at each of these shares of its sides (Dong, Loy and Tang 2016,
                arXiv:1608.00367, section 4.1).
            memory: As for `DataConfig.load`.
            faults: Of `rgb`: what happens to the low resolution beside shrinking.

        Raises:
            LimnerError: If there is no picture, or none as large as a patch, or faults are asked of luminance.
        """
        self.scales, self.patch, self.kind, self.blur = tuple(scales), patch, kind, blur
        self.faults = faults
        self._step = 1 if kind == "luminance" else self.scales[0]
        if kind == "rgb" and (len(self.scales) != 1 or patch % self.scales[0]):
            raise LimnerError(f"rgb patches need one scale that divides the patch, got {self.scales} and {patch}")
        paths = find_images(pictures) if isinstance(pictures, Path) else pictures
        if faults and (kind != "rgb" or blur):
            raise LimnerError("faults are for rgb patches without a blur of their own: set data.kind=rgb, data.blur=0")
        self._pictures: list[tuple[Path, float]] = []
        self._pairs = PhotoCache(self._read, memory)  # of each scale the source and the target
        self._slots: list[int] = []
        for path, size in itertools.product(paths, sizes):
            header = read_header(path)
            height, width = _shrunk_sides(header.height, header.width, size)
            if min(height, width) >= patch + max(self.scales):
                self._slots += [len(self._pictures)] * (repeat * max(1, height * width // patch**2))
                self._pictures.append((path, size))
        if not self._pictures:
            place = pictures if isinstance(pictures, Path) else paths[0].parent
            raise LimnerError(
                f"{place} holds no picture of at least {patch + max(self.scales)} pixels a side: add larger ones"
            )

    def _read(self, picture: tuple[Path, float]) -> tuple[Tensor, ...]:
        path, size = picture
        image = _shrunk(visible_tensor(read_image(path)), size)
        return tuple(tensor for scale in self.scales for tensor in self._degrade(image, scale))

    def _degrade(self, image: Tensor, scale: int) -> Pair:
        image = crop_to_multiple(image, scale)
        if self.kind == "luminance":
            target = luminance(image)
            return Pair(bicubic_enlarge(low_resolution(self._blurred(target), scale), scale)[0], target[0])
        bytes_, blurred = ((x * 255).round().to(torch.uint8) for x in (image, self._blurred(image)))
        return Pair(published_low_resolution(blurred, scale)[0], bytes_[0])

    def _blurred(self, image: Tensor) -> Tensor:
        if not self.blur:
            return image
        from kornia.filters import gaussian_blur2d  # imported here: kornia takes a while

        side = 2 * math.ceil(3 * self.blur) + 1  # beyond three deviations nothing is left
        return gaussian_blur2d(image, side, (self.blur, self.blur), border_type="replicate")

    def __len__(self) -> int:
        """Crops in an epoch: as many as patches cover the pictures, so that large pictures come more often."""
        return len(self._slots)

    def draw(self, index: int, rng: torch.Generator) -> Pair:
        """One pair of crops, float32 in [0, 1]: (c, patch / s, patch / s) and (c, patch, patch)."""

        def below(limit: int) -> int:
            return int(torch.randint(limit, (), generator=rng))

        scale = below(len(self.scales))
        pair = Pair(*self._pairs(self._pictures[self._slots[index]])[2 * scale : 2 * scale + 2])
        if self.faults:
            pair = self._with_faults(pair.target, self.faults, rng)
        source_patch = self.patch // self._step
        top = below(pair.source.shape[-2] - source_patch + 1)
        left = below(pair.source.shape[-1] - source_patch + 1)
        turns, mirror = below(4), below(2)

        def crop(image: Tensor, factor: int) -> Tensor:
            side = source_patch * factor
            cut = image[:, top * factor : top * factor + side, left * factor : left * factor + side]
            cut = torch.rot90(cut.flip(-1) if mirror else cut, turns, (-2, -1))
            return cut.contiguous() if cut.is_floating_point() else cut / 255

        return Pair(crop(pair.source, 1), crop(pair.target, self._step))

    def _with_faults(self, picture: Tensor, faults: PhotoFaults, rng: torch.Generator) -> Pair:
        """A part of a picture somewhat larger than a crop, so that the grid of JPEG lies anywhere in the crop."""
        side = self.patch // self._step + 2 * _AROUND
        place = []
        for length in picture.shape[-2:]:
            all_, span = length // self._step, min(side, length // self._step)
            start = int(torch.randint(all_ - span + 1, (), generator=rng))
            place.append(slice(start * self._step, (start + span) * self._step))
        part = picture[:, place[0], place[1]]
        small = with_faults(part / 255, self._step, faults, rng)
        return Pair((small * 255).round().to(torch.uint8), part)

    def sheet(self, run: Callable[[Tensor], Tensor], num_crops: int = 4) -> Tensor:
        """A picture (1, 3, h, w) of fixed crops, a row each: the source, what `run` makes of it, the target."""
        rows = []
        for number in range(num_crops):
            rng = torch.Generator().manual_seed(number)
            pair = self.draw(int(torch.randint(len(self), (), generator=rng)), rng)
            source = imresize(pair.source, size=(self.patch, self.patch), kernel="nearest")
            row = torch.cat([source, run(pair.source[None])[0], pair.target], dim=-1)
            rows.append(row.expand(3, -1, -1))
        return torch.cat(rows, dim=-2)[None].clamp(0, 1)
