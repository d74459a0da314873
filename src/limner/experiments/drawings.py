"""A facade in labels and a face in lines, drawn with rectangles and arcs, and what three translators make of them.

`python -m limner.experiments.drawings --output drawings.jpg` (Isola et al. 2017, figures 12 and 15).
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image as PILImage
from PIL import ImageDraw

from limner.experiments.command import begin, finish, run_program
from limner.experiments.options import Output, Seed, Threads
from limner.files.image import Picture, to_tensor
from limner.media.contact_sheet import Panel
from limner.media.names import model_name
from limner.runtime.run_options import RunOptions
from limner.types import Image
from limner.verbs.translate.translator import Translator

SIDE = 256
_COLUMNS = 5
_INK, _PAPER = (0, 0, 0), (255, 255, 255)

FACADE = (
    ("facade", 0.04, 0.06, 0.96, 1.0),
    ("cornice", 0.04, 0.06, 0.96, 0.12),
    *(
        (part, left + (0.01 if part == "window" else 0.0), top, left + (0.10 if part == "window" else 0.11), bottom)
        for row in (0.18, 0.38, 0.57)
        for left in (0.12, 0.29, 0.46, 0.63, 0.80)
        for part, top, bottom in (("window", row, row + 0.12), ("sill", row + 0.12, row + 0.14))
    ),
    ("balcony", 0.42, 0.49, 0.60, 0.54),
    ("molding", 0.04, 0.74, 0.96, 0.77),
    ("shop", 0.10, 0.80, 0.38, 0.98),
    ("door", 0.45, 0.79, 0.56, 1.0),
    ("shop", 0.63, 0.80, 0.91, 0.98),
)
"""Class, and where its rectangle begins and ends, as shares of the sides."""


def drawn_facade(colors: Mapping[str, tuple[int, int, int]], side: int = SIDE) -> Image:
    """A label picture of the colours of classes, among them `background`."""
    canvas = PILImage.new("RGB", (side, side), colors["background"])
    draw = ImageDraw.Draw(canvas)
    for part, left, top, right, bottom in FACADE:
        draw.rectangle([round(side * at) for at in (left, top, right, bottom)], colors[part])
    return _image(canvas)


def drawn_face(side: int = SIDE) -> Image:
    """A face, hair and shoulders by arcs of five pixels."""
    canvas = PILImage.new("RGB", (side * 2, side * 2), _PAPER)  # halved at last, so that lines are smooth
    draw = ImageDraw.Draw(canvas)

    def arc(left: float, top: float, right: float, bottom: float, start: float = 0, end: float = 360) -> None:
        draw.arc([round(2 * side * at) for at in (left, top, right, bottom)], start, end, _INK, 9)

    arc(0.32, 0.24, 0.68, 0.72)
    arc(0.24, 0.11, 0.76, 0.80, 118, 422)
    arc(0.31, 0.02, 0.69, 0.36, 25, 155)
    for left in (0.40, 0.54):
        arc(left, 0.42, left + 0.06, 0.47)
        arc(left - 0.01, 0.37, left + 0.07, 0.43, 200, 340)
    arc(0.48, 0.47, 0.53, 0.55, 0, 140)
    arc(0.43, 0.52, 0.57, 0.63, 20, 160)
    arc(0.12, 0.74, 0.88, 1.4, 180, 360)
    arc(0.42, 0.62, 0.58, 0.82, 20, 160)
    return _image(canvas.resize((side, side), PILImage.Resampling.BOX))


def sheet(seed: int, facades: Sequence[str] = ("facades", "facades-spade"), faces: str = "faces") -> list[Panel]:
    """Each drawing before what becomes of it.

    Args:
        seed: Of the noise.
        facades: Models of label pictures that know the classes of `FACADE`.
        faces: A model of lines.
    """
    options = RunOptions(device="cpu")
    builders = {name: Translator(name, options) for name in facades}
    colors = next(iter(builders.values())).classes
    labels = drawn_facade({one.name: one.color for one in colors})
    panels = [Panel(model_name(name), one.translate(labels, seed=seed)) for name, one in builders.items()]
    lines = drawn_face()
    drawn = Translator(faces, options).translate(lines, seed=seed)
    return [Panel("labels", labels), *panels, Panel("lines", lines), Panel(model_name(faces), drawn)]


def _image(canvas: PILImage.Image) -> Image:
    return to_tensor(Picture(np.array(canvas)))


def main(output: Output = Path("drawings.jpg"), seed: Seed = 0, threads: Threads = None) -> None:
    """Write the sheet."""
    begin(threads)
    with torch.inference_mode():
        finish(output, sheet(seed), _COLUMNS)


if __name__ == "__main__":
    run_program(main)
