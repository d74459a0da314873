"""The work of `limner evaluate geometry`."""

from limner.catalog.models import find, load
from limner.cli.commands.evaluate import GeometryOptions
from limner.cli.work.dry_run import show
from limner.cli.work.evaluate import items_of, report_places, write_report
from limner.data.gazes import GazesConfig
from limner.data.labelled import LabelledConfig
from limner.errors import LimnerError
from limner.files.shard_path import unpacked
from limner.measure.geometry import redirection, straightening
from limner.media.outputs import refuse_existing
from limner.runtime.allocator import keep_freed_memory
from limner.runtime.device import choose_device
from limner.tasks.redirect import REDIRECT
from limner.tasks.straighten import STRAIGHTEN


def run(options: GeometryOptions) -> None:
    """Evaluate, print the table, and write it as Markdown and as JSON.

    Raises:
        LimnerError: If an output is there already, or models and data do not fit each other.
    """
    keep_freed_memory()
    places = report_places(options.output, "geometry")
    if not options.force:
        refuse_existing(*places)
    names = list(dict.fromkeys(items_of(options.model)))
    if options.dry_run:
        show([(str(options.data), place) for place in places], as_json=options.as_json, models=", ".join(names))
        return
    device = str(choose_device(options.device))
    if _redirect(names):
        chosen = {"held_out": options.held_out, "part": "held out"} if options.held_out else {}
        config = GazesConfig(augment=False).model_copy(update=chosen).override(options.assignments)
        report = redirection(names, config.load(unpacked(options.data)), device=device)
    else:
        pictures = LabelledConfig(colours="gray").override(options.assignments).load(unpacked(options.data))
        report = straightening(names, pictures, device=device)
    places[0].parent.mkdir(parents=True, exist_ok=True)
    write_report(report, places, as_json=options.as_json)


def _redirect(names: list[str]) -> bool:
    """Whether the models redirect; else they straighten.

    Raises:
        LimnerError: If some do the one and some the other, or one does neither.
    """
    found = [REDIRECT in find(load(name, REDIRECT, STRAIGHTEN)[1].system).tasks for name in names]
    if len(set(found)) > 1:
        raise LimnerError("some of these models redirect and some straighten: evaluate each kind alone")
    return found[0]
