"""The work of `limner stylize-video`."""

import os
import re
import time
from collections.abc import Sequence
from pathlib import Path

import typer

from limner.cli.command import changed
from limner.cli.commands.stylize_video import Options
from limner.cli.errors import note, say
from limner.cli.printing import print_json, print_line
from limner.cli.progress import FileBars, StepBar
from limner.cli.work.dry_run import show
from limner.cli.work.growing_picture import preset_name
from limner.cli.work.new_style import learn_first
from limner.errors import LimnerError
from limner.files.video import is_video_path
from limner.files.video_writer import CRF, check_video
from limner.files.weights import sha256
from limner.media.footage import footage_path, open_footage
from limner.media.frame_folder import working_folder
from limner.media.inputs import find_pictures
from limner.systems.optimize.video_style import VIDEO_STYLE_MULTI_PASS, VideoStyleConfig, with_frame_steps
from limner.verbs.learnt_styles import check_kept, kept_as
from limner.verbs.stylize.methods import OnePass, chosen_method, name_of_painter, new_painting, one_pass_painter
from limner.verbs.stylize.network_painter import check_strength
from limner.verbs.stylize.network_video import STEADINESS, paint_video
from limner.verbs.stylize.optimized_video import GATYS_SIZE, PRESETS, VideoStep, stylize_video
from limner.verbs.stylize.style import Style, check_style_files, parse_style
from limner.verbs.stylize.stylize_names import stylize_naming

_OF_GATYS = ("steps", "passes", "long_term", "flow", "preset", "assignments", "features")
_OF_ONE_PASS = ("model", "steadiness", "strength")


def run(options: Options) -> None:
    """Paint the frames and say where they lie.

    Raises:
        LimnerError: If something or an option does not fit.
        typer.Exit: With 1, if it was stopped.
    """
    if options.force and options.resume:
        raise LimnerError("--force makes all anew and --resume what is missing: leave one of them out")
    styles = [parse_style(text)._replace(scale=options.style_scale) for text in options.styles]
    if not styles and options.model is None:
        raise LimnerError("a style is missing: choose one with --style, a picture or one of limner stylize --list")
    check_style_files(styles)
    begun = time.monotonic()
    of_gatys, of_one_pass = changed(options, *_OF_GATYS), changed(options, *_OF_ONE_PASS)
    method = chosen_method(
        styles, options.method, options.model, learn=not options.quick, quick=options.quick, of_gatys=of_gatys,
        of_one_pass=of_one_pass,
    )  # fmt: skip
    source = _source(options.frames)
    target = _target(options, styles, source)
    new = new_painting(styles) if method == "fast" and options.model is None else None
    if new:
        check_kept(kept_as(new))
    if options.dry_run:
        open_footage(source, options.size)
        show([(_text(source), target)], as_json=options.as_json, method=method)
        return
    options.run_options().prepare_process()
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        if method == "gatys":
            _optimize(options, styles, source, target)
        else:
            _paint_in_one_pass(options, method, styles, source, target, new=new)
    except KeyboardInterrupt:
        _say_what_is_kept(working_folder(target))
        raise typer.Exit(1) from None
    by = name_of_painter(method, styles, options.model)
    _print_result(target, time.monotonic() - begun, by, as_json=options.as_json)


def _text(source: Path | list[Path]) -> str:
    return str(source) if isinstance(source, Path) else f"{len(source)} pictures"


def _target(options: Options, styles: list[Style], source: Path | list[Path]) -> Path:
    """Where the result goes; a video that is there is found before the work."""
    naming = stylize_naming(
        styles, method=options.method, model=options.model, seed=options.seed, template=options.name
    )
    usual = footage_path(source, naming)
    is_video = isinstance(source, Path) and is_video_path(source)
    target = usual if options.output is None else Path(options.output)
    if is_video and options.output and (options.output.endswith(("/", os.sep)) or target.is_dir()):
        target = target / usual.name
    if is_video:
        crf = CRF if options.crf is None else options.crf
        check_video(target, crf, overwrite=options.force or options.resume)
    return target


def _say_what_is_kept(folder: Path) -> None:
    kept = f"the finished frames are in {folder}; --resume goes on with them" if folder.is_dir() else "nothing is made"
    say(f"stopped: {kept}")


def _paint_in_one_pass(
    options: Options,
    method: OnePass,
    styles: list[Style],
    source: Path | list[Path],
    target: Path,
    *,
    new: Path | None,
) -> None:
    if new:
        check_strength(options.strength)
        learn_first(new, options.device)
    painter = one_pass_painter(
        method, styles, options.model, strength=options.strength, keep_colors=options.keep_colors,
        options=options.run_options(),
    )  # fmt: skip
    with FileBars(1) as progress:
        paint_video(
            painter,
            source,
            output=target,
            size=options.size,
            steadiness=STEADINESS if options.steadiness is None else options.steadiness,
            crf=options.crf,
            asked={
                "method": method,
                "styles": [[_identity(str(one.image)), one.weight, one.scale] for one in styles],
                "model": options.model and _identity(options.model),
                "strength": options.strength,
                "keep_colors": options.keep_colors,
                "precision": options.precision,
            },
            resume=options.resume,
            overwrite=options.force,
            on_progress=progress.part_done,
            on_note=note,
        )


def _identity(name: str) -> str:
    """What tells a picture or a model from others: the name of one that comes with Limner, or the hash of a file."""
    return sha256(Path(name)) if Path(name).is_file() else name


def _optimize(options: Options, styles: list[Style], source: Path | list[Path], target: Path) -> None:
    config, bar = _config(options), StepBar()
    with bar:
        stylize_video(
            source,
            styles,
            output=target,
            config=config,
            size=options.size or GATYS_SIZE,
            flow=options.flow,
            keep_colors=options.keep_colors,
            features=options.features,
            crf=options.crf,
            device=options.device,
            precision=options.precision,
            memory=options.run_options().memory,
            seed=options.seed,
            resume=options.resume,
            overwrite=options.force,
            on_step=lambda step: _show(bar, step),
            on_note=note,
        )


def _show(bar: StepBar, step: VideoStep) -> None:
    named = "  ".join(f"{name} {loss:.3g}" for name, loss in step.losses.items())
    bar.step(step.done, step.total, f"frame {step.done + 1}, step {step.step} of {step.steps}  {named}")


def _print_result(target: Path, seconds: float, by: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"output": str(target), "seconds": round(seconds, 1), "model": by})
    else:
        print_line(f"{target}  painted by {by} in {seconds:.0f} s")


def _config(options: Options) -> VideoStyleConfig:
    config = PRESETS[preset_name(options.preset or "modern", quick=options.quick)]
    if options.preset == "paper" and options.passes not in (None, 1):
        config = VIDEO_STYLE_MULTI_PASS
    if options.passes is not None:
        config = config.override([f"num_passes={options.passes}"])
    if options.long_term is not None:
        if not re.fullmatch(r"[1-9]\d*(,[1-9]\d*)*", options.long_term):
            raise LimnerError(f"--long-term takes numbers of frames from 1, as 1,10,20, got {options.long_term!r}")
        config = config.override([f"long_term=[{options.long_term}]"])
    if options.steps is not None:
        config = with_frame_steps(config, options.steps)
    return config.override(options.assignments)


def _source(frames: Sequence[Path]) -> Path | list[Path]:
    """A video or a folder as it is; else the pictures that are meant."""
    if len(frames) == 1 and (frames[0].is_dir() or is_video_path(frames[0])):
        return frames[0]
    found = [one.path for one in find_pictures(frames, on_note=note)]
    if videos := [path for path in found if is_video_path(path)]:
        if len(found) > 1:
            raise LimnerError(f"{videos[0]}: one video is stylised at a time: name it alone")
        return videos[0]
    return found
