"""The work of `limner evaluate segmentation`."""

from limner.cli.commands.evaluate import SegmentationOptions
from limner.cli.progress import StepBar
from limner.cli.work.dry_run import show
from limner.cli.work.evaluate import items_of, report_places, write_report
from limner.data.folder import check_headers
from limner.data.segmented import SegmentedConfig
from limner.errors import LimnerError
from limner.files.shard_path import unpacked
from limner.measure.segmented_folder import evaluate_segmentation
from limner.media.outputs import refuse_existing
from limner.runtime.run_options import RunOptions
from limner.verbs.segment.segmenter import Segmenter


def run(options: SegmentationOptions) -> None:
    """Evaluate, print the tables, and write them as Markdown and as JSON.

    Raises:
        LimnerError: If an output is there already, or something that was asked for does not exist.
    """
    places = report_places(options.output, "segmentation")
    if not options.force:
        refuse_existing(*places)
    if options.instances and options.colors:
        raise LimnerError("masks hold colours or the numbers of objects: leave out --colors or --instances")
    config = SegmentedConfig(
        images=options.images,
        masks=options.masks,
        meaning="instances" if options.instances else "colors" if options.colors else "values",
        ignore=tuple(options.ignore),
    )
    check_headers(config.files(unpacked(options.data)))
    names = list(dict.fromkeys(items_of(options.model)))
    if options.dry_run:
        show([(str(options.data), place) for place in places], as_json=options.as_json, models=", ".join(names))
        return
    run_options = RunOptions(device=options.device, precision=options.precision)
    models = [Segmenter(name, run_options, views=options.views) for name in names]
    with StepBar() as progress:
        report = evaluate_segmentation(
            options.data, models, config, metrics=items_of(options.metrics), on_step=progress.step
        )
    places[0].parent.mkdir(parents=True, exist_ok=True)
    write_report(report, places, as_json=options.as_json)
