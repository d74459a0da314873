"""The work of `limner stylize-video`."""

import re
import time
from collections.abc import Sequence
from pathlib import Path

import typer

from limner.cli.command import changed
from limner.cli.commands.stylize_video import Options
from limner.cli.errors import note, say
from limner.cli.printing import print_json
from limner.cli.progress import FileBars, StepBar
from limner.cli.work.growing_picture import preset_name
from limner.cli.work.new_style import learn_first
from limner.errors import LimnerError
from limner.files.video import is_video_path
from limner.files.weights import sha256
from limner.media.footage import stylized_footage_path
from limner.media.frame_folder import working_folder
from limner.media.inputs import find_pictures
from limner.systems.optimize.video_style import VIDEO_STYLE_MULTI_PASS, VideoStyleConfig, with_frame_steps
from limner.verbs.stylize.methods import OnePass, chosen_method, new_painting, one_pass_painter
from limner.verbs.stylize.network_video import STEADINESS, paint_video
from limner.verbs.stylize.optimized_video import GATYS_SIZE, PRESETS, VideoStep, stylize_video
from limner.verbs.stylize.style import Style, parse_style

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
    options.run_options().prepare_process()
    styles = [parse_style(text)._replace(scale=options.style_scale) for text in options.styles]
    if not styles and options.model is None:
        raise LimnerError("a style is missing: pass --style with a name of limner stylize --list, or with a picture")
    begun = time.monotonic()
    of_gatys, of_one_pass = changed(options, *_OF_GATYS), changed(options, *_OF_ONE_PASS)
    method = chosen_method(
        styles, options.method, options.model, quick=options.quick, of_gatys=of_gatys, of_one_pass=of_one_pass
    )
    source = _source(options.frames)
    try:
        if method == "gatys":
            target = _optimize(options, source, styles)
        else:
            target = _paint_in_one_pass(options, method, source, styles)
    except KeyboardInterrupt:
        _say_what_is_kept(working_folder(options.output or stylized_footage_path(source)))
        raise typer.Exit(1) from None
    _print_result(target, time.monotonic() - begun, as_json=options.as_json)


def _say_what_is_kept(folder: Path) -> None:
    kept = f"the finished frames are in {folder}; --resume goes on with them" if folder.is_dir() else "nothing is made"
    say(f"stopped: {kept}")


def _paint_in_one_pass(options: Options, method: OnePass, source: Path | list[Path], styles: list[Style]) -> Path:
    learns = options.model is None and options.method in ("auto", "fast") and not options.quick
    if learns and (new := new_painting(styles)):
        learn_first(new, options.device)
        method = "fast"
    painter = one_pass_painter(
        method, styles, options.model, strength=options.strength, keep_colors=options.keep_colors,
        options=options.run_options(),
    )  # fmt: skip
    with FileBars(1) as progress:
        return paint_video(
            painter,
            source,
            output=options.output,
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


def _optimize(options: Options, source: Path | list[Path], styles: list[Style]) -> Path:
    config, bar = _config(options), StepBar()
    with bar:
        return stylize_video(
            source,
            styles,
            output=options.output,
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


def _print_result(target: Path, seconds: float, *, as_json: bool) -> None:
    if as_json:
        print_json({"output": str(target), "seconds": round(seconds, 1)})
    else:
        print(f"{target}  {seconds:.0f} s")


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
