"""The work of `limner evaluate generation`."""

from pathlib import Path

from limner.catalog.models import load
from limner.cli.commands.evaluate import GenerationOptions
from limner.cli.progress import StepBar
from limner.cli.work.dry_run import show
from limner.cli.work.evaluate import items_of, report_places, write_report
from limner.data.labelled import LabelledConfig, LabelledPictures, SmallConfig
from limner.data.small_pictures import colours_of
from limner.data.unlabelled import UnlabelledConfig
from limner.errors import LimnerError
from limner.files.shard_path import unpacked
from limner.measure.generation import Made, evaluate_generation, made_by, nearest_pictures
from limner.media.outputs import refuse_existing
from limner.ports import Port, Ported
from limner.runtime.allocator import keep_freed_memory
from limner.runtime.device import choose_device
from limner.tasks.generate import GENERATE
from limner.verbs.generated_sheet import write_made

_SHOWN = 12  # made pictures, each beside the nearest training pictures
_NEAREST = 3


def run(options: GenerationOptions) -> None:
    """Evaluate, print the tables, and write them as Markdown and as JSON; with training pictures a sheet of these, too.

    Raises:
        LimnerError: If an output is there already, or something that was asked for does not exist.
    """
    keep_freed_memory()
    places = report_places(options.output, "generation")
    sheet = places[0].with_name(f"{places[0].stem}_nearest.png")
    if not options.force:
        refuse_existing(*places, *([sheet] if options.training else []))
    names = list(dict.fromkeys(items_of(options.model)))
    if options.dry_run:
        show([(str(options.data), place) for place in places], as_json=options.as_json, models=", ".join(names))
        return
    picture, num_classes = alike(names)
    config = data_config(picture, num_classes, options.assignments)
    real = config.load(unpacked(options.data))
    training = None if options.training is None else config.load(unpacked(options.training))
    device, count = str(choose_device(options.device)), min(options.count, len(real))
    with StepBar() as progress:
        made = [made_by(name, count, num_classes, device=device) for name in names]
        report = evaluate_generation(made, real, training=training, device=device, on_step=progress.step)
    places[0].parent.mkdir(parents=True, exist_ok=True)
    if training is not None:
        _write_nearest(sheet, made[0], training, device=device, overwrite=options.force)
    write_report(report, places, as_json=options.as_json)


def alike(names: list[str]) -> tuple[Port, int | None]:
    """The pictures that all models make, and how many classes they know.

    Raises:
        LimnerError: If they make other ones.
    """
    found = []
    for name in names:
        system, _ = load(name, GENERATE)
        assert isinstance(system, Ported)
        classes = next((port.channels for port in system.inputs if port.kind == "class"), None)
        found.append((system.outputs[0], classes))
    for name, one in zip(names, found, strict=True):
        if one != found[0]:
            raise LimnerError(f"{name} makes other pictures than {names[0]}, or of other classes: evaluate each alone")
    return found[0]


def data_config(picture: Port, num_classes: int | None, assignments: list[str]) -> SmallConfig:
    """How real pictures of the kind that a model makes are read."""
    side, colours = round(picture.scale), colours_of(picture.channels)
    if num_classes is None:
        return UnlabelledConfig(side=side, colours=colours).override(assignments)
    return LabelledConfig(side=side, colours=colours).override(assignments)


def _write_nearest(path: Path, made: Made, training: LabelledPictures, *, device: str, overwrite: bool) -> None:
    found = nearest_pictures(made.images[:_SHOWN], training, number=_NEAREST, device=device)
    write_made(path, found, 2 * (_NEAREST + 1), overwrite=overwrite)
