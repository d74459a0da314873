"""Names stand for the units that they should, and what stands for none is told with near names."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as PillowImage

from limner.errors import LimnerError
from limner.features.squeezenet import SqueezeNet
from limner.features.vgg16 import VGG
from limner.loops.optimize import OptimizeConfig
from limner.systems.optimize.activation import ActivationConfig, Unit
from limner.verbs.imagine import find_subject, imagine, preset, recognize

BRIEF = ActivationConfig(optimize=OptimizeConfig(steps=2))


@pytest.mark.parametrize(
    ("name", "label", "unit", "network"),
    [
        ("relu2_2:12", "relu2_2:12", Unit("conv2_2", 12), VGG),  # before the ReLU: the same unit, and always a gradient
        ("conv2_2:127", "conv2_2:127", Unit("conv2_2", 127), VGG),
        ("pool1: 3", "pool1:3", Unit("pool1", 3), VGG),
        ("fire2:127", "fire2:127", Unit("fire2", 127), SqueezeNet),
        ("class:Goldfish", "goldfish", Unit("conv10", 1), SqueezeNet),
        ("class:1", "goldfish", Unit("conv10", 1), SqueezeNet),
    ],
)
def test_a_name_stands_for_a_unit_of_a_network(name: str, label: str, unit: Unit, network: type) -> None:
    subject = find_subject(name)
    assert (subject.label, subject.unit) == (label, unit)
    assert isinstance(subject.network, network)
    assert subject.network.layers == (unit.layer,)
    assert subject.is_class == name.startswith("class")
    assert find_subject(name, neuron=True).unit.is_neuron


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("relu4_4:1", r"no layer is called 'relu4_4': did you mean .*relu4_3"),
        ("fire10:1", r"no layer is called 'fire10': did you mean .*fire"),
        ("mumble", r"no layer is called 'mumble': take LAYER:CHANNEL, as in relu4_1:0, or class:NAME"),
        ("relu4_1", "a channel of relu4_1 must be named, as in relu4_1:0"),
        ("relu1_1:64", r"relu1_1 has channels 0 to 63, got '64'"),
        ("relu1_1:-1", r"relu1_1 has channels 0 to 63, got '-1'"),
        ("fire9:many", r"fire9 has channels 0 to 511, got 'many'"),
        ("class:godlfish", "did you mean goldfish"),
        ("class:", "no layer is called 'class'"),
        ("conv10:1", "no layer is called 'conv10'"),
    ],
)
def test_a_name_that_stands_for_nothing_is_told_with_near_names(name: str, message: str) -> None:
    with pytest.raises(LimnerError, match=message) as error:
        find_subject(name)
    assert "\n" not in str(error.value)


def test_a_picture_comes_of_the_size_and_is_written_where_it_should(tmp_path: Path) -> None:
    image = imagine("relu1_2:5", size=(24, 40), config=BRIEF, output=tmp_path / "five.png")
    assert image.shape == (1, 3, 24, 40)
    assert 0 <= image.min() <= image.max() <= 1
    written = np.asarray(PillowImage.open(tmp_path / "five.png"))
    assert np.array_equal(written, (image[0].permute(1, 2, 0) * 255 + 0.5).floor().numpy())
    with pytest.raises(LimnerError, match="is already there"):
        imagine("relu1_2:5", size=32, config=BRIEF, output=tmp_path / "five.png")


def test_a_picture_too_small_for_the_layer_is_refused() -> None:
    with pytest.raises(LimnerError, match="a picture must have 21 pixels a side or more, got 20x20"):
        imagine("class:daisy", size=20, config=BRIEF)


def test_a_picture_too_large_for_memory_is_refused() -> None:
    with pytest.raises(LimnerError, match=r"takes .* of memory to make"):
        imagine("class:daisy", size=10**9, config=BRIEF)


def test_a_first_look_takes_fewer_steps() -> None:
    for prior in ("fourier", "tv", "dip"):
        assert preset(prior, quick=True).optimize.steps < preset(prior).optimize.steps


def test_what_is_recognized_is_the_class_of_the_highest_score() -> None:
    name, sure = recognize(torch.rand(1, 3, 64, 64))
    assert isinstance(name, str)
    assert 0.001 < sure <= 1
