"""Charts by matplotlib, as SVG."""

import io
from typing import TYPE_CHECKING

from limner.errors import LimnerError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLOURS = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#E69F00",
    "#56B4E9",
    "#000000",
)
"""Okabe and Ito's, which people with colour-blindness tell apart."""


def svg_of(figure: "Figure") -> str:
    """A figure as SVG: the same figure gives the same text, whenever and wherever it is drawn."""
    from matplotlib import rc_context

    text = io.StringIO()
    with rc_context({"svg.hashsalt": "limner", "svg.fonttype": "none"}):
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    return text.getvalue()


def check_matplotlib() -> None:
    """Ask before long work whether its charts can be drawn at the end.

    Raises:
        LimnerError: Matplotlib is not installed.
    """
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise LimnerError("charts need the bench extra: pip install '.[bench]' in the folder of Limner") from error
