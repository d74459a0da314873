"""The embedded network of many styles: what each makes of a photo is to be looked at with pleasure."""

import numpy as np
import pytest
import torch
from torch import Tensor

from limner.catalog.models import load
from limner.cli.work.demo import PHOTO
from limner.data.stylization import read
from limner.measure.fast_style import figures_of
from limner.ops.color import luminance
from limner.ops.framing import middle_square
from limner.runtime.run_options import RunOptions
from limner.systems.feedforward.fast_style import JOHNSON_RELEASED_CODE, FastStyle
from limner.verbs.stylize.named_styles import named_styles
from limner.verbs.stylize.network_painter import EMBEDDED, Painter, known_styles, one_pass

FLAT = torch.full((1, 3, 256, 256), 0.5)


def painted(style: str, photo: Tensor) -> Tensor:
    return Painter(one_pass({style: 1.0}), options=RunOptions(device="cpu")).paint(photo)


def lattice(image: Tensor) -> float:
    """The share of patterns that repeat every four pixels in all power of the spectrum but that of the mean."""
    power = np.abs(np.fft.fft2(luminance(image)[0, 0].double().numpy())) ** 2
    quarter = len(power) // 4
    power[0, 0] = 0
    return power[::quarter, ::quarter].sum() / power.sum()


def test_it_knows_the_styles_of_the_list() -> None:
    assert set(known_styles()) == set(named_styles())


@pytest.mark.parametrize("style", named_styles())
def test_a_flat_place_shows_no_checkerboard(style: str) -> None:
    """The middle, for the border is a place of its own."""
    assert lattice(painted(style, FLAT)[..., 64:192, 64:192]) < 0.01


def test_a_checkerboard_is_seen() -> None:
    """That of transposed convolutions, by nature."""
    torch.manual_seed(0)
    network = FastStyle(JOHNSON_RELEASED_CODE).eval()
    noisy = FLAT + 0.04 * torch.randn(FLAT.shape)
    assert lattice(network(noisy).detach()[..., 64:192, 64:192]) > 0.05


@pytest.mark.parametrize("style", named_styles())
def test_a_painting_is_neither_gray_nor_burnt(style: str) -> None:
    painting = painted(style, middle_square(read(PHOTO)[None], 256))
    assert painting.std() > 0.1
    burnt = ((painting < 1 / 255) | (painting > 254 / 255)).all(1).float().mean()
    assert burnt < 0.1


def test_a_painting_is_nearer_to_its_style_than_the_photo_is() -> None:
    system, _ = load(EMBEDDED)
    assert isinstance(system, FastStyle)
    for style, figures in figures_of(system, [PHOTO], side=128).items():
        assert figures.style < 0.6 * figures.photo_style, style
