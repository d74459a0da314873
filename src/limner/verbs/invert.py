"""`invert`: what a layer of a network knows of a photo."""

from os import PathLike
from pathlib import Path
from typing import Literal

from limner.arguments import check_path, check_seed, check_size, check_steps, check_word, shown
from limner.errors import LimnerError
from limner.loops.optimize import Optimized, RunControl, Watch
from limner.media.any_picture import PictureT, as_same_kind, check_output, open_picture
from limner.media.names import Naming
from limner.ops.framing import with_longer_side
from limner.runtime.run_options import RunOptions
from limner.systems.optimize import inversion as system
from limner.systems.optimize.inversion import InversionConfig
from limner.types import Image, Precision

_LAYERS = [
    f"{kind}{block}_{number}" for kind in ("conv", "relu") for block in range(1, 6) for number in range(1, 5)
] + [f"pool{block}" for block in range(1, 6)]


def invert(
    photo: PictureT,
    layer: str = "relu4_1",
    *,
    output: str | PathLike[str] | None = None,
    style: bool = False,
    prior: Literal["tv", "dip"] = "tv",
    quick: bool = False,
    config: InversionConfig | None = None,
    size: int | None = 512,
    features: str | PathLike[str] | None = None,
    device: str = "auto",
    precision: Precision = "fast",
    seed: int = 0,
    steps: int | None = None,
    watch: Watch | None = None,
    quality: int | None = None,
    overwrite: bool = False,
) -> PictureT:
    """A picture that looks as a photo does to a layer of VGG, made from noise, in the kind that was given.

    Args:
        photo: As for `open_picture`.
        layer: Such as `relu4_1` or `conv3_2`: the deeper, the less of the photo is left.
        output: Where to write the result; None puts that of a path beside it as `<name>_<layer>`.
        style: Match Gram matrices up to the layer instead: the look without the places.
        prior: `tv` or `dip`: what keeps the picture natural.
        quick: Take fewer steps, for a first look.
        config: Instead of `layer`, `style`, `prior` and `quick`.
        size: The longer side that a larger photo is reduced to, in pixels; None leaves it.
        features: A file of weights of VGG-16 or VGG-19; None takes the embedded ones.
        device: `auto`, `cpu`, `cuda` or `mps`.
        precision: `fast` or `exact`.
        seed: Of the noise that it begins with.
        steps: Instead of the usual number.
        watch: Called after each step; a true answer ends the run.
        quality: Of JPEG, WebP and AVIF, 1 to 100; None takes the usual.
        overwrite: Replace an existing output.

    Raises:
        LimnerError: If the photo cannot be read or is too small, there is no such layer, or the output is there.

    Example:
        >>> limner.invert("cat.jpg", "relu3_1")  # doctest: +SKIP
        'cat_relu3_1.png'
    """
    check_word("prior", prior, ("tv", "dip"))
    check_seed(seed)
    check_steps(steps)
    if features is not None:
        check_path("features", features)
    check_size(size)
    if not isinstance(layer, str):
        raise LimnerError(f"a layer must be a name, got {shown(layer)}: relu4_1 is a good choice")
    config = (config or system.inversion_of(layer, style=style, prior=prior, quick=quick)).with_steps(steps)

    def usual(path: Path) -> Path:
        return inverted_path(path, config)

    check_output(photo, output, usual, quality=quality, overwrite=overwrite)
    opened = open_picture(photo)
    result = reconstruct(
        opened.image,
        config,
        size=size,
        features=None if features is None else Path(features),
        options=RunOptions(device=device, precision=precision),
        seed=seed,
        control=RunControl(watch),
    )
    return as_same_kind(result.image.cpu(), photo, opened.picture, output, usual, quality=quality, overwrite=overwrite)


def inverted_path(source: Path, config: InversionConfig) -> Path:
    """Where the inversion of a photo goes by default: `cat.jpg` -> `cat_relu4_1.png`."""
    return invert_naming(config).path(source, ".png")


def invert_naming(config: InversionConfig, *, seed: int = 0, template: str | None = None) -> Naming:
    """How inversions are called: by their layers.

    Raises:
        LimnerError: If the template does not fit.
    """
    layers = [f"{look}{layer}" for look in ("", "style_") for layer in _LAYERS]
    usual = "{stem}_{layer}"
    layer = f"{'style_' * config.style}{config.layer}"
    return Naming(template or usual, {"layer": layers}, (usual,), layer=layer, seed=seed)


def reconstruct(
    photo: Image,
    config: InversionConfig,
    *,
    size: int | None = None,
    features: Path | None = None,
    options: RunOptions = RunOptions(),
    seed: int = 0,
    control: RunControl = RunControl(),
) -> Optimized:
    """The run behind `invert`, from tensor to tensor, to be stopped and resumed."""
    if len(photo) != 1:
        raise LimnerError(f"one photo is inverted at a time, got {len(photo)}: pass them one by one")
    return system.invert(
        with_longer_side(photo, size, enlarge=False).to(options.chosen_device),
        config,
        weights=features,
        precision=options.precision,
        seed=seed,
        control=control,
    )
