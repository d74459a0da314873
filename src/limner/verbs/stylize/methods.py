"""In which of four ways some styles are painted, and what paints them where that takes one pass."""

from collections.abc import Sequence
from os import PathLike
from os.path import exists
from pathlib import Path
from typing import Literal, TypeAlias, cast, get_args

from limner.arguments import check_word
from limner.catalog.models import embedded, tasks_of, weights_path
from limner.errors import LimnerError
from limner.files.weights import read_header
from limner.runtime.run_options import RunOptions
from limner.tasks.stylize import STYLIZE, STYLIZE_LIKE
from limner.verbs.learnt_styles import learnt_model
from limner.verbs.stylize.any_painter import AnyPainter, at_once, load_any
from limner.verbs.stylize.network_painter import EMBEDDED, Painter, known_styles, one_pass
from limner.verbs.stylize.strokes import Stroke
from limner.verbs.stylize.style import Style, check_weight

OnePass: TypeAlias = Literal["fast", "any-style", "adain"]
Method: TypeAlias = Literal["auto", "fast", "any-style", "adain", "gatys"]
METHODS: tuple[Method, ...] = get_args(Method)


def chosen_method(
    styles: Sequence[Style],
    method: Method,
    model: str | None = None,
    *,
    learn: bool = False,
    quick: bool = False,
    of_gatys: Sequence[str] = (),
    of_one_pass: Sequence[str] = (),
) -> Literal["fast", "any-style", "adain", "gatys"]:
    """How some styles are painted.

    With `auto`, an option that optimisation alone has asks for `gatys`, and a model for the method that it was trained
    for. Else names that the embedded network of `fast` knows, without masks and scales, are painted by it, and a
    painting whose style is learnt and kept, by its own network; all others by what `at_once` names, and where
    nothing is there, by `gatys`.

    Args:
        styles: At least one.
        method: What was asked for.
        model: For one pass: an embedded model, or a weight file.
        learn: Whether `new_painting` is learnt before it is painted in, so that it counts as one that is.
        quick: Given as an option, which of the methods that are asked for by name `gatys` alone has.
        of_gatys: The names of the options that are given and that optimisation alone has.
        of_one_pass: Of those that one pass alone has.

    Raises:
        LimnerError: If there is no such model, or an option is given that the method does not have.
    """
    check_word("method", method, METHODS)
    if quick and method not in ("auto", "gatys"):
        of_gatys = ["--quick", *of_gatys]
    if method != "auto":
        chosen = method
    elif of_gatys:
        chosen = "gatys"
    else:
        chosen = _by_model(model) if model else _by_styles(styles, learn=learn)
    if chosen != "gatys" and of_gatys:
        raise LimnerError(f"{of_gatys[0]} is for the method gatys: leave it out, or choose that")
    if chosen == "gatys" and of_one_pass:
        raise LimnerError(
            f"{of_one_pass[0]} is for the methods fast, any-style and adain: leave it out, or choose one of them"
        )
    return chosen


def _by_model(model: str) -> OnePass:
    header = read_header(weights_path(model, STYLIZE, STYLIZE_LIKE))
    return cast(OnePass, header.system) if STYLIZE_LIKE in tasks_of(header) else "fast"


def _by_styles(styles: Sequence[Style], *, learn: bool) -> Literal["fast", "any-style", "adain", "gatys"]:
    if model_of_names(styles) or kept_model(styles) or (learn and new_painting(styles)):
        return "fast"
    return cast(OnePass | None, at_once()) or "gatys"


def model_of_names(styles: Sequence[Style]) -> str | None:
    """The embedded network, if it knows all of some styles by their names; None if it does not."""
    named = [one.image for one in styles if _is_plain(one) and isinstance(one.image, str | PathLike)]
    if len(named) < len(styles) or any(map(exists, named)):
        return None
    names = set(map(str, named))
    return EMBEDDED if EMBEDDED in embedded() and names <= {*known_styles()} else None


def kept_model(styles: Sequence[Style]) -> str | None:
    """The weight file of one style that is learnt and kept, given by its painting or its name; None for all others."""
    one = _one_file(styles)
    kept = None if one is None or model_of_names(styles) else learnt_model(one)
    return None if kept is None else str(kept)


def new_painting(styles: Sequence[Style]) -> Path | None:
    """One painting that can be learnt and is not learnt yet: the network that learns others would paint it best."""
    one = _one_file(styles)
    can = one is not None and one.is_file() and EMBEDDED in embedded()
    return one if can and kept_model(styles) is None else None


def _one_file(styles: Sequence[Style]) -> Path | None:
    """The path, or name, of one style without mask and scale.

    Raises:
        LimnerError: If its weight is not above 0.
    """
    if len(styles) != 1 or not _is_plain(styles[0]) or not isinstance(styles[0].image, str | PathLike):
        return None
    check_weight(styles[0].weight)
    return Path(styles[0].image)


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
            raise LimnerError(
                "a style that is painted by fast is given by its name: pass method='any-style' or 'gatys'"
            )
        found[str(one.image)] = found.get(str(one.image), 0) + one.weight
    return found


def name_of_painter(
    method: Literal["fast", "any-style", "adain", "gatys"], styles: Sequence[Style], model: str | None
) -> str:
    """What paints, for people: the network, or the method that needs none."""
    if method == "gatys":
        return method
    if method != "fast":
        return model or method
    return model or ("the style that was learnt" if kept_model(styles) else model_of_names(styles) or EMBEDDED)


def one_pass_painter(
    method: OnePass,
    styles: Sequence[Style],
    model: str | None = None,
    *,
    strength: float = 1.0,
    keep_colors: bool = False,
    size: int | None = None,
    stroke: Stroke = 1.0,
    seed: int = 0,
    options: RunOptions = RunOptions(),
) -> Painter | AnyPainter:
    """What paints some styles in one pass.

    Args:
        method: As `chosen_method` says.
        styles: For `fast`, by their names, without masks and scales; none means the first of the model.
        model: An embedded model, or a weight file; None takes the embedded one.
        strength: As for `Painter` or `AnyPainter`.
        keep_colors: As for `Painter` or `AnyPainter`.
        size: The longer side of the result in pixels; None keeps that of the photo.
        stroke: How wide strokes are.
        seed: Of the noise that `fast` lays on photos.
        options: How it is run.

    Raises:
        LimnerError: If there is no such model or style, or the styles do not fit the method.
    """
    if method != "fast":
        return AnyPainter(
            load_any(model or method, method), styles, strength=strength, keep_colors=keep_colors, size=size,
            stroke=stroke, options=options,
        )  # fmt: skip
    if not all(map(_is_plain, styles)):
        raise LimnerError(
            "a mask or a scale of a style is for the methods any-style, adain and gatys, got fast: leave it out, or "
            "choose one of them"
        )
    kept = None if model else kept_model(styles)
    names = {} if kept else weights_by_name(styles)  # a kept network knows one style
    model = model or kept or model_of_names(styles) or EMBEDDED
    return Painter(
        one_pass(names, model), strength=strength, keep_colors=keep_colors, size=size, stroke=stroke,
        seed=seed, options=options,
    )  # fmt: skip
