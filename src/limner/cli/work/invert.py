"""The work of `limner invert`."""

from limner.cli.commands.invert import Options
from limner.cli.errors import note
from limner.cli.work.growing_pictures import Growing, grow_each
from limner.files.image import Picture
from limner.files.visible import visible_tensor
from limner.loops.optimize import Optimized, RunControl
from limner.media.inputs import find_pictures
from limner.media.outputs import Job
from limner.systems.optimize.inversion import inversion_of
from limner.verbs.invert import invert_naming, reconstruct


def run(options: Options) -> None:
    """Make the pictures and say where they lie.

    Raises:
        LimnerError: If a photo or an option does not fit.
        typer.Exit: With 1, if it was stopped, or one of many photos is bad.
    """
    config = inversion_of(options.layer, style=options.gram, prior=options.prior, quick=options.quick)
    config = config.with_steps(options.steps).override(options.assignments)
    found = find_pictures(options.photos, recursive=options.recursive, on_note=note)

    def make(picture: Picture, control: RunControl) -> Optimized:
        return reconstruct(
            visible_tensor(picture),
            config,
            size=options.size,
            features=options.features,
            options=options.run_options(),
            seed=options.seed,
            control=control,
        )

    def grow(job: Job, picture: Picture) -> Growing:
        return Growing(picture, make, {"layer": config.layer, "style": config.style, "prior": config.prior})

    naming = invert_naming(config, seed=options.seed, template=options.name)
    grow_each(options, found, naming, grow, output=options.output, usual=".png")
