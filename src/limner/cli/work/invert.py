"""The work of `limner invert`."""

from limner.cli.commands.invert import Options
from limner.cli.work.growing_picture import GrowingPicture
from limner.files.image import read_image
from limner.files.visible import visible_tensor
from limner.systems.optimize.inversion import inversion_of
from limner.verbs.invert import inverted_path, reconstruct


def run(options: Options) -> None:
    """Make the picture and say where it lies.

    Raises:
        LimnerError: If the photo or an option does not fit.
        typer.Exit: With 1, if it was stopped.
    """
    options.run_options().prepare_process()
    config = inversion_of(options.layer, style=options.style, prior=options.prior, quick=options.quick)
    config = config.with_steps(options.steps).override(options.assignments)
    picture = read_image(options.photo)
    growing = GrowingPicture(options.output or inverted_path(options.photo, config), picture, options)
    with growing:
        result = reconstruct(
            visible_tensor(picture),
            config,
            size=options.size,
            features=options.features,
            options=options.run_options(),
            seed=options.seed,
            control=growing.control,
        )
    growing.finish(result, source=str(options.photo), layer=config.layer, style=config.style, prior=config.prior)
