"""The work of `limner generate`."""

import re
from pathlib import Path

from limner.arguments import whole_numbers
from limner.catalog.models import check_model
from limner.cli.commands.generate import Options
from limner.cli.printing import print_json, print_line
from limner.cli.progress import StepBar
from limner.cli.work.dry_run import show
from limner.cli.work.evaluate import write_report
from limner.cli.work.evaluate_generation import alike, data_config
from limner.cli.work.one_picture import place_of_one
from limner.errors import LimnerError
from limner.files.animation import is_animation_path
from limner.files.atomic import atomic_path
from limner.measure.truncation import sweep_chart, truncation_sweep
from limner.media.charts import check_matplotlib
from limner.media.names import Naming, model_name
from limner.media.outputs import refuse_existing
from limner.ports import Ported
from limner.runtime.device import choose_device
from limner.tasks.generate import GENERATE, Between, Styled, Viewed
from limner.verbs.generate import generate
from limner.verbs.generated_sheet import columns_of, write_made
from limner.verbs.views import parse_transform, parse_view

_USUAL_FRAMES = 16
_SPAN = 10  # truncations


def run(options: Options) -> None:
    """Make the pictures and write the sheet.

    Raises:
        LimnerError: If the output is there already, or the model does not fit.
    """
    if options.morph and options.classes:
        raise LimnerError("--morph names both objects, got --class too: leave one of them out")
    views = [parse_view(text) for text in options.views] or None
    transform = parse_transform(options.transforms) or None
    truncations = None if options.truncation is None else truncations_of(options.truncation)
    if options.sweep is not None:
        _sweep(options, truncations, options.sweep)
        return
    target = _target(options)
    if options.dry_run:
        check_model(options.model, GENERATE)
        show([(f"{options.count} pictures of {options.model}", target)], as_json=options.as_json)
        return
    made = generate(
        options.model,
        options.morph or _classes(options.classes) or None,
        count=options.count,
        seed=options.seed,
        views=views,
        transform=transform,
        frames=options.frames or (_USUAL_FRAMES if options.morph or options.interpolate else None),
        interpolate=options.interpolate,
        arithmetic=options.arithmetic,
        truncation=truncations,
        mix=options.mix,
        noise_draws=options.noise_draws,
        direction=options.direction,
        project=options.project or None,
        space=options.space,
        device=options.device,
    )
    target.parent.mkdir(parents=True, exist_ok=True)
    columns = columns_of(
        len(made), count=options.count, frames=options.frames, mix=options.mix, noise_draws=options.noise_draws,
        direction=options.direction, is_way=options.interpolate is not None, is_sum=options.arithmetic is not None,
        is_projection=bool(options.project), truncations=len(truncations or [1]),
    )  # fmt: skip
    width, height = write_made(target, made, columns, quality=options.quality, overwrite=options.force)
    if options.as_json:
        facts = {"output": str(target), "width": width, "height": height}
        print_json(facts | {"count": len(made), "model": options.model, "seed": options.seed})
    else:
        print_line(f"{target}  {width}x{height}, {len(made)} pictures")


def unused_options(system: Ported) -> list[str]:
    """Of the options that say what is made, those that a model has no use for, and refuses."""
    if isinstance(system, Viewed):
        return ["interpolate", "arithmetic", "project", "truncation", "mix", "noise_draws", "direction", "space"]
    found = ["views", "transforms"] if isinstance(system, Between) else ["views", "transforms", "morph"]
    if all(port.kind != "class" for port in system.inputs):
        found.append("classes")
    if any(port.kind == "latent" and port.uniform for port in system.inputs):
        found.append("truncation")
    has_styles = isinstance(system, Styled) and system.has_styles
    return found if has_styles else [*found, "mix", "noise_draws", "direction", "space"]


def _classes(words: list[str]) -> list[str]:
    """Spans and lists as their numbers; all else as it is written."""
    numbers = re.compile(r"[\d\s,-]+")
    return [
        one
        for word in words
        for one in (map(str, whole_numbers("--classes", word)) if numbers.fullmatch(word) else [word])
    ]


def truncations_of(text: str) -> list[float]:
    """Numbers with commas between, or ten of a span.

    >>> truncations_of("0.1..1")[:3], truncations_of("0.5, 1")
    ([0.1, 0.2, 0.3], [0.5, 1.0])

    Raises:
        LimnerError: If it is something else.
    """
    first, dots, last = text.partition("..")
    try:
        if dots:
            least, most = float(first), float(last)
            return [round(least + (most - least) * number / (_SPAN - 1), 6) for number in range(_SPAN)]
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise LimnerError(f"--truncation must be numbers as 0.5,1 or a span as 0.1..1.0, got {text!r}") from None


def _sweep(options: Options, truncations: list[float] | None, folder: Path) -> None:
    """Measure the model at each truncation and draw what was found.

    Raises:
        LimnerError: If there are no truncations, no real pictures, or the output is there already.
    """
    if not truncations or len(truncations) < 2:
        raise LimnerError("a sweep needs several truncations, got one or none: pass --truncation 0.1..1.0")
    check_matplotlib()
    name = Naming("{model}_truncation", model=model_name(options.model), seed=0).name(model_name(options.model))
    target = Path(options.output or f"{name}.svg")
    if target.suffix != ".svg":
        raise LimnerError(f"a sweep is drawn as .svg, got {target}: name such a file with --output")
    if not options.force:
        refuse_existing(target)
    if options.dry_run:
        show([(f"{len(truncations)} truncations of {options.model}", target)], as_json=options.as_json)
        return
    picture, num_classes = alike([options.model])
    real = data_config(picture, num_classes, []).load(folder)
    with StepBar() as progress:
        report = truncation_sweep(
            options.model, truncations, real, num_classes=num_classes, device=str(choose_device(options.device)),
            on_step=progress.step,
        )  # fmt: skip
    with atomic_path(target) as temporary:
        temporary.write_text(sweep_chart(report, truncations), encoding="utf-8")
    write_report(report, [], as_json=options.as_json)


def _target(options: Options) -> Path:
    """Where the result goes.

    Raises:
        LimnerError: If it is there already, or cannot be written.
    """
    if options.output and is_animation_path(options.output):
        if not options.force:
            refuse_existing(Path(options.output))
        return Path(options.output)
    name = model_name(options.model)
    naming = Naming(options.name or "{model}_generated", model=name, seed=options.seed)
    return place_of_one(naming.name(name), options, output=options.output)
