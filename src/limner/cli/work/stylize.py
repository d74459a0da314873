"""The work of `limner stylize`."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from limner.catalog.models import embedded
from limner.cli.command import changed
from limner.cli.commands.stylize import Options
from limner.cli.errors import note
from limner.cli.options import pixel_limit
from limner.cli.printing import print_json, print_line
from limner.cli.work.demo import PHOTO
from limner.cli.work.dry_run import show, show_jobs
from limner.cli.work.file_report import FileReport
from limner.cli.work.growing_picture import preset_name
from limner.cli.work.growing_pictures import Growing, grow_each
from limner.cli.work.new_style import learn_first
from limner.cli.work.work_on import addresses, work_on
from limner.errors import LimnerError
from limner.files.bucket import BucketPath
from limner.files.image import Picture, read_image, to_tensor, write_image
from limner.files.visible import visible_tensor
from limner.loops.optimize import Optimized, RunControl
from limner.media.contact_sheet import Panel, contact_sheet
from limner.media.inputs import Found, find_pictures
from limner.media.many_files import check_readable
from limner.media.names import Naming
from limner.media.outputs import Job, plan_outputs, refuse_existing
from limner.ops.framing import middle_square
from limner.systems.optimize.style import StyleConfig
from limner.types import Image
from limner.verbs.learnt_styles import check_kept, kept_as, learnt_names
from limner.verbs.stylize.methods import (
    OnePass,
    chosen_method,
    name_of_painter,
    new_painting,
    one_pass_painter,
    weights_by_name,
)
from limner.verbs.stylize.named_styles import named_styles, style_picture
from limner.verbs.stylize.network_painter import EMBEDDED, check_strength, painted_in_each, shown_styles
from limner.verbs.stylize.strokes import check_stroke, parse_stroke
from limner.verbs.stylize.style import Style, check_style_files, parse_style
from limner.verbs.stylize.stylize import GATYS_SIZE, PRESETS, optimize_style
from limner.verbs.stylize.stylize_many import PaintWorker
from limner.verbs.stylize.stylize_names import stylize_naming

_THUMBNAIL = 240  # pixels, of both sides
_OF_GATYS = ("start", "preset", "steps", "assignments", "features", "preview_every")
_OF_ONE_PASS = ("tile", "model", "backend", "stroke")


def run(options: Options) -> None:
    """Paint, and say where the results lie.

    Raises:
        LimnerError: If a picture, a mask or an option does not fit.
        typer.Exit: With 1, if it was stopped, or one of many photos is bad.
    """
    if options.list_styles:
        show_styles(options)
        return
    if not options.photos:
        raise LimnerError("stylize takes one photo or more, got none: name them, or pass --list for the styles")
    styles = _styles(options)
    if not styles and options.model is None:
        raise LimnerError("a style is missing: choose one with --style, a picture or one of limner stylize --list")
    check_style_files(styles)
    photos, output = addresses(options.on, options.photos, options.output)
    found = find_pictures(photos, recursive=options.recursive, on_note=note)
    of_gatys, of_one_pass = changed(options, *_OF_GATYS), changed(options, *_OF_ONE_PASS)
    method = chosen_method(
        styles, options.method, options.model, learn=not (options.quick or options.on), quick=options.quick,
        of_gatys=of_gatys, of_one_pass=of_one_pass,
    )  # fmt: skip
    naming = stylize_naming(
        styles, method=options.method, model=options.model, seed=options.seed, template=options.name
    )
    if method != "fast":
        for one in styles:
            if isinstance(one.image, str | Path):
                style_picture(one.image)
    if method == "gatys":
        if options.on:
            raise LimnerError("--on is for what paints in one pass, got gatys: leave it out, or choose another method")
        _optimize(options, styles, found, naming)
    else:
        _paint_in_one_pass(options, method, styles, found, naming, output)


def show_styles(options: Options) -> None:
    """Write a sheet of the styles that come with Limner, and print their names.

    Raises:
        LimnerError: If the sheet cannot be written.
    """
    target = Path(options.output or "styles.png")
    if not options.force:
        refuse_existing(target)
    if options.dry_run:
        show([("styles", target)], as_json=options.as_json)
        return
    panels = [Panel(name, picture) for name, picture in style_pictures().items()]
    write_image(target, contact_sheet(panels, columns=6), overwrite=options.force)
    names, learnt = [panel.label for panel in panels], learnt_names()
    if options.as_json:
        print_json({"styles": names, "learnt": learnt, "sheet": str(target)})
        return
    for line in (*names, *(f"{name}  learnt, {path}" for path, name in learnt.items())):
        print_line(line)
    print_line(str(target))


def style_pictures() -> dict[str, Image]:
    """Small squares of all styles that come with Limner, by name: their pictures, or a photo in each."""
    pictures = {name: middle_square(to_tensor(read_image(path)), _THUMBNAIL) for name, path in named_styles().items()}
    return {**pictures, **_without_picture()}


def _without_picture() -> dict[str, Image]:
    """Of the styles that come without a picture: a photo in each."""
    if EMBEDDED not in embedded():
        return {}
    photo = middle_square(to_tensor(read_image(PHOTO)), _THUMBNAIL)
    names = [name for name in shown_styles() if name not in named_styles()]
    return dict(zip(names, painted_in_each(names, photo).split(1), strict=True))


def _paint_in_one_pass(
    options: Options,
    method: OnePass,
    styles: list[Style],
    found: list[Found],
    naming: Naming,
    output: str | BucketPath | None,
) -> None:
    _size(options.size, None)
    limit = pixel_limit(options.max_pixels)
    check_strength(options.strength)
    check_stroke(parse_stroke(options.stroke))
    planned = plan_outputs(
        found, naming, output=output, suffix=options.suffix,
        force=options.force, resume=options.resume, on_note=note,
    )  # fmt: skip
    jobs = planned.jobs
    can_learn = jobs and method == "fast" and options.model is None and options.on is None
    new = new_painting(styles) if can_learn else None
    if new:
        check_kept(kept_as(new))
    if options.dry_run:
        show_jobs(
            jobs, as_json=options.as_json, is_alone=len(jobs) == 1, max_pixels=limit, quality=options.quality,
            method=method,
        )  # fmt: skip
        return
    if new:
        options.run_options().prepare_process()
        _refuse_bad_photos(jobs, limit)
        learn_first(new, options.device)
    painted_by = name_of_painter(method, styles, options.model)
    report = FileReport(len(jobs), as_json=options.as_json)
    make, overwrite = partial(_worker, options, method, styles, limit), options.force or options.resume
    with report:
        work_on(options.on, jobs, make, report, options, overwrite=overwrite)
    report.raise_if_alone()
    if options.as_json:
        finished = [str(job.target) for job in planned.finished]
        report.print_json(
            finished=finished,
            method=method,
            model=painted_by,
            styles=weights_by_name(styles),
            precision=options.precision,
        )
    report.conclude("photos are painted", by=f"painted by {painted_by}" if options.model is None else "")


def _worker(options: Options, method: OnePass, styles: list[Style], max_pixels: int | None) -> PaintWorker:
    run_options = options.run_options()
    run_options.prepare_process()
    painter = one_pass_painter(
        method, styles, options.model, strength=options.strength, keep_colors=options.keep_colors,
        size=_size(options.size, None), stroke=parse_stroke(options.stroke), seed=options.seed, options=run_options,
    )  # fmt: skip
    overwrite = options.force or options.resume
    return PaintWorker(painter, quality=options.quality, max_pixels=max_pixels, overwrite=overwrite)


def _refuse_bad_photos(jobs: Sequence[Job], max_pixels: int | None) -> None:
    """Learn nothing where there is no photo to paint: raise the error of the first of them."""
    errors = list[LimnerError]()
    for job in jobs:
        try:
            check_readable(job, max_pixels)
        except LimnerError as error:
            errors.append(error)
        else:
            return
    raise errors[0]


def _optimize(options: Options, styles: list[Style], found: list[Found], naming: Naming) -> None:
    config, size = _config(options), _size(options.size, GATYS_SIZE)

    def paint(picture: Picture, control: RunControl) -> Optimized:
        return optimize_style(
            visible_tensor(picture),
            styles,
            config,
            steps=options.steps,
            size=size,
            strength=options.strength,
            keep_colors=options.keep_colors,
            features=options.features,
            options=options.run_options(),
            seed=options.seed,
            control=control,
        )

    grow_each(
        options, found, naming, lambda job, picture: Growing(picture, paint), output=options.output,
        max_pixels=pixel_limit(options.max_pixels),
    )  # fmt: skip


def _config(options: Options) -> StyleConfig:
    config = PRESETS[preset_name(options.preset or "modern", quick=options.quick)]
    if options.start:
        config = config.model_copy(update={"start": options.start})
    return config.override(options.assignments)


def _styles(options: Options) -> list[Style]:
    if len(options.masks) > len(options.styles):
        raise LimnerError(f"{len(options.masks)} masks need as many styles or more, got {len(options.styles)}")
    masks = [*options.masks, *[None] * (len(options.styles) - len(options.masks))]
    return [
        parse_style(text)._replace(mask=mask, scale=options.style_scale)
        for text, mask in zip(options.styles, masks, strict=True)
    ]


def _size(text: str | None, usual: int | None) -> int | None:
    """The longer side that is asked for; None is that of the photo."""
    if text is None:
        return usual
    if text == "photo":
        return None
    if not text.isdecimal() or int(text) < 1:
        raise LimnerError(f"--size takes a number of pixels or photo, got {text!r}")
    return int(text)
