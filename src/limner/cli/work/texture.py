"""The work of `limner texture`."""

import re
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from limner.cli.command import changed
from limner.cli.commands.texture import Options
from limner.cli.printing import print_json
from limner.cli.work.growing_picture import GrowingPicture, preset_name
from limner.errors import LimnerError
from limner.files.image import Picture, from_tensor, read_image, write_image
from limner.files.visible import source_tensor
from limner.systems.optimize.texture import TextureConfig
from limner.verbs.texture import PRESETS, draw_texture, synthesize_texture, texture_path

_OF_SEEKING = ("picture", "preset", "quick", "steps", "assignments", "features", "preview_every", "resume")


def run(options: Options) -> None:
    """Make the texture and say where it lies.

    Raises:
        LimnerError: If the picture or an option does not fit.
        typer.Exit: With 1, if it was stopped.
    """
    options.run_options().prepare_process()
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
    target = options.output or Path(f"{Path(options.model).stem}_texture.png")
    if target.exists() and not options.force:
        raise LimnerError(f"{target}: is already there: pass --force to replace, or name another --output")
    image = draw_texture(
        options.model,
        size,
        seed=options.seed,
        seamless=options.seamless,
        options=options.run_options(),
    )
    write_image(target, from_tensor(image, like=Picture(np.zeros((1, 1, 3), np.uint8))), overwrite=options.force)
    height, width, seconds = *image.shape[-2:], time.monotonic() - begun
    if options.as_json:
        print_json({"output": str(target), "width": width, "height": height, "seconds": round(seconds, 3)})
    else:
        print(f"{target}  {width}x{height}  {1000 * seconds:.0f} ms")


def _seek(options: Options) -> None:
    """For a picture."""
    if options.picture is None:
        raise LimnerError(
            "a texture is sought for its picture: name one, or draw it with --method network --model FILE"
        )
    if options.model is not None:
        raise LimnerError("--model is of a network: pass --method network too, or leave it out")
    config, size = _config(options), _size(options.size)
    picture = read_image(options.picture)
    growing = GrowingPicture(options.output or texture_path(options.picture), replace(picture, alpha=None), options)
    with growing:
        result = synthesize_texture(
            source_tensor(picture),
            size,
            config,
            steps=options.steps,
            seamless=options.seamless,
            features=options.features,
            options=options.run_options(),
            seed=options.seed,
            control=growing.control,
        )
    growing.finish(result)


def _config(options: Options) -> TextureConfig:
    config = PRESETS[preset_name(options.preset, quick=options.quick)]
    return config.override(options.assignments)


def _size(text: str) -> tuple[int, int]:
    """Height and width."""
    match = re.fullmatch(r"([1-9]\d*)(?:x([1-9]\d*))?", text)
    if not match:
        raise LimnerError(f"--size takes a number of pixels, or WIDTHxHEIGHT, got {text!r}")
    return int(match[2] or match[1]), int(match[1])
