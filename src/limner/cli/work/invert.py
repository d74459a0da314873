"""The work of `limner invert`."""

from limner.cli.commands.invert import Options
from limner.cli.work.growing_picture import Easel, prepare
from limner.files.image import read_image, to_tensor
from limner.systems.optimize.inversion import inversion_of
from limner.verbs.invert import beside, reconstruct


def run(options: Options) -> None:
    """Make the picture and say where it lies.

    Raises:
        LimnerError: If the photo or an option does not fit.
        typer.Exit: With 1, if it was stopped.
    """
    prepare(options.threads)
    config = inversion_of(options.layer, style=options.style, prior=options.prior, quick=options.quick)
    config = config.with_steps(options.steps).override(options.assignments)
    picture = read_image(options.photo)
    easel = Easel(
        options.output or beside(options.photo, config),
        picture,
        preview_every=options.preview_every,
        resume=options.resume,
        force=options.force,
        as_json=options.as_json,
    )
    with easel:
        result = reconstruct(
            to_tensor(picture),
            config,
            size=options.size,
            features=options.features,
            device=options.device,
            precision=options.precision,
            seed=options.seed,
            watch=easel.watch,
            state=easel.state,
            resume=options.resume,
        )
    easel.finish(result, source=str(options.photo), layer=config.layer, style=config.style, prior=config.prior)
