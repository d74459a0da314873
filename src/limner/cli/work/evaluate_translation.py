"""The work of `limner evaluate translation`."""

from limner.cli.commands.evaluate import TranslationOptions
from limner.cli.progress import StepBar
from limner.cli.work.dry_run import show
from limner.cli.work.evaluate import items_of, report_places, write_report
from limner.measure.translation import evaluate_translation
from limner.media.outputs import refuse_existing
from limner.runtime.run_options import RunOptions
from limner.verbs.segment.segmenter import Segmenter
from limner.verbs.translate.translator import Translator


def run(options: TranslationOptions) -> None:
    """Evaluate, print the tables, and write them as Markdown and as JSON.

    Raises:
        LimnerError: If an output is there already, or something that was asked for does not exist or does not fit.
    """
    places = report_places(options.output, "translation")
    if not options.force:
        refuse_existing(*places)
    names = list(dict.fromkeys(items_of(options.model)))
    if options.dry_run:
        show([(str(options.data), place) for place in places], as_json=options.as_json, models=", ".join(names))
        return
    run_options = RunOptions(device=options.device, precision=options.precision)
    models = [Translator(name, run_options) for name in names]
    segmenter = Segmenter(options.segmenter, run_options) if options.segmenter else None
    with StepBar() as progress:
        report = evaluate_translation(
            options.data, models, source=options.source, derive=options.derive, side=options.side, limit=options.limit,
            distance=options.distance, segmenter=segmenter, seed=options.seed, seeds=options.seeds,
            on_step=progress.step,
        )  # fmt: skip
    places[0].parent.mkdir(parents=True, exist_ok=True)
    write_report(report, places, as_json=options.as_json)
