"""What paintings are called: by their photos and styles, and by model and method where these are named."""

from collections.abc import Sequence
from os import PathLike
from pathlib import Path

from limner.catalog.models import embedded
from limner.media.names import Naming, model_name
from limner.verbs.stylize.methods import Method
from limner.verbs.stylize.named_styles import named_styles
from limner.verbs.stylize.network_painter import EMBEDDED, known_styles
from limner.verbs.stylize.style import Style

_ONE_PASS_AND_SLOW = ("fast", "any-style", "adain", "gatys")


def stylize_naming(
    styles: Sequence[Style],
    *,
    method: Method = "auto",
    model: str | None = None,
    seed: int = 0,
    template: str | None = None,
) -> Naming:
    """How paintings are called: `photo_great-wave`, or `photo_great-wave_mine_fast` with model and method.

    Args:
        styles: Each by the name of its file; one that is given as pixels is `style`, none is the model.
        method: As it was asked for.
        model: As it was asked for.
        seed: Of what is random.
        template: Instead of the usual one.

    Raises:
        LimnerError: If the template does not fit.
    """
    base, chosen = "{stem}_{style}", model_name(model) if model else method
    usual = [base + one + two for one in ("", "_{model}") for two in ("", "_{method}")]
    own = base + "_{model}" * (bool(model) and bool(styles)) + "_{method}" * (method != "auto")
    others = {"style": _known(), "model": embedded(), "method": _ONE_PASS_AND_SLOW}
    style = "+".join(map(_name, styles)) or chosen
    return Naming(template or own, others, usual, style=style, model=chosen, method=method, seed=seed)


def _name(style: Style) -> str:
    return Path(style.image).stem if isinstance(style.image, str | PathLike) else "style"


def _known() -> list[str]:
    """Styles that photos may have been painted in before."""
    return [*named_styles(), *(known_styles() if EMBEDDED in embedded() else ())]
