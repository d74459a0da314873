"""The work of `limner texture`."""

import re
from dataclasses import dataclass, replace
from pathlib import Path

from limner.cli.easel import Easel, prepare, preset_name
from limner.errors import LimnerError
from limner.files.image import read_image, to_tensor
from limner.runtime.memory import parse_bytes
from limner.systems.optimize.texture import TextureConfig
from limner.types import Precision
from limner.verbs.texture import PRESETS, Preset, beside, paint


@dataclass(frozen=True)
class Options:
    """What the command line asks for."""

    picture: Path
    output: Path | None
    size: str
    seamless: bool
    preset: Preset
    quick: bool
    steps: int | None
    assignments: list[str]
    features: Path | None
    seed: int
    preview_every: int | None
    device: str
    precision: Precision
    memory: str | None
    threads: int | None
    resume: bool
    force: bool
    as_json: bool


def run(options: Options) -> None:
    """Make the texture and say where it lies.

    Raises:
        LimnerError: If the picture or an option does not fit.
        typer.Exit: With 1, if it was stopped.
    """
    prepare(options.threads, memory=options.memory)
    config, size = _config(options), _size(options.size)
    picture = read_image(options.picture)
    easel = Easel(
        options.output or beside(options.picture),
        replace(picture, alpha=None),
        preview_every=options.preview_every,
        resume=options.resume,
        force=options.force,
        as_json=options.as_json,
    )
    with easel:
        result = paint(
            to_tensor(picture),
            size,
            config,
            steps=options.steps,
            seamless=options.seamless,
            features=options.features,
            device=options.device,
            precision=options.precision,
            memory=None if options.memory is None else parse_bytes(options.memory),
            seed=options.seed,
            watch=easel.watch,
            state=easel.state,
            resume=options.resume,
        )
    easel.finish(result)


def _config(options: Options) -> TextureConfig:
    config = PRESETS[preset_name(options.preset, quick=options.quick)]
    return config.override(options.assignments)


def _size(text: str) -> tuple[int, int]:
    """Height and width."""
    match = re.fullmatch(r"([1-9]\d*)(?:x([1-9]\d*))?", text)
    if not match:
        raise LimnerError(f"--size takes a number of pixels, or WIDTHxHEIGHT, got {text!r}")
    return int(match[2] or match[1]), int(match[1])
