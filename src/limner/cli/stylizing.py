"""The work of `limner stylize`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from limner.cli.easel import Easel, prepare, preset_name
from limner.errors import LimnerError
from limner.files.image import read_image, to_tensor
from limner.runtime.memory import parse_bytes
from limner.systems.optimize.style import StyleConfig
from limner.types import Precision
from limner.verbs.stylize import PRESETS, Preset, Style, beside, paint


@dataclass(frozen=True)
class Options:
    """What the command line asks for."""

    photo: Path
    styles: list[str]
    masks: list[Path]
    output: Path | None
    size: str
    style_scale: float
    keep_colors: bool
    start: Literal["content", "noise"] | None
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
    """Paint the picture and say where it lies.

    Raises:
        LimnerError: If a picture, a mask or an option does not fit.
        typer.Exit: With 1, if it was stopped.
    """
    prepare(options.threads)
    config, styles, size = _config(options), _styles(options), _size(options.size)
    picture = read_image(options.photo)
    easel = Easel(
        options.output or beside(options.photo),
        picture,
        preview_every=options.preview_every,
        resume=options.resume,
        force=options.force,
        as_json=options.as_json,
    )
    with easel:
        result = paint(
            to_tensor(picture),
            styles,
            config,
            steps=options.steps,
            size=size,
            keep_colors=options.keep_colors,
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


def _config(options: Options) -> StyleConfig:
    config = PRESETS[preset_name(options.preset, quick=options.quick)]
    if options.start:
        config = config.model_copy(update={"start": options.start})
    return config.override(options.assignments)


def _styles(options: Options) -> list[Style]:
    if len(options.masks) > len(options.styles):
        raise LimnerError(f"{len(options.masks)} masks need as many styles or more, got {len(options.styles)}")
    masks = [*options.masks, *[None] * (len(options.styles) - len(options.masks))]
    named = [_weighted(text) for text in options.styles]
    return [Style(file, weight, mask, options.style_scale) for (file, weight), mask in zip(named, masks, strict=True)]


def _weighted(text: str) -> tuple[Path, float]:
    """`wave.jpg:0.3` -> the file and its weight; a name that is a file as it stands has weight 1."""
    name, colon, weight = text.rpartition(":")
    if not colon or Path(text).exists():
        return Path(text), 1.0
    try:
        return Path(name), float(weight)
    except ValueError:
        return Path(text), 1.0


def _size(text: str) -> int | None:
    if text == "photo":
        return None
    if not text.isdecimal() or int(text) < 1:
        raise LimnerError(f"--size takes a number of pixels or photo, got {text!r}")
    return int(text)
