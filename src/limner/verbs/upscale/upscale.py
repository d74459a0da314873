"""`upscale`: enlarge pictures, by any factor up to 16."""

from os import PathLike
from pathlib import Path
from typing import Literal, cast

import torch
from torch import Tensor

from limner.arguments import model_text
from limner.catalog.models import check_model, check_task, embedded, embedded_for, load, skeleton, weights_path
from limner.files.image import Picture, alpha_tensor, from_tensor, to_tensor
from limner.files.weights import read_header, sha256
from limner.media.any_picture import PictureT, as_same_kind, check_output, open_picture
from limner.media.names import Naming, model_name
from limner.ops.resample import Axis, imresize, resize_part, scaled_size
from limner.ops.transparency import carried_outwards
from limner.runtime.run_options import RunOptions
from limner.runtime.runner import Runner
from limner.tasks.enlarge import ENLARGE, Enlarger, LuminanceEnlarger
from limner.types import Image, Luminance, OnProgress, Precision
from limner.verbs.upscale.passes import FAMILIES, check_factor, next_larger, passes
from limner.verbs.upscale.two_passes import TwoPasses

_VERIFIED = 256  # pixels of a side


class Upscaler:
    """A super-resolution model, ready to enlarge many pictures.

    By a factor that the network does not have, it enlarges by its next larger one, and shrinks that by antialiased
    bicubic. Sides are those of the picture times the factor, rounded (`scaled_size`), and edges stay edges.

    Args of the constructor:
        model: An embedded model (see `limner models`), a path to a weight file or a run, or `auto`: the best for the
            scale; or `photo`, the best for blurred, noisy and compressed photos.
        scale: Above 1, at most 16.
        options: How it is run.

    Example:
        >>> import limner, torch
        >>> limner.Upscaler("edsr-x2", 2).enlarge(torch.zeros(1, 3, 8, 8)).shape
        torch.Size([1, 3, 16, 16])
    """

    def __init__(
        self, model: str | PathLike[str] = "auto", scale: float = 2, options: RunOptions = RunOptions()
    ) -> None:
        check_factor(scale)
        model = model_text(model)
        names = passes(model, scale).models if model in FAMILIES else (model,)
        self.name = ", then ".join(names)
        self.scale: float = int(scale) if scale == int(scale) else scale
        self.precision = options.precision
        loaded = [load(one, ENLARGE) for one in names]
        self.header = loaded[0][1]
        system = TwoPasses(*(system for system, _ in loaded)) if len(loaded) == 2 else loaded[0][0]
        self._weights = [weights_path(one) for one in names]  # `name` is a report's to change
        self.system = cast(Enlarger, system)
        self.scales: tuple[int, ...] = self.system.scales
        self.network_scale = next_larger(self.name, self.scales, scale)
        """By which the network enlarges; where it is more than `scale`, the result is shrunk."""
        self.runner = Runner(system, options)

    @property
    def weights_hash(self) -> str:
        """The start of the SHA-256 of the weight file, or of each of two."""
        return "-".join(sha256(path)[:12] for path in self._weights)

    def enlarge(self, image: Image, scale: int | None = None) -> Tensor:
        """RGB (n, 3, h, w) in [0, 1] -> (n, 3, scale h, scale w) in [0, 1].

        Args:
            image: Any number of pictures of one size.
            scale: One of `scales`; None is the upscaler's own.
        """
        with torch.inference_mode():
            if scale is not None:
                return self.system.enlarge(image, scale, self.runner)
            enlarged = self.system.enlarge(image, self.network_scale, self.runner)
            if self.scale == self.network_scale:
                return enlarged
            return imresize(enlarged, size=self.size(image.shape[-2], image.shape[-1])).clamp(0, 1)

    def size(self, height: int, width: int) -> tuple[int, int]:
        """Rows and columns of the enlargement of a picture of so many."""
        return scaled_size((height, width), self.scale)

    def explain(self, height: int, width: int) -> str:
        """Which plans are weighed for a picture of so many pixels, and which is taken, for people."""
        return self.runner.explain(self._network_shape(height, width))

    def is_light(self, height: int, width: int) -> bool:
        """Whether several pictures of so many pixels may be enlarged at once, as `Runner.is_light` says."""
        return self.runner.is_light(self._network_shape(height, width))

    def _network_shape(self, height: int, width: int) -> tuple[int, int, int, int]:
        channels, before = network_input(self.system, self.network_scale)
        return 1, channels, before * height, before * width

    def verify(self, picture: Picture) -> float:
        """The largest difference of the network in parts and whole, in float32, on the middle of a picture."""
        top, left = (max(0, (side - _VERIFIED) // 2) for side in (picture.height, picture.width))
        middle = to_tensor(picture)[..., top : top + _VERIFIED, left : left + _VERIFIED]
        seen: list[Tensor] = []

        def run(x: Tensor) -> Tensor:
            seen.append(x)
            return self.runner(x)

        with torch.inference_mode():
            self.system.enlarge(middle, self.network_scale, run)
        return self.runner.verify(*seen[:1])

    def enlarge_picture(self, picture: Picture, on_progress: OnProgress | None = None) -> Picture:
        """Enlarge a picture with its transparency; depth, gray, profile and metadata stay."""
        self.runner.on_tile = on_progress
        image, alpha = to_tensor(picture), alpha_tensor(picture)
        if alpha is not None:
            image = carried_outwards(image, alpha)
            alpha = imresize(alpha, size=self.size(picture.height, picture.width)).clamp(0, 1)
        return from_tensor(self.enlarge(image), like=picture, alpha=alpha)

    def enlarge_part(self, part: Picture, rows: Axis, columns: Axis) -> Picture:
        """Some pixels of the enlargement of a picture, from a part of it that holds all that they are made of.

        Args:
            part: With what the network sees beyond.
            rows: Where it lies in the picture, how long the result is, and what of that is wanted.
            columns: Likewise.
        """
        image, alpha = to_tensor(part), alpha_tensor(part)
        if alpha is not None:
            image = carried_outwards(image, alpha)
            alpha = resize_part(alpha, rows, columns).clamp(0, 1)
        with torch.inference_mode():
            enlarged = self.system.enlarge(image, self.network_scale, self.runner)
            down, across = (self._of_network(axis) for axis in (rows, columns))
            if self.scale == self.network_scale:
                top, left = down.first, across.first
                image = enlarged[..., rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
            else:
                image = resize_part(enlarged, down, across).clamp(0, 1)
        return from_tensor(image, like=part, alpha=alpha)

    def _of_network(self, axis: Axis) -> Axis:
        """The same of what the network makes of the picture."""
        return axis._replace(length=self.network_scale * axis.length, first=self.network_scale * axis.first)


class LuminanceUpscaler(Upscaler):
    """An `Upscaler` whose system can enlarge a luminance alone, as VDSR's tables do."""

    def enlarge_luminance(self, y: Luminance, scale: int | None = None) -> Tensor:
        """Luminance (n, 1, h, w) -> (n, 1, scale h, scale w)."""
        with torch.inference_mode():
            return cast(LuminanceEnlarger, self.system).enlarge_luminance(y, scale or self.network_scale, self.runner)


def network_input(system: Enlarger, scale: int) -> tuple[int, int]:
    """The channels of what the network itself is given, and how many times larger than the picture that is."""
    return system.inputs[0].channels, round(scale / system.outputs[0].scale)


def evaluable(model: str, options: RunOptions = RunOptions(precision="exact")) -> Upscaler:
    """The model as `verbs.evaluate` takes it, at its first scale; it enlarges by any of its own."""
    header = read_header(weights_path(model, ENLARGE))
    check_task(model, header, ENLARGE)
    system: Enlarger = skeleton(header)
    kind = LuminanceUpscaler if system.inputs[0].kind == "luminance" else Upscaler
    return kind(model, system.scales[0], options)


def enlarging_models() -> list[str]:
    """The embedded models that enlarge."""
    return embedded_for(ENLARGE)


def default_scale(model: str) -> int:
    """2 where the model has it (families have), else its own first scale."""
    if model in FAMILIES:
        return 2
    scales: tuple[int, ...] = check_model(model, ENLARGE).scales
    return 2 if 2 in scales else scales[0]


def upscale(
    image: PictureT,
    scale: float = 2,
    *,
    output: str | PathLike[str] | None = None,
    model: str | PathLike[str] = "auto",
    device: str = "auto",
    precision: Precision = "fast",
    backend: Literal["auto", "torch", "onnxruntime", "openvino"] = "auto",
    tile: int | None = None,
    memory: int | None = None,
    threads: int | None = None,
    quality: int | None = None,
    overwrite: bool = False,
) -> PictureT:
    """Enlarge one picture and give back what was given: a path for a path, a tensor for a tensor.

    Args:
        image: A path; a PIL image; an array (h, w) or (h, w, 1 | 3 | 4) of uint8, uint16, bool, or floats in [0, 1];
            or a tensor (3, h, w) or (n, 3, h, w) of floats in [0, 1] or uint8.
        scale: Above 1, at most 16; sides are multiplied and rounded.
        output: Where to write the result; None puts that of a path beside it, as `upscaled_path` says.
        model: An embedded model, a weight file, `auto`, or `photo` for blurred, noisy and compressed photos.
        device: `auto`, `cpu`, `cuda` or `mps`.
        precision: `fast` or `exact`.
        backend: What computes on the CPU; `auto` takes the fastest that was measured here.
        tile: Side of a tile in pixels, at least 16: smaller takes less memory.
        memory: Bytes that the process may hold in all; None takes half of what is free.
        threads: Of the CPU; None takes one for each core.
        quality: Of JPEG, WebP and AVIF, 1 to 100; None takes the usual.
        overwrite: Replace an existing output.

    Raises:
        LimnerError: If the picture cannot be read, the options do not fit, or the output is there already.

    Example:
        >>> import limner, numpy
        >>> limner.upscale(numpy.zeros((8, 12, 3), numpy.uint8), scale=2).shape
        (16, 24, 3)
    """
    model = model_text(model)
    check_factor(scale)
    check_output(image, output, lambda path: upscaled_path(path, scale, model), quality=quality, overwrite=overwrite)
    options = RunOptions(device=device, precision=precision, backend=backend, tile=tile, memory=memory, threads=threads)
    opened, upscaler = open_picture(image), Upscaler(model, scale, options)
    enlarged = upscaler.enlarge_picture(opened.picture) if opened.picture else upscaler.enlarge(opened.image)

    def usual(path: Path) -> Path:
        return upscaled_path(path, scale, model)

    return as_same_kind(enlarged, image, opened.picture, output, usual, quality=quality, overwrite=overwrite)


def upscaled_path(source: Path, scale: float, model: str = "auto") -> Path:
    """Where the enlargement of a picture goes by default: `photo.jpg` -> `photo_x2.jpg`, or `photo_x2_vdsr.jpg`."""
    return upscale_naming(scale, model).path(source)


def upscale_naming(scale: float, model: str = "auto", template: str | None = None) -> Naming:
    """How enlargements are called: by their scale, and by their model where one is named.

    Raises:
        LimnerError: If the template does not fit.
    """
    usual = ("{stem}_x{scale}", "{stem}_x{scale}_{model}")
    used = "+".join(passes(model, scale).models) if model in FAMILIES else model_name(model)
    return Naming(template or usual[model != "auto"], {"model": embedded()}, usual, scale=scale, model=used)


def scale_text(scale: float) -> str:
    """A factor as names and people have it.

    >>> scale_text(2.0), scale_text(1.5)
    ('2', '1.5')
    """
    return str(int(scale)) if scale == int(scale) else str(scale)
