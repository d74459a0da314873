"""Digits that are laid straight."""

import math

import numpy as np
import pytest
import torch
from torch import nn

import limner
from limner.errors import LimnerError
from limner.files.weights import Header, save_weights
from limner.systems.feedforward.spatial_transformer import SpatialTransformer, SpatialTransformerConfig
from limner.verbs.straighten import Straightener, ink_of


@pytest.fixture
def model(tmp_path):
    """Turns everything by 90 degrees against the clock, and always sees a three."""
    torch.manual_seed(0)
    config = SpatialTransformerConfig(kilo_parameters=3, localisation=4)
    system = SpatialTransformer(config)
    with torch.no_grad():
        last, scores = system.localisation[-1], system.classifier[-1]
        assert isinstance(last, nn.Linear)
        assert isinstance(scores, nn.Linear)
        last.weight.zero_()
        last.bias.copy_(torch.tensor([0.0, -1, 0, 1, 0, 0]))
        scores.weight.zero_()
        scores.bias.copy_(torch.full((10,), -1.0).index_fill(0, torch.tensor(3), 1.0))
    path = tmp_path / "turner.safetensors"
    save_weights(path, dict(system.state_dict()), Header(system="spatial-transformer", config=config.model_dump()))
    return path


def bar() -> torch.Tensor:
    """A dark bar of 20x6 pixels on light paper, with a red end."""
    paper = torch.full((1, 3, 60, 80), 0.9)
    paper[..., 30:36, 30:50] = 0.1
    paper[:, 0, 30:36, 30:34] = 0.8
    return paper


def test_the_photos_own_pixels_are_laid_straight(model):
    found = Straightener(str(model), "cpu")(bar())
    assert found.image.shape == (1, 3, 40, 40), "twice the bar"
    image = found.image[0]
    torch.testing.assert_close(image[1, 10:30, 17:23], torch.full((20, 6), 0.1))
    torch.testing.assert_close(image[1, :, :16], torch.full((40, 16), 0.9))
    reds = (image[0] - image[1]).max(1).values > 0.5
    assert reds.sum() == 4, "the red end lies across"


def test_the_class_and_how_sure(model):
    found = Straightener(str(model), "cpu")(bar())
    assert found.label == 3
    assert found.probability == pytest.approx(math.e / (math.e + 9 / math.e))


def test_light_ink_and_dark_ink_are_one(model):
    straightener = Straightener(str(model), "cpu")
    dark, light = straightener(bar()), straightener(1 - bar())
    torch.testing.assert_close(dark.image, 1 - light.image)


def test_ink_is_what_differs_from_the_border():
    ink = ink_of(bar())
    assert ink[..., :29, :].max() == 0
    assert ink.max() == 1
    with pytest.raises(LimnerError, match=r"^the picture is of one colour: [^\n]*$"):
        ink_of(torch.full((1, 3, 8, 8), 0.5))


def test_a_line_is_no_digit(model):
    line = torch.full((1, 3, 3, 900), 0.9)
    line[..., 1, 20:880] = 0.1
    with pytest.raises(LimnerError, match=r"^a digit.s ink must be at most 50 times .*, got 860x1 pixels: [^\n]*$"):
        Straightener(str(model), "cpu")(line)
    slim = torch.full((1, 3, 120, 60), 0.9)
    slim[..., 10:110, 30:32] = 0.1
    assert Straightener(str(model), "cpu")(slim).image.shape == (1, 3, 200, 200)


def test_an_array_comes_back_as_one(model):
    notes: list[str] = []
    pixels = (255 * bar()[0].permute(1, 2, 0)).byte().numpy()
    made = limner.straighten(pixels, model=model, on_note=notes.append)
    assert isinstance(made, np.ndarray)
    assert made.shape == (40, 40, 3)
    assert made.dtype == np.uint8
    assert notes == ["class 3, 45% sure"]
