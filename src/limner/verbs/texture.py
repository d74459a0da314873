"""`texture`: more of a texture than its picture shows, sought for its picture or drawn by a network of it."""

from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Literal, TypeAlias, cast

from limner.arguments import check_finite, check_path, check_seed, check_size, check_steps, check_word
from limner.catalog.models import load
from limner.catalog.optimized import TEXTURE_SYNTHESIS
from limner.errors import LimnerError
from limner.files.visible import source_tensor
from limner.loops.coarse_to_fine import with_steps
from limner.loops.optimize import Optimized, RunControl, Watch
from limner.media.any_picture import PictureT, as_same_kind, check_output, open_picture
from limner.media.names import Naming, model_name
from limner.ops.luminance_alone import has_no_color, luma_of
from limner.ports import multiple_of
from limner.processor import autocast_on
from limner.runtime.memory import check_memory, format_bytes
from limner.runtime.run_options import RunOptions
from limner.systems.feedforward.texture_network import TextureNetwork, bytes_per_pixel
from limner.systems.optimize import texture as system
from limner.systems.optimize.texture import TextureConfig
from limner.tasks.texture import TEXTURE
from limner.types import Image, Precision

Preset: TypeAlias = Literal["modern", "quick", "paper"]

PRESETS = TEXTURE_SYNTHESIS.configs(TEXTURE)


def texture(
    image: PictureT,
    size: int | tuple[int, int] = 512,
    *,
    output: str | PathLike[str] | None = None,
    seamless: bool = False,
    preset: Preset = "modern",
    config: TextureConfig | None = None,
    features: str | PathLike[str] | None = None,
    device: str = "auto",
    precision: Precision = "fast",
    memory: int | None = None,
    seed: int = 0,
    steps: int | None = None,
    watch: Watch | None = None,
    quality: int | None = None,
    overwrite: bool = False,
) -> PictureT:
    """A new picture of the texture of another, in the kind that was given: a path for a path.

    Args:
        image: As for `open_picture`.
        size: Of the result in pixels: of both sides, or height and width.
        output: Where to write the result; None puts that of a path beside it as `<name>_texture`.
        seamless: Let the borders fit each other; sides are then rounded to multiples of 16.
        preset: `modern`, `quick`, or `paper` as published.
        config: Instead of a preset.
        features: A file of weights of VGG-16 or VGG-19; None takes the embedded ones.
        device: `auto`, `cpu`, `cuda` or `mps`.
        precision: `fast` or `exact`.
        memory: Bytes that the process may hold in all; None takes half of what is free.
        seed: Of the noise that it begins with.
        steps: Instead of the preset's.
        watch: Called after each step; a true answer ends the run.
        quality: Of JPEG, WebP and AVIF, 1 to 100; None takes the usual.
        overwrite: Replace an existing output.

    Raises:
        LimnerError: If the picture cannot be read, is too small, or has no texture, or the output is there.

    Example:
        >>> limner.texture("bark.jpg", 1024, seamless=True)  # doctest: +SKIP
        'bark_texture.png'
    """
    check_word("preset", preset, PRESETS)
    check_seed(seed)
    check_steps(steps)
    if features is not None:
        check_path("features", features)
    check_size(size)
    check_output(image, output, texture_path, quality=quality, overwrite=overwrite)
    opened = open_picture(image)
    both = (size, size) if isinstance(size, int) else size
    like = opened.picture and replace(opened.picture, alpha=None)
    result = synthesize_texture(
        opened.image if opened.picture is None else source_tensor(opened.picture),
        both,
        config or PRESETS[preset],
        steps=steps,
        seamless=seamless,
        features=None if features is None else Path(features),
        options=RunOptions(device=device, precision=precision, memory=memory),
        seed=seed,
        control=RunControl(watch),
    )
    return as_same_kind(result.image.cpu(), image, like, output, texture_path, quality=quality, overwrite=overwrite)


def texture_path(source: Path) -> Path:
    """Where the texture of a picture goes by default: `bark.jpg` -> `bark_texture.png`."""
    return texture_naming().path(source, ".png")


def texture_naming(model: str | None = None, *, seed: int = 0, template: str | None = None) -> Naming:
    """How textures are called: by their pictures, or by their networks.

    Raises:
        LimnerError: If the template does not fit.
    """
    usual = "{stem}_texture"
    return Naming(template or usual, None, (usual,), model=model_name(model) if model else "texture", seed=seed)


def synthesize_texture(
    image: Image,
    size: tuple[int, int],
    config: TextureConfig,
    *,
    steps: int | None = None,
    seamless: bool = False,
    features: Path | None = None,
    options: RunOptions = RunOptions(),
    seed: int = 0,
    control: RunControl = RunControl(),
) -> Optimized:
    """The run behind `texture`, from tensor to tensor, of so many steps in all, to be stopped and resumed."""
    if steps is not None:
        config = config.model_copy(update={"passes": with_steps(config.passes, steps)})
    check_memory(*size)
    is_gray = has_no_color(image)

    def show(made: Image) -> Image:
        return luma_of(made) if is_gray else made

    done = system.synthesize(
        image[:1].to(options.chosen_device),
        size,
        config,
        seamless=seamless,
        weights=features,
        precision=options.precision,
        budget=options.activations_budget,
        seed=seed,
        control=control.showing(show),
    )
    return done._replace(image=show(done.image))


def draw_texture(
    model: str | PathLike[str],
    size: int | tuple[int, int] = 512,
    *,
    seed: int = 0,
    seamless: bool = False,
    temperature: float = 1.0,
    options: RunOptions = RunOptions(),
) -> Image:
    """A new picture (1, 3, h, w) of the texture that a network was trained on, in one pass.

    Args:
        model: The name of an embedded model, or a path to a weight file.
        size: Of the result in pixels: of both sides, or height and width.
        seed: Of the noise; each gives another picture.
        seamless: Let the borders fit each other; sides are then rounded to multiples of the network's.
        temperature: By which the noise is multiplied.
        options: How it is run.

    Raises:
        LimnerError: If there is no such model, it makes no textures, or the size is too small or too large.

    Example:
        >>> import limner
        >>> limner.draw_texture("texture-starry-night", 64).shape
        torch.Size([1, 3, 64, 64])
    """
    check_seed(seed)
    check_size(size)
    check_finite("temperature", temperature, "1 is that of the training")
    network, chosen = load_network(model), options.chosen_device
    height, width = (size, size) if isinstance(size, int) else size
    if seamless:
        multiple = multiple_of(network.inputs)
        height, width = (max(1, round(side / multiple)) * multiple for side in (height, width))
    _check_memory(network, height, width, options.activations_budget())
    with autocast_on(chosen, options.precision):
        return network.to(chosen).sample((height, width), seed, temperature=temperature).float().cpu()


def load_network(model: str | PathLike[str]) -> TextureNetwork:
    """A trained texture network.

    Raises:
        LimnerError: If there is none, or it is of another system.
    """
    return cast(TextureNetwork, load(model, TEXTURE)[0])


def _check_memory(network: TextureNetwork, height: int, width: int, budget: int | None) -> None:
    needed = bytes_per_pixel(network.config) * height * width
    if budget is not None and needed > budget:
        raise LimnerError(
            f"a texture of {width}x{height} needs about {format_bytes(needed)} of memory, and there are "
            f"{format_bytes(budget)}: allow more memory, or make a smaller one, seamless, to lay like tiles"
        )
