"""In which of three ways some styles are painted, and what paints them where that takes one pass."""

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Literal, TypeAlias

from limner.catalog.models import embedded, tasks_of, weights_path
from limner.errors import LimnerError
from limner.files.weights import read_header
from limner.runtime.run_options import RunOptions
from limner.tasks.stylize import STYLIZE, STYLIZE_LIKE
from limner.verbs.learnt_styles import learnt_model
from limner.verbs.stylize.adain_painter import ADAIN, AdaINPainter, load_adain
from limner.verbs.stylize.network_painter import EMBEDDED, MANY_STYLES, Painter, known_styles, one_pass
from limner.verbs.stylize.style import Style

OnePass: TypeAlias = Literal["fast", "adain"]
Method: TypeAlias = Literal["auto", "fast", "adain", "gatys"]


def chosen_method(
    styles: Sequence[Style],
    method: Method,
    model: str | None = None,
    *,
    of_gatys: Sequence[str] = (),
    of_one_pass: Sequence[str] = (),
) -> Literal["fast", "adain", "gatys"]:
    """How some styles are painted.

    With `auto`, an option that optimisation alone has asks for `gatys`, and a model for the method that it was trained
    for. Else names that the embedded network of `fast` knows, without masks and scales, are painted by it, and a
    painting whose style is learnt and kept, by its own network; all others by the embedded `adain`, and where that is
    not there, by `gatys`.

    Args:
        styles: At least one.
        method: What was asked for.
        model: For one pass: an embedded model, or a weight file.
        of_gatys: The names of the options that are given and that optimisation alone has.
        of_one_pass: Of those that one pass alone has.

    Raises:
        LimnerError: If there is no such model, or an option is given that the method does not have.
    """
    chosen = method if method != "auto" else "gatys" if of_gatys else _by_model(model) if model else _by_styles(styles)
    if chosen != "gatys" and of_gatys:
        raise LimnerError(f"{of_gatys[0]} is for --method gatys: leave it out, or choose that")
    if chosen == "gatys" and of_one_pass:
        raise LimnerError(f"{of_one_pass[0]} is for --method fast or adain: leave it out, or choose one of them")
    return chosen


def _by_model(model: str) -> OnePass:
    header = read_header(weights_path(model, STYLIZE, STYLIZE_LIKE))
    return "adain" if STYLIZE_LIKE in tasks_of(header) else "fast"


def _by_styles(styles: Sequence[Style]) -> Literal["fast", "adain", "gatys"]:
    if model_of_names(styles) or kept_model(styles):
        return "fast"
    return "adain" if ADAIN in embedded() else "gatys"


def model_of_names(styles: Sequence[Style]) -> str | None:
    """The first embedded network that knows all of some styles by their names; None if there is none."""
    if not all(_is_plain(one) and not Path(str(one.image)).exists() for one in styles):
        return None
    names = {str(one.image) for one in styles}
    return next((one for one in (MANY_STYLES, EMBEDDED) if one in embedded() and names <= {*known_styles(one)}), None)


def kept_model(styles: Sequence[Style]) -> str | None:
    """The weight file of one painting whose style is learnt and kept; None for anything else."""
    if len(styles) != 1 or not _is_plain(styles[0]) or not isinstance(styles[0].image, str | PathLike):
        return None
    kept = learnt_model(styles[0].image)
    return None if kept is None else str(kept)


def _is_plain(style: Style) -> bool:
    return style.mask is None and style.scale == 1


def weights_by_name(styles: Sequence[Style]) -> dict[str, float]:
    """The names or files of some styles, with their weights.

    Raises:
        LimnerError: If one is given as pixels.
    """
    found: dict[str, float] = {}
    for one in styles:
        if not isinstance(one.image, str | PathLike):
            raise LimnerError("a style that is painted by fast is given by its name: pass method='adain' or 'gatys'")
        found[str(one.image)] = found.get(str(one.image), 0) + one.weight
    return found


def name_of_painter(method: Literal["fast", "adain", "gatys"], styles: Sequence[Style], model: str | None) -> str:
    """What paints, for people: the network, or the method that needs none."""
    if method == "gatys":
        return method
    if method == "adain":
        return model or ADAIN
    return model or ("the style that was learnt" if kept_model(styles) else model_of_names(styles) or EMBEDDED)


def one_pass_painter(
    method: OnePass,
    styles: Sequence[Style],
    model: str | None = None,
    *,
    strength: float = 1.0,
    keep_colors: bool = False,
    size: int | None = None,
    seed: int = 0,
    options: RunOptions = RunOptions(),
) -> Painter | AdaINPainter:
    """What paints some styles in one pass.

    Args:
        method: As `chosen_method` says.
        styles: For `fast`, by their names, without masks and scales; none means the first of the model.
        model: An embedded model, or a weight file; None takes the embedded one.
        strength: As for `Painter` or `AdaINPainter`.
        keep_colors: As for `Painter` or `AdaINPainter`.
        size: The longer side of the result in pixels; None keeps that of the photo.
        seed: Of the noise that `fast` lays on photos.
        options: How it is run.

    Raises:
        LimnerError: If there is no such model or style, or the styles do not fit the method.
    """
    if method == "adain":
        return AdaINPainter(
            load_adain(model or ADAIN), styles, strength=strength, keep_colors=keep_colors, size=size,
            options=options,
        )  # fmt: skip
    if not all(map(_is_plain, styles)):
        raise LimnerError(
            "a mask or a scale of a style is for --method adain or gatys, got fast: leave it out, or choose one of them"
        )
    kept = None if model else kept_model(styles)
    names = {} if kept else weights_by_name(styles)  # a kept network knows one style
    model = model or kept or model_of_names(styles) or EMBEDDED
    return Painter(
        one_pass(names, model), strength=strength, keep_colors=keep_colors, size=size,
        seed=seed, options=options,
    )  # fmt: skip
