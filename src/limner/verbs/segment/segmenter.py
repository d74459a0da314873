"""A trained system that segments, ready to be run on pictures of any size."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, cast

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from limner.catalog.models import load
from limner.data.masks import PALETTE
from limner.errors import LimnerError
from limner.media.stored_picture import ReadableStored
from limner.ops.framing import extended, mirrored
from limner.ports import Port, Ported, least_of, multiple_of
from limner.runtime.operators import Region, Span
from limner.runtime.run_options import RunOptions
from limner.runtime.runner import Runner
from limner.tasks.segment import SEGMENT
from limner.types import Forward, OnProgress
from limner.verbs.segment.borders import reach_of, seeds_of, told


class Segmentation(NamedTuple):
    """What each pixel of a picture belongs to.

    Attributes:
        labels: (h, w), the number of the most probable class.
        probabilities: (k, h, w), of each class, in [0, 1].
        names: Of the classes.
        colors: R, G and B in 0..255, by which they are shown.
        seeds: (h, w), the number of the class where its objects begin, and 0 elsewhere.
        reach: How many pixels objects grow from there; 0: they are the connected parts of each class.
    """

    labels: Int[np.ndarray, "h w"]
    probabilities: Float[np.ndarray, "k h w"]
    names: tuple[str, ...]
    colors: tuple[tuple[int, int, int], ...]
    seeds: Int[np.ndarray, "h w"]
    reach: int = 0


class Segmenter:
    """Runs a trained system that segments.

    Args of the constructor:
        model: The name of an embedded model, or a path to a weight file.
        options: How it is run.
        views: Take the mean over eight positions of each picture, turned and mirrored: slower and better.

    Raises:
        LimnerError: If there is none of that name, or it does something else.
    """

    def __init__(self, model: str, options: RunOptions = RunOptions(), *, views: bool = False) -> None:
        system, header = load(model, SEGMENT)
        self.model, self.views = model, views
        self.ports = cast(Ported, system).inputs
        self.border = int(header.config.get("border", 0))
        self.num_outputs = cast(Ported, system).outputs[0].channels
        self.num_classes = count = self.num_outputs - bool(self.border)
        self.names = tuple(header.config.get("class_names", ()))[:count] or tuple(f"class {n}" for n in range(count))
        self.colors = tuple(tuple(one) for one in header.config.get("class_colors", ()))[:count] or tuple(
            PALETTE[number % len(PALETTE)] for number in range(count)
        )
        self.runner = Runner(system, options)

    def segment(self, image: Float[Tensor, "1 c h w"], on_progress: OnProgress | None = None) -> Segmentation:
        """The classes of the pixels of a picture in [0, 1]."""
        self.runner.on_tile = on_progress
        found = probabilities(self.runner, self.ports, self.as_taken(image), views=self.views)[0].numpy()
        labels, by_class, within = told(found, self.border)
        seeds = seeds_of(labels, within)
        return Segmentation(labels, by_class, self.names, self.colors, seeds, reach_of(self.border))

    def parts(
        self, photo: ReadableStored, on_progress: OnProgress | None = None
    ) -> Iterator[tuple[Region, Float[Tensor, "1 k h w"]]]:
        """The probabilities of the outputs for a photo that memory need not hold, part after part from the top.

        Args:
            photo: Stored.
            on_progress: Called with how many parts of how many are done.

        Raises:
            LimnerError: If memory does not do, or the network cannot be run in parts.
        """
        assert not self.views
        self.runner.on_tile = on_progress
        for region, logits in self.runner.parts(_Taken(photo, self)):
            rows, columns = (
                Span(span.start, min(span.stop, side)) for span, side in zip(region, photo.size, strict=True)
            )
            if rows.length > 0 and columns.length > 0:
                yield Region(rows, columns), logits[..., : rows.length, : columns.length].float().softmax(1)

    def as_taken(self, image: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d h w"]:
        """A picture with as many channels as the system takes: gray for RGB, and of RGB the mean for gray.

        Raises:
            LimnerError: If it has others.
        """
        channels, found = self.ports[0].channels, image.shape[1]
        if found == channels:
            return image
        if {found, channels} != {1, 3}:
            raise LimnerError(
                f"{self.model} takes pictures of {channels} channels, got {found}: name another model, or a TIFF of "
                "such bands"
            )
        return image.mean(1, keepdim=True) if channels == 1 else image.expand(-1, 3, -1, -1)


@torch.inference_mode()
def probabilities(
    run: Forward, ports: Sequence[Port], image: Float[Tensor, "n c h w"], *, views: bool = False
) -> Float[Tensor, "n k h w"]:
    """The probability of each class, pixel by pixel.

    Args:
        run: A picture -> logits as large.
        ports: What `run` takes.
        image: In [0, 1], of any size; it is mirrored at its borders where larger sides are needed.
        views: Take the mean over the picture in its eight positions.
    """
    seen = _views(image) if views else iter([image])
    made = (_probabilities(run, one, multiple_of(ports), least_of(ports)) for one in seen)
    total = sum(_back(one, number) for number, one in enumerate(made))
    assert isinstance(total, Tensor)
    return total / 8 if views else total


def _probabilities(run: Forward, image: Tensor, multiple: int, least: int) -> Tensor:
    height, width = image.shape[-2:]
    down, across = (_extended(side, multiple, least) - side for side in (height, width))
    return run(extended(image, down, across))[..., :height, :width].float().softmax(1).cpu()


def _extended(side: int, multiple: int, least: int) -> int:
    """A side that a network takes."""
    return -(-max(side, least) // multiple) * multiple


class _Taken:
    """A photo that is read part by part, as the system takes it, and mirrored beyond its borders."""

    def __init__(self, photo: ReadableStored, segmenter: "Segmenter") -> None:
        ports = segmenter.ports
        self._photo, self._segmenter = photo, segmenter
        height, width = (_extended(side, multiple_of(ports), least_of(ports)) for side in photo.size)
        self.shape = (1, ports[0].channels, height, width)

    def read(self, region: Region) -> Tensor:
        """A part of the system's input."""
        places = [mirrored(span.start, span.stop, side) for span, side in zip(region, self._photo.size, strict=True)]
        rows, columns = (Span(int(one.min()), int(one.max()) + 1) for one in places)
        seen = self._segmenter.as_taken(self._photo.read(Region(rows, columns)))
        return seen[..., places[0] - rows.start, :][..., places[1] - columns.start]


def _views(image: Tensor) -> Iterator[Tensor]:
    for number in range(8):
        turned = image.rot90(number % 4, (2, 3))
        yield turned.flip(3) if number >= 4 else turned


def _back(view: Tensor, number: int) -> Tensor:
    view = view.flip(3) if number >= 4 else view
    return view.rot90(-(number % 4), (2, 3))
