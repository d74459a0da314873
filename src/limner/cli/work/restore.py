"""The work of `limner restore`."""

from limner.cli.commands.restore import Options
from limner.cli.work.growing_picture import GrowingPicture
from limner.errors import LimnerError
from limner.media.any_picture import open_picture
from limner.ops.framing import with_longer_side
from limner.systems.optimize.deep_image_prior import DeepImagePriorConfig
from limner.verbs.restore import Missing, missing_of, one_channel_if_gray, restore_image, restored_path, settings


def run(options: Options) -> None:
    """Restore the photo and say where it lies.

    Raises:
        LimnerError: If the photo, the mask or an option does not fit.
        typer.Exit: With 1, if it was stopped.
    """
    options.run_options().prepare_process()
    config = _config(options)
    opened = open_picture(options.photo)
    assert opened.picture
    missing = _missing(options, (opened.picture.height, opened.picture.width))
    growing = GrowingPicture(
        options.output or restored_path(options.photo, options.task, options.scale), opened.picture, options
    )
    with growing:
        result = restore_image(
            with_longer_side(one_channel_if_gray(opened), options.size, enlarge=False),
            options.task,
            config,
            missing=missing,
            scale=options.scale,
            options=options.run_options(),
            control=growing.control,
        )
    growing.finish(result)


def _config(options: Options) -> DeepImagePriorConfig:
    if options.quick and options.preset != "modern":
        raise LimnerError(f"--quick and --preset {options.preset} are two presets: leave one of them out")
    name = "quick" if options.quick else options.preset
    config = settings(
        options.task, name, scale=options.scale, sigma=options.sigma, steps=options.steps, seed=options.seed
    )
    return config.override(options.assignments)


def _missing(options: Options, size: tuple[int, int]) -> Missing | None:
    """The mask, shrunk as the photo is."""
    if options.mask is None:
        return None
    missing = missing_of(options.mask, inverted=options.invert_mask)
    if tuple(missing.shape[-2:]) != size:
        theirs, ours = (f"{width}x{height}" for height, width in (missing.shape[-2:], size))
        raise LimnerError(f"{options.mask}: the mask is {theirs}, the picture {ours}: they must have one size")
    return (with_longer_side(missing, options.size, enlarge=False) > 0).float()
