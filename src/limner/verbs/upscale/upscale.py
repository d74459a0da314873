"""`upscale`: enlarge pictures two, three, four or eight times."""

from collections.abc import Callable
from os import PathLike
from pathlib import Path

import torch
from torch import Tensor, nn

from limner.catalog import embedded, load, weights_path
from limner.errors import LimnerError
from limner.files.image import Picture, alpha_tensor, from_tensor, to_tensor
from limner.files.weights import sha256
from limner.media.any_kind import Given, give_back, read_given
from limner.ops.resample import imresize
from limner.runtime.runner import Runner
from limner.types import Image, Luminance, Precision
from limner.verbs.upscale.two_passes import TwoPasses

SCALES = (2, 3, 4, 8)
BEST = {2: "edsr-x2", 3: "edsr-x3", 4: "edsr-x4"}
"""The embedded model that `auto` means, by scale: that of the highest PSNR on Set5 by `sr-y-shave`."""
TWICE = {8: (2, 4)}
"""What `auto` enlarges by in two passes."""

OnTile = Callable[[int, int], None]

_VERIFIED = 256  # pixels of a side


class Upscaler:
    """A super-resolution model, ready to enlarge many pictures.

    Args of the constructor:
        model: An embedded model (see `limner models`), a path to a weight file, or `auto`: the best for the scale.
        scale: 2, 3, 4 or 8.
        device: `auto`, `cpu`, `cuda` or `mps`.
        precision: `fast` (bfloat16 where it pays) or `exact` (float32).
        backend: `torch`, `onnxruntime`, `openvino` or `auto`: the fastest that was measured here.
        tile: Side of the tiles in pixels; None chooses. The result does not depend on it.
        memory: Bytes that the process may hold in all; None takes half of what is free.
        threads: CPU threads; None leaves that to torch.
        work: Pixels of the results that will be made, so that `auto` can tell whether measuring pays.
    """

    def __init__(
        self,
        model: str = "auto",
        scale: int = 2,
        *,
        device: str = "auto",
        precision: Precision = "fast",
        backend: str = "auto",
        tile: int | None = None,
        memory: int | None = None,
        threads: int | None = None,
        work: int = 0,
    ) -> None:
        passes = _passes(model, scale)
        self.name = ", then ".join(passes)
        self.scale, self.precision = scale, precision
        loaded = [load(one) for one in passes]
        self.header = loaded[-1][1]
        self.system = TwoPasses(*(system for system, _ in loaded)) if len(loaded) == 2 else loaded[0][0]
        self._weights = [weights_path(one) for one in passes]  # `name` is a report's to change
        if not hasattr(self.system, "enlarge"):
            raise LimnerError(f"{self.name} is a {self.header.system}, which does not enlarge: see `limner models`")
        self.scales: tuple[int, ...] = self.system.scales  # type: ignore[assignment]
        if scale not in self.scales:
            raise LimnerError(
                f"{self.name} enlarges by {_either(self.scales)}, got {scale}: pass --scale or another --model"
            )
        self.runner = Runner(
            self.system,
            device=device,
            precision=precision,
            backend=backend,
            tile=tile,
            memory=memory,
            threads=threads,
            work=work,
        )

    @property
    def weights_hash(self) -> str:
        """The start of the SHA-256 of the weight file, or of each of two."""
        return "-".join(sha256(path)[:12] for path in self._weights)

    def enlarge(self, image: Image, scale: int | None = None) -> Tensor:
        """RGB (n, 3, h, w) in [0, 1] -> (n, 3, scale h, scale w) in [0, 1]."""
        with torch.inference_mode():
            return self.system.enlarge(image, scale or self.scale, self.runner)  # type: ignore[operator]

    def explain(self, height: int, width: int) -> str:
        """Which plans are weighed for a picture of so many pixels, and which is taken, for people."""
        channels, before = network_input(self.system, self.scale)
        return self.runner.explain((1, channels, before * height, before * width))

    def verify(self, picture: Picture) -> float:
        """The largest difference of the network in parts and whole, in float32, on the middle of a picture."""
        top, left = (max(0, (side - _VERIFIED) // 2) for side in (picture.height, picture.width))
        middle = to_tensor(picture)[..., top : top + _VERIFIED, left : left + _VERIFIED]
        given: list[Tensor] = []

        def run(x: Tensor) -> Tensor:
            given.append(x)
            return self.runner(x)

        with torch.inference_mode():
            self.system.enlarge(middle, self.scale, run)  # type: ignore[operator]
        return self.runner.verify(*given[:1])

    def enlarge_picture(self, picture: Picture, on_tile: OnTile | None = None) -> Picture:
        """Enlarge a picture with its transparency; depth, gray, profile and metadata stay."""
        self.runner.on_tile = on_tile
        alpha = alpha_tensor(picture)
        if alpha is not None:
            alpha = imresize(alpha, self.scale).clamp(0, 1)
        return from_tensor(self.enlarge(to_tensor(picture)), like=picture, alpha=alpha)


class LuminanceUpscaler(Upscaler):
    """An `Upscaler` whose system can enlarge a luminance alone, as VDSR's tables do."""

    def enlarge_luminance(self, y: Luminance, scale: int | None = None) -> Tensor:
        """Luminance (n, 1, h, w) -> (n, 1, scale h, scale w)."""
        with torch.inference_mode():
            return self.system.enlarge_luminance(y, scale or self.scale, self.runner)  # type: ignore[operator]


def network_input(system: nn.Module, scale: int) -> tuple[int, int]:
    """The channels of what the network itself is given, and how many times larger than the picture that is."""
    seen: list[Tensor] = []

    def run(x: Tensor) -> Tensor:
        seen.append(x)
        return system(x)

    side = 32
    with torch.inference_mode():
        system.enlarge(torch.zeros(1, 3, side, side), scale, run)  # type: ignore[operator]
    return seen[0].shape[1], seen[0].shape[-1] // side


def _either(scales: tuple[int, ...]) -> str:
    return " or ".join(str(scale) for scale in scales)


def _passes(model: str, scale: int) -> list[str]:
    """The model, or the two that `auto` enlarges by one after the other."""
    if scale not in SCALES:
        raise LimnerError(f"scale must be {_either(SCALES)}, got {scale}")
    return [model] if model != "auto" else [BEST[one] for one in TWICE.get(scale, (scale,))]


def evaluable(model: str, *, device: str = "auto", precision: Precision = "exact") -> Upscaler:
    """The model as `verbs.evaluate` takes it, at its first scale; it enlarges by any of its own."""
    system, _ = load(model)
    kind = LuminanceUpscaler if hasattr(system, "enlarge_luminance") else Upscaler
    scales: tuple[int, ...] = system.scales  # type: ignore[assignment]
    return kind(model, scales[0], device=device, precision=precision)


def enlarging_models() -> list[str]:
    """The embedded models that enlarge."""
    return [name for name in embedded() if hasattr(load(name)[0], "enlarge")]


def upscale(
    image: Given,
    scale: int = 2,
    *,
    output: str | PathLike[str] | None = None,
    model: str = "auto",
    device: str = "auto",
    precision: Precision = "fast",
    overwrite: bool = False,
) -> Given:
    """Enlarge one picture and give back what was given: a path for a path, a tensor for a tensor.

    Args:
        image: A path; a PIL image; an array (h, w) or (h, w, 1 | 3 | 4) of uint8 or uint16; or a tensor (3, h, w) or
            (n, 3, h, w) in [0, 1].
        scale: 2, 3, 4 or 8.
        output: Where to write the result of a path; None puts it beside the picture as `<name>_x<scale>`.
        model: An embedded model, a weight file, or `auto`.
        device: `auto`, `cpu`, `cuda` or `mps`.
        precision: `fast` or `exact`.
        overwrite: Replace an existing output.

    Raises:
        LimnerError: If the picture cannot be read or the options do not fit.
    """
    upscaler = Upscaler(model, scale, device=device, precision=precision)
    opened = read_given(image)
    if opened.picture is None:
        return give_back(upscaler.enlarge(opened.image), image, None)
    target = None
    if isinstance(image, str | PathLike):
        target = Path(output) if output else beside(Path(image), scale)
    return give_back(upscaler.enlarge_picture(opened.picture), image, opened.picture, target, overwrite=overwrite)


def beside(source: Path, scale: int) -> Path:
    """Where the enlargement of a picture goes when nobody says: `photo.jpg` -> `photo_x2.jpg`."""
    return source.with_name(f"{source.stem}_x{scale}{source.suffix}")
