"""The work of `limner restore`."""

from pathlib import Path

from limner.cli.commands.restore import Options
from limner.cli.errors import note
from limner.cli.work.growing_pictures import Growing, grow_each
from limner.errors import LimnerError
from limner.files.image import Picture, is_image_path, to_tensor
from limner.loops.optimize import Optimized, RunControl
from limner.media.any_picture import OpenedPicture
from limner.media.inputs import find_pictures
from limner.media.outputs import Job
from limner.ops.framing import with_longer_side
from limner.systems.optimize.deep_image_prior import DeepImagePriorConfig
from limner.verbs.restore import Missing, missing_of, one_channel_if_gray, restore_image, restore_naming, settings


def run(options: Options) -> None:
    """Restore the photos and say where they lie.

    Raises:
        LimnerError: If a photo, a mask or an option does not fit.
        typer.Exit: With 1, if it was stopped, or one of many photos is bad.
    """
    config = _config(options)
    found = find_pictures(options.photos, recursive=options.recursive, on_note=note)

    def grow(job: Job, picture: Picture) -> Growing:
        missing = _missing(options, _mask(options, job.source), (picture.height, picture.width))

        def make(picture: Picture, control: RunControl) -> Optimized:
            photo = one_channel_if_gray(OpenedPicture(to_tensor(picture), picture))
            return restore_image(
                with_longer_side(photo, options.size, enlarge=False),
                options.task,
                config,
                missing=missing,
                scale=options.scale,
                options=options.run_options(),
                control=control,
            )

        return Growing(picture, make)

    naming = restore_naming(options.task, options.scale, seed=options.seed, template=options.name)
    grow_each(options, found, naming, grow, output=options.output)


def _mask(options: Options, photo: Path) -> Path | None:
    """The file of a photo's mask."""
    if options.mask is None or not options.mask.is_dir():
        return options.mask
    named = [path for path in sorted(options.mask.iterdir()) if path.stem == photo.stem and is_image_path(path)]
    if not named:
        raise LimnerError(f"{options.mask}: holds no mask for {photo}: name it {photo.stem}.png")
    return named[0]


def _config(options: Options) -> DeepImagePriorConfig:
    if options.quick and options.preset != "modern":
        raise LimnerError(f"--quick and --preset {options.preset} are two presets: leave one of them out")
    name = "quick" if options.quick else options.preset
    config = settings(
        options.task, name, scale=options.scale, sigma=options.sigma, steps=options.steps, seed=options.seed
    )
    return config.override(options.assignments)


def _missing(options: Options, mask: Path | None, size: tuple[int, int]) -> Missing | None:
    """The mask, shrunk as the photo is."""
    if mask is None:
        return None
    missing = missing_of(mask, inverted=options.invert_mask)
    if tuple(missing.shape[-2:]) != size:
        theirs, ours = (f"{width}x{height}" for height, width in (missing.shape[-2:], size))
        raise LimnerError(f"{mask}: the mask is {theirs}, the picture {ours}: they must have one size")
    return (with_longer_side(missing, options.size, enlarge=False) > 0).float()
