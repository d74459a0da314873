"""The embedded network of any style: it has seen none of the styles that come with Limner."""

import pytest
import torch
from torch import Tensor

from limner.cli.work.demo import PHOTO
from limner.data.stylization import read
from limner.measure.adain import StylePair, losses
from limner.metrics.quality import psnr
from limner.ops.framing import middle_square
from limner.runtime.run_options import RunOptions
from limner.verbs.stylize.any_painter import AnyPainter, load_adain
from limner.verbs.stylize.named_styles import named_styles, style_picture
from limner.verbs.stylize.style import Style

SIDE = 192
PAINTINGS = ("composition-vii", "great-wave", "shipwreck", "starry-night", "the-scream")


@pytest.fixture(scope="module")
def photo() -> Tensor:
    return middle_square(read(PHOTO)[None], SIDE)


def painted(style: str, photo: Tensor, strength: float = 1.0) -> Tensor:
    return AnyPainter(load_adain(), [Style(style)], strength=strength, options=RunOptions(device="cpu")).paint(photo)


@pytest.mark.parametrize("style", PAINTINGS)
def test_a_painting_is_nearer_to_its_style_than_the_photo_is(style: str, photo: Tensor) -> None:
    pair = StylePair("photo", style, photo, middle_square(read(style_picture(style))[None], SIDE))
    system = load_adain()
    assert losses(system, painted(style, photo), pair).style < 0.5 * losses(system, photo, pair).style


@pytest.mark.parametrize("style", named_styles())
def test_a_painting_is_neither_gray_nor_burnt(style: str, photo: Tensor) -> None:
    painting = painted(style, photo)
    assert painting.std() > 0.1
    burnt = ((painting < 1 / 255) | (painting > 254 / 255)).all(1).float().mean()
    assert burnt < 0.1


def test_without_strength_the_photo_is_there_again(photo: Tensor) -> None:
    near, away = (psnr(painted("great-wave", photo, strength), photo).item() for strength in (0.0, 1.0))
    assert near > 14
    assert near > away + 3


@pytest.mark.parametrize("style", PAINTINGS)
def test_a_flat_place_shows_no_checkerboard(style: str) -> None:
    """Nothing in a flat picture but the decoder's own grid could be seen."""
    assert painted(style, torch.full((1, 3, 256, 256), 0.5)).std((2, 3)).max() < 0.01


@pytest.mark.parametrize("style", PAINTINGS)
def test_a_painting_has_the_colours_of_its_style(style: str, photo: Tensor) -> None:
    picture = read(style_picture(style))
    assert (painted(style, photo).mean((2, 3))[0] - picture.mean((1, 2))).abs().max() < 0.05
