"""`run`: use an exported network on pictures."""

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from limner.arguments import MOST_THREADS, check_path, check_seed, check_whole, check_word, shown
from limner.catalog.models import skeleton, tasks_of
from limner.errors import LimnerError
from limner.files.image import Picture, alpha_tensor, from_tensor
from limner.files.visible import visible_tensor
from limner.media.any_picture import PictureT, as_same_kind, check_output, open_picture
from limner.media.names import Naming
from limner.ops.resample import imresize
from limner.ports import Port, least_of, multiple_of
from limner.runtime.engine_parts import can_be_parted, fitting_grid, run_in_parts
from limner.runtime.exported import PROGRAM_SUFFIXES, open_exported
from limner.runtime.probes import results_of
from limner.runtime.tiling import Tiled
from limner.tasks.enlarge import ENLARGE, Enlarger
from limner.types import PRECISIONS, Image, OnProgress, Precision
from limner.verbs.run_inputs import exported_inputs

_PART_BYTES = 2**29  # of feature maps at a time; engines hold more than the network needs


class ExportedModel:
    """An exported network, ready for many pictures.

    Args of the constructor:
        file: What `limner export` wrote (.onnx, .xml, .pt, .ts), or an ONNX network of others from pictures to
            pictures.
        scale: By how much to enlarge, for a network that enlarges; None takes 2, or what it can.
        precision: `fast` (bfloat16 where it pays, which only OpenVINO has here) or `exact` (float32).
        threads: How many may be used; None takes as many as torch does.
        trust: Whether a TorchScript file, which is a program, may be run.

    Raises:
        LimnerError: If the file cannot be opened, or is a program that is not trusted.
    """

    def __init__(
        self,
        file: str | PathLike[str],
        scale: int | None = None,
        *,
        precision: Precision = "fast",
        threads: int | None = None,
        trust: bool = False,
    ) -> None:
        check_word("precision", precision, PRECISIONS)
        check_whole("threads", threads, 1, "None takes as many as torch does", most=MOST_THREADS)
        check_path("an exported network", file)
        self.file = Path(file)
        if self.file.suffix.lower() in PROGRAM_SUFFIXES and self.file.is_file() and not trust:
            raise LimnerError(
                f"{file}: a TorchScript file is a program and does whatever its maker wants: pass --trust "
                "(trust=True in Python) if you trust where it comes from, or export to ONNX, which can only compute"
            )
        self.exported = open_exported(self.file, precision=precision, threads=threads)
        self.header = self.exported.header
        self.precision = precision
        self.on_progress: OnProgress | None = None
        self._system = skeleton(self.header) if self.header else None
        self.scale = self._checked_scale(scale)
        """None if it does not enlarge."""

    @property
    def _enlarger(self) -> Enlarger | None:
        return self._system if self.header and ENLARGE in tasks_of(self.header) else None

    @property
    def inputs(self) -> tuple[Port, ...]:
        """What the network takes, in order."""
        return self.exported.inputs

    def _checked_scale(self, scale: int | None) -> int | None:
        scales = self._enlarger.scales if self._enlarger else ()
        if not scales:
            if scale is not None:
                raise LimnerError(
                    f"{self.file} does not say that it enlarges by a scale of choice: leave out the scale"
                )
            return None
        if scale is None:
            return 2 if 2 in scales else scales[0]
        if scale not in scales:
            either = " or ".join(map(str, scales))
            raise LimnerError(f"{self.file} enlarges by {either}, got {shown(scale)}: pass another scale")
        return scale

    def __call__(
        self, image: Image | None = None, given: Mapping[str, Tensor] | None = None, *, seed: int = 0
    ) -> Tensor:
        """What the network makes of a photo, or of none: RGB (n, 3, H, W), about [0, 1].

        Args:
            image: RGB (n, 3, h, w) in [0, 1]; None only for a network that takes no photo.
            given: What else it takes, by name: classes, label maps, masks, angles. Latents may be given.
            seed: Of the noise and the latents that are not given.

        Raises:
            LimnerError: If the network does not take pictures of this size, something is missing, or it gives none.
        """
        with torch.inference_mode():
            if self.scale:
                assert self._enlarger is not None and image is not None
                return self._enlarger.enlarge(image, self.scale, self._run)
            made = self._run(*exported_inputs(self.inputs, self.file, image, given or {}, seed))
            return _as_rgb(results_of(made)[self._picture()], self.file)

    def _picture(self) -> int:
        """Which of its results is shown: the first that is a picture or a mask."""
        outputs = self.header.outputs if self.header else ()
        shown = [number for number, port in enumerate(outputs) if port.kind in ("photo", "luminance", "mask")]
        if outputs and not shown:
            kinds = " and ".join(port.kind.replace("_", " ") for port in outputs)
            raise LimnerError(f"{self.file} gives {kinds}, which is no picture: only networks that give one can be run")
        return shown[0] if shown else 0

    def run_picture(self, picture: Picture, given: Mapping[str, Tensor] | None = None, *, seed: int = 0) -> Picture:
        """Depth, gray, transparency, profile and metadata stay; transparency is resized with the picture."""
        result = self(visible_tensor(picture), given, seed=seed)
        size = (result.shape[-2], result.shape[-1])
        alpha = alpha_tensor(picture)
        if alpha is not None and size != (picture.height, picture.width):
            alpha = imresize(alpha, self.scale).clamp(0, 1) if self.scale else imresize(alpha, size=size).clamp(0, 1)
        return from_tensor(result, like=picture, alpha=alpha)

    def _run(self, *inputs: Tensor) -> Any:
        """The network itself, in parts where it is known how."""
        height, width = self.exported.size
        first = inputs[0]
        if first.dim() == 4 and (height or first.shape[-2], width or first.shape[-1]) != tuple(first.shape[-2:]):
            takes, came = f"{width or 'any'}x{height or 'any'}", f"{first.shape[-1]}x{first.shape[-2]}"
            raise LimnerError(f"{self.file} takes pictures of {takes} pixels, got {came}: resize it first")
        multiple, least = multiple_of(self.inputs), least_of(self.inputs)
        if first.dim() == 4 and any(side % multiple or side < least for side in first.shape[-2:]):
            raise LimnerError(
                f"{self.file} takes sides of {least} pixels or more that are multiples of {multiple}, "
                f"got {first.shape[-1]}x{first.shape[-2]}: resize it first"
            )
        tiled = self._read_for(tuple(tuple(one.shape) for one in inputs))
        try:
            if tiled is None:
                return self.exported.engine(*inputs)
            grid = fitting_grid(tiled, _PART_BYTES)
            return run_in_parts(self.exported.engine, *inputs, tiled=tiled, grid=grid, on_part=self.on_progress)
        except LimnerError as error:
            raise LimnerError(f"{self.file}: {error}") from None

    def _read_for(self, shapes: tuple[tuple[int, ...], ...]) -> Tiled | None:
        """The network that the header names, for knowing which pixels depend on which; None if it must run whole."""
        if self._system is None:
            return None
        try:
            tiled = Tiled(self._system, *shapes)
        except LimnerError:
            return None
        return tiled if can_be_parted(tiled) else None


def run(
    file: str | PathLike[str],
    image: PictureT,
    output: str | PathLike[str] | None = None,
    *,
    scale: int | None = None,
    given: Mapping[str, Tensor] | None = None,
    seed: int = 0,
    precision: Precision = "fast",
    trust: bool = False,
    quality: int | None = None,
    overwrite: bool = False,
) -> PictureT:
    """Run an exported network on a picture, and give back what was given: a path for a path.

    Args:
        file: What `limner export` wrote, or an ONNX network of others.
        image: As for `open_picture`.
        output: Where to write the result; None puts that of a path beside it.
        scale: By how much to enlarge, for a network that enlarges.
        given: What else the network takes, by name, as for `ExportedModel`.
        seed: Of the noise and the latents that are not given.
        precision: `fast` or `exact`.
        trust: Whether a TorchScript file, which is a program, may be run.
        quality: Of JPEG, WebP and AVIF, 1 to 100; None takes the usual.
        overwrite: Replace an existing output.

    Raises:
        LimnerError: If the network or the picture cannot be read, they do not fit, or the output is there already.

    Example:
        >>> limner.run("edsr-x2.onnx", "photo.jpg")  # doctest: +SKIP
        'photo_x2.jpg'
    """
    check_seed(seed)
    model = ExportedModel(file, scale, precision=precision, trust=trust)

    def usual(path: Path) -> Path:
        return result_path(model, path)

    check_output(image, output, usual, quality=quality, overwrite=overwrite)
    opened = open_picture(image)
    made: Picture | Tensor = (
        model(opened.image, given, seed=seed)
        if opened.picture is None
        else model.run_picture(opened.picture, given, seed=seed)
    )
    return as_same_kind(made, image, opened.picture, output, usual, quality=quality, overwrite=overwrite)


def result_path(model: ExportedModel, picture: Path) -> Path:
    """Where the result goes by default: `photo_x2.jpg` of `photo.jpg`, or `photo_<name of the network>.jpg`."""
    return result_naming(model).path(picture)


def result_naming(model: ExportedModel, *, seed: int = 0, template: str | None = None) -> Naming:
    """How results are called: by their scale, or by the network.

    Raises:
        LimnerError: If the template does not fit.
    """
    usual = "{stem}_x{scale}" if model.scale else "{stem}_{model}"
    values: dict[str, str | float] = {"model": model.file.stem, "scale": model.scale or 1, "seed": seed}
    return Naming(template or usual, None, (usual,), **values)


def _as_rgb(result: Tensor, file: Path) -> Tensor:
    if result.dim() != 4 or result.shape[1] not in (1, 3) or not result.numel():
        shape = ", ".join(map(str, result.shape))
        raise LimnerError(f"{file} gives ({shape}), which is no picture: only networks that give one can be run")
    return result.expand(-1, 3, -1, -1)
