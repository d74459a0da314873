"""The work of `limner texture`."""

import re
import time
from dataclasses import replace

from limner.cli.command import changed
from limner.cli.commands.texture import Options
from limner.cli.errors import note
from limner.cli.printing import print_json, print_line
from limner.cli.work.dry_run import show
from limner.cli.work.growing_picture import preset_name
from limner.cli.work.growing_pictures import Growing, grow_each
from limner.cli.work.one_picture import BLANK, place_of_one, write_one
from limner.errors import LimnerError
from limner.files.image import Picture, from_tensor
from limner.files.visible import source_tensor
from limner.loops.optimize import Optimized, RunControl
from limner.media.inputs import find_pictures
from limner.media.names import model_name
from limner.media.outputs import Job
from limner.systems.optimize.texture import TextureConfig
from limner.verbs.texture import PRESETS, draw_texture, synthesize_texture, texture_naming

_OF_SEEKING = ("photos", "preset", "quick", "steps", "assignments", "features", "preview_every", "resume", "recursive")


def run(options: Options) -> None:
    """Make the texture and say where it lies.

    Raises:
        LimnerError: If the picture or an option does not fit.
        typer.Exit: With 1, if it was stopped.
    """
    if options.method == "network":
        _draw(options)
    else:
        _seek(options)


def _draw(options: Options) -> None:
    """By a network."""
    if others := changed(options, *_OF_SEEKING):
        raise LimnerError(f"--method network draws a texture that it has learnt, so leave out {' and '.join(others)}")
    if options.model is None:
        raise LimnerError(
            "--method network needs a network: pass --model FILE, as limner train texture-network wrote it"
        )
    size, begun = _size(options.size), time.monotonic()
    naming = texture_naming(options.model, seed=options.seed, template=options.name)
    target = place_of_one(naming.name(model_name(options.model)), options, output=options.output)
    if options.dry_run:
        show([(options.model, target)], as_json=options.as_json)
        return
    options.run_options().prepare_process()
    image = draw_texture(
        options.model,
        size,
        seed=options.seed,
        seamless=options.seamless,
        options=options.run_options(),
    )
    write_one(target, from_tensor(image, like=BLANK), options)
    height, width, seconds = *image.shape[-2:], time.monotonic() - begun
    if options.as_json:
        print_json({"output": str(target), "width": width, "height": height, "seconds": round(seconds, 3)})
    else:
        print_line(f"{target}  {width}x{height}  {1000 * seconds:.0f} ms")


def _seek(options: Options) -> None:
    """For a picture."""
    if not options.photos:
        raise LimnerError(
            "a texture is sought for its picture: name one, or draw it with --method network --model FILE"
        )
    if options.model is not None:
        raise LimnerError("--model is of a network: pass --method network too, or leave it out")
    config, size = _config(options), _size(options.size)
    found = find_pictures(options.photos, recursive=options.recursive, on_note=note)

    def make(picture: Picture, control: RunControl) -> Optimized:
        return synthesize_texture(
            source_tensor(picture),
            size,
            config,
            steps=options.steps,
            seamless=options.seamless,
            features=options.features,
            options=options.run_options(),
            seed=options.seed,
            control=control,
        )

    def grow(job: Job, picture: Picture) -> Growing:
        return Growing(replace(picture, alpha=None), make)

    naming = texture_naming(seed=options.seed, template=options.name)
    grow_each(options, found, naming, grow, output=options.output, usual=".png")


def _config(options: Options) -> TextureConfig:
    config = PRESETS[preset_name(options.preset, quick=options.quick)]
    return config.override(options.assignments)


def _size(text: str) -> tuple[int, int]:
    """Height and width."""
    match = re.fullmatch(r"([1-9]\d*)(?:x([1-9]\d*))?", text)
    if not match:
        raise LimnerError(f"--size takes a number of pixels, or WIDTHxHEIGHT, got {text!r}")
    return int(match[2] or match[1]), int(match[1])
