"""The work of `limner stylize`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch

from limner.catalog import embedded
from limner.cli.inputs import Found, find_pictures
from limner.cli.options import print_json
from limner.cli.outputs import plan_outputs
from limner.cli.painting_options import weighted
from limner.cli.work.demo import PHOTO
from limner.cli.work.growing_picture import Easel, prepare, preset_name
from limner.cli.work.many_files import Painting
from limner.errors import LimnerError
from limner.files.image import read_image, to_tensor, write_image
from limner.media.contact_sheet import Panel, contact_sheet
from limner.ops.framing import middle_square
from limner.runtime.memory import parse_bytes
from limner.systems.optimize.style import StyleConfig
from limner.types import Image, Precision
from limner.verbs.learnt_styles import learnt_names
from limner.verbs.stylize.methods import Method, OnePass, chosen_method, one_pass_painter, weights_by_name
from limner.verbs.stylize.named_styles import named_styles
from limner.verbs.stylize.network_painter import MANY_STYLES, Painter, known_styles, one_pass
from limner.verbs.stylize.style import Style
from limner.verbs.stylize.stylize import GATYS_SIZE, PRESETS, paint

_THUMBNAIL = 240  # pixels, of both sides


@dataclass(frozen=True)
class Options:
    """What the command line asks for."""

    photos: list[Path]
    styles: list[str]
    masks: list[Path]
    output: str | None
    method: Method
    model: str | None
    size: str | None
    strength: float
    style_scale: float
    keep_colors: bool
    quality: int | None
    recursive: bool
    backend: str
    tile: int | None
    start: Literal["content", "noise"] | None
    preset: Literal["modern", "paper"] | None
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

    @property
    def of_gatys(self) -> list[str]:
        """The options that are given and that optimisation alone has."""
        given = {
            "--start": self.start,
            "--preset": self.preset,
            "--quick": self.quick,
            "--steps": self.steps,
            "--set": self.assignments,
            "--features": self.features,
            "--preview-every": self.preview_every,
            "--resume": self.resume,
        }
        return [name for name, value in given.items() if value]

    @property
    def of_one_pass(self) -> list[str]:
        """The options that are given and that one pass alone has."""
        given = {
            "--tile": self.tile,
            "--model": self.model,
            "--quality": self.quality,
            "--backend": self.backend != "auto",
        }
        return [name for name, value in given.items() if value]


def run(options: Options) -> None:
    """Paint, and say where the results lie.

    Raises:
        LimnerError: If a picture, a mask or an option does not fit.
        typer.Exit: With 1, if it was stopped, or one of many photos is bad.
    """
    if not options.photos:
        raise LimnerError("stylize takes one photo or more, got none: name them, or pass --list for the styles")
    styles = _styles(options)
    if not styles and options.model is None:
        raise LimnerError("a style is missing: pass --style with a name of --list, or with a picture")
    found = find_pictures(options.photos, recursive=options.recursive)
    method = chosen_method(
        styles, options.method, options.model, of_gatys=options.of_gatys, of_one_pass=options.of_one_pass
    )
    if method == "gatys":
        _optimize(options, styles, found)
    else:
        _paint_in_one_pass(options, method, styles, found)


def show_styles(output: str | None, *, force: bool, as_json: bool) -> None:
    """Write a sheet of the styles that come with Limner, and print their names.

    Raises:
        LimnerError: If the sheet cannot be written.
    """
    target = Path(output or "styles.png")
    pictures = {name: middle_square(to_tensor(read_image(path)), _THUMBNAIL) for name, path in named_styles().items()}
    panels = [Panel(name, picture) for name, picture in {**pictures, **_without_picture()}.items()]
    write_image(target, contact_sheet(panels, columns=6), overwrite=force)
    names, learnt = [panel.label for panel in panels], learnt_names()
    if as_json:
        print_json({"styles": names, "learnt": learnt, "sheet": str(target)})
        return
    print("\n".join([*names, *(f"{name}  learnt, {path}" for path, name in learnt.items())]))
    print(target)


def _without_picture() -> dict[str, Image]:
    """Of the styles that come without a picture: a photo in each."""
    photo = middle_square(to_tensor(read_image(PHOTO)), _THUMBNAIL)
    names = known_styles(MANY_STYLES) if MANY_STYLES in embedded() else ()
    return {
        name: Painter(one_pass({name: 1.0}, MANY_STYLES), device="cpu").paint(photo)
        for name in names
        if name not in named_styles()
    }


def _paint_in_one_pass(options: Options, method: OnePass, styles: list[Style], found: list[Found]) -> None:
    if options.threads is not None:
        torch.set_num_threads(options.threads)
    painter = one_pass_painter(
        method,
        styles,
        options.model,
        strength=options.strength,
        keep_colors=options.keep_colors,
        size=_size(options.size, None),
        seed=options.seed,
        device=options.device,
        precision=options.precision,
        backend=options.backend,
        tile=options.tile,
        memory=None if options.memory is None else parse_bytes(options.memory),
        threads=options.threads,
    )
    painting = Painting(painter, found, output=options.output, quality=options.quality, force=options.force)
    painting.run(as_json=options.as_json, method=method, styles=weights_by_name(styles), precision=options.precision)


def _optimize(options: Options, styles: list[Style], found: list[Found]) -> None:
    if len(found) > 1:
        raise LimnerError(f"--method gatys paints one photo at a time, got {len(found)}: name one")
    prepare(options.threads, memory=options.memory)
    config, size = _config(options), _size(options.size, GATYS_SIZE)
    source = found[0].path
    picture = read_image(source)
    (job,) = plan_outputs(
        found, output=options.output, ending="stylized", suffix=None, compare=False,
        force=options.force, resume=options.resume,
    )  # fmt: skip
    easel = Easel(
        job.target,
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
            strength=options.strength,
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
    config = PRESETS[preset_name(options.preset or "modern", quick=options.quick)]
    if options.start:
        config = config.model_copy(update={"start": options.start})
    return config.override(options.assignments)


def _styles(options: Options) -> list[Style]:
    if len(options.masks) > len(options.styles):
        raise LimnerError(f"{len(options.masks)} masks need as many styles or more, got {len(options.styles)}")
    masks = [*options.masks, *[None] * (len(options.styles) - len(options.masks))]
    named = [weighted(text) for text in options.styles]
    return [Style(name, weight, mask, options.style_scale) for (name, weight), mask in zip(named, masks, strict=True)]


def _size(text: str | None, usual: int | None) -> int | None:
    """The longer side that is asked for; None is that of the photo."""
    if text is None:
        return usual
    if text == "photo":
        return None
    if not text.isdecimal() or int(text) < 1:
        raise LimnerError(f"--size takes a number of pixels or photo, got {text!r}")
    return int(text)
