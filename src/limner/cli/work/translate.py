"""The work of `limner translate`."""

from limner.cli.commands.translate import Options
from limner.cli.errors import note
from limner.verbs.translate import translate, translated_path


def run(options: Options) -> None:
    """Translate, and say where the result lies.

    Raises:
        LimnerError: If the output is there already, or the model or the picture does not fit.
    """
    target = options.output or translated_path(options.picture)
    made = translate(
        options.picture, options.model,
        output=target, seed=options.seed, device=options.device, overwrite=options.force, on_note=note,
    )  # fmt: skip
    print(made)
