"""Pictures in styles that nobody owns, drawn by numbers: `python recipes/drawn_styles.py FOLDER`.

Each is a function of a random generator alone, so that the same seed draws the same picture.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray
from PIL import Image as PillowImage
from PIL import ImageDraw

Numbers = NDArray[np.float64]
SIDE = 400  # pixels


def blur(values: Numbers, deviation: float) -> Numbers:
    """Gaussian, as if the picture went on with its other side."""
    frequencies = np.fft.fftfreq(len(values))
    response = np.exp(-2 * (np.pi * deviation * frequencies) ** 2)
    return np.fft.ifft2(np.fft.fft2(values) * response[:, None] * response[None]).real


def smooth(rng: np.random.Generator, scale: float, side: int = SIDE) -> Numbers:
    """Noise without anything smaller than `scale` pixels, its values evenly spread over [0, 1]."""
    blurred = blur(rng.standard_normal((side, side)), scale)
    ranks = blurred.ravel().argsort().argsort().reshape(side, side)
    return ranks / ranks.max()


def colored(tone: Numbers, palette: list[tuple[int, int, int]]) -> Numbers:
    """Each tone in [0, 1] as a colour (h, w, 3) between those of a palette."""
    colors = np.array(palette, float) / 255
    place = np.linspace(0, 1, len(colors))
    return np.stack([np.interp(tone, place, colors[:, channel]) for channel in range(3)], -1)


def grid() -> tuple[Numbers, Numbers]:
    """The row and the column of each pixel."""
    rows, columns = np.mgrid[:SIDE, :SIDE].astype(float)
    return rows, columns


def cells(rng: np.random.Generator, spacing: float) -> tuple[NDArray[np.int64], Numbers, Numbers]:
    """Cells around jittered points: each pixel's cell, its distance to the border, and the points."""
    count = round(SIDE / spacing) + 4
    ticks = (np.arange(count) - 2) * spacing
    points = np.stack(np.meshgrid(ticks, ticks), -1).reshape(-1, 2) + rng.uniform(-0.36, 0.36, (count**2, 2)) * spacing
    pixels = np.stack(grid(), -1).reshape(-1, 2)
    nearest, border = zip(*(_nearest(row, points) for row in pixels.reshape(SIDE, SIDE, 2)), strict=True)
    return np.stack(nearest), np.stack(border), points


def _nearest(pixels: Numbers, points: Numbers) -> tuple[NDArray[np.int64], Numbers]:
    """The nearest point of each pixel, and half of how much farther the next one is."""
    distances = np.hypot(*(pixels[:, None] - points[None]).transpose(2, 0, 1))
    order = np.argpartition(distances, 1, axis=1)[:, :2]
    two = np.take_along_axis(distances, order, 1)
    return order[np.arange(len(pixels)), two.argmin(1)], np.abs(two[:, 1] - two[:, 0]) / 2


def mosaic(rng: np.random.Generator) -> Numbers:
    """Small stones in warm and sea colours, set in light mortar."""
    palette = [
        (22, 50, 92),
        (32, 110, 150),
        (120, 180, 180),
        (238, 220, 176),
        (226, 160, 70),
        (178, 66, 40),
        (94, 30, 34),
    ]
    cell, border, points = cells(rng, 15)
    tone = smooth(rng, 42)
    inside = np.clip(points, 0, SIDE - 1).astype(int)
    stone = np.clip(tone[inside[:, 0], inside[:, 1]] + rng.normal(0, 0.07, len(points)), 0, 1)
    shade = rng.normal(0, 0.06, (len(points), 1))
    color = colored(stone, palette) + shade
    picture = color[cell] * (0.9 + 0.12 * np.clip(border / 5, 0, 1))[..., None]
    mortar = np.clip((1.6 - border) / 0.8, 0, 1)[..., None]
    return picture * (1 - mortar) + np.array([0.86, 0.82, 0.74]) * mortar


def stained_glass(rng: np.random.Generator) -> Numbers:
    """Large glowing panes held by lead."""
    palette = [(14, 22, 110), (30, 90, 200), (10, 130, 90), (240, 200, 40), (230, 110, 20), (190, 20, 40), (90, 10, 90)]
    cell, border, points = cells(rng, 44)
    color = colored(rng.uniform(0, 1, len(points)), palette)
    glow = 0.75 + 0.45 * smooth(rng, 14)[..., None] * np.clip(border / 14, 0.3, 1)[..., None]
    lead = np.clip((3.2 - border) / 1.2, 0, 1)[..., None]
    return color[cell] * glow * (1 - lead) + 0.05 * lead


def woodcut(rng: np.random.Generator) -> Numbers:
    """Black carved lines of swelling width that follow a flow, on ochre paper."""
    tone, field = smooth(rng, 46), smooth(rng, 70)
    rows, columns = grid()
    phase = (rows * 0.5 + columns * 0.25) / 10 + 9 * field + 0.5 * smooth(rng, 9)
    wave = np.abs((phase % 1) - 0.5) * 2
    edge = blur(np.sign(wave - tone * 0.9 - 0.05), 0.8)
    ink = np.clip(0.5 - edge * 0.9, 0, 1) * (0.93 + 0.07 * rng.random((SIDE, SIDE)))
    paper = np.array([232, 212, 170]) / 255 * (0.97 + 0.03 * smooth(rng, 3)[..., None])
    return paper * (1 - ink[..., None]) + np.array([24, 20, 22]) / 255 * ink[..., None]


def watercolor(rng: np.random.Generator) -> Numbers:
    """Washes with dark rims and grains of pigment, on rough white paper."""
    picture = np.ones((SIDE, SIDE, 3)) * np.array([0.975, 0.965, 0.94])
    inks = [
        (40, 110, 170),
        (60, 150, 120),
        (220, 160, 60),
        (200, 80, 70),
        (110, 80, 150),
        (50, 60, 110),
        (230, 190, 120),
    ]
    for number, ink in enumerate(inks):
        field = smooth(rng, 36 - 2 * number) + 0.06 * smooth(rng, 3)
        level = 0.66 + 0.12 * rng.random()
        wash = np.clip((field - level) * 26, 0, 1)
        rim = np.exp(-(((field - level) * 40 - 1) ** 2))
        flow = 0.3 + 0.5 * smooth(rng, 20)
        pigment = (0.75 * wash * flow + 0.25 * rim) * (0.86 + 0.28 * smooth(rng, 1.2))
        picture *= 1 - np.clip(pigment, 0, 0.95)[..., None] * (1 - np.array(ink) / 255)
    return picture * (0.97 + 0.03 * smooth(rng, 1.0)[..., None])


def pointillism(rng: np.random.Generator) -> Numbers:
    """Dabs of pure colour side by side."""
    palette = [
        (30, 50, 120),
        (70, 120, 190),
        (120, 170, 120),
        (240, 210, 110),
        (236, 140, 70),
        (190, 70, 90),
        (90, 50, 110),
    ]
    tone = smooth(rng, 50)
    picture = np.ones((SIDE, SIDE, 3)) * np.array([0.93, 0.89, 0.8])
    drawing = PillowImage.fromarray((picture * 255).astype(np.uint8)).resize((2 * SIDE, 2 * SIDE))
    pen = ImageDraw.Draw(drawing)
    for _ in range(9_800):
        row, column = rng.uniform(0, SIDE, 2)
        value = np.clip(tone[int(row), int(column)] + rng.normal(0, 0.13), 0, 1)
        color = np.clip(colored(np.array(value), palette) * 255 + rng.normal(0, 14, 3), 0, 255).astype(int)
        radius = rng.uniform(4.4, 7.6)
        box = (2 * column - radius, 2 * row - radius, 2 * column + radius, 2 * row + radius)
        pen.ellipse(box, fill=tuple(int(part) for part in color))
    return np.asarray(drawing.resize((SIDE, SIDE), PillowImage.Resampling.LANCZOS), float) / 255


STYLES: dict[str, tuple[Callable[[np.random.Generator], Numbers], int]] = {
    "mosaic": (mosaic, 2),
    "stained-glass": (stained_glass, 4),
    "woodcut": (woodcut, 6),
    "watercolor": (watercolor, 5),
    "pointillism": (pointillism, 3),
}
"""What draws each, and the seed of the one that comes with Limner."""


def draw(name: str) -> PillowImage.Image:
    """The picture of a style, 400x400."""
    drawn, seed = STYLES[name]
    return PillowImage.fromarray((np.clip(drawn(np.random.default_rng(seed)), 0, 1) * 255).round().astype(np.uint8))


def main(folder: Annotated[Path, typer.Argument(help="Where the pictures go.")]) -> None:
    """Draw all of them."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in STYLES:
        draw(name).save(folder / f"{name}.jpg", quality=92, subsampling=0)


if __name__ == "__main__":
    typer.run(main)
