import pytest
import torch
import torch.nn.functional as F

from limner.errors import LimnerError
from limner.features.vgg16 import VGG, mean_responses
from limner.features.vgg_encoder import vgg_encoder


def test_inside_it_is_the_normalised_vgg():
    """relu2_1 sees 9 pixels beyond its own; farther from the border, padding makes no difference."""
    vgg, image = VGG(["relu2_1"]), torch.rand(1, 3, 64, 48)
    vgg.normalize(mean_responses("max"))
    found, expected = vgg_encoder("relu2_1")(image), vgg(image)["relu2_1"]
    inside = (..., slice(6, -6), slice(6, -6))
    torch.testing.assert_close(found[inside], expected[inside], rtol=1e-4, atol=1e-4)
    assert not torch.allclose(found, expected, rtol=1e-2, atol=1e-2)


def test_a_picture_of_one_colour_has_no_border():
    """Padded with zeros, every filter would see the edge of the picture."""
    features = vgg_encoder("relu4_1")(torch.full((1, 3, 40, 40), 0.3))
    torch.testing.assert_close(features, features[..., 2:3, 2:3].expand_as(features), rtol=1e-4, atol=1e-4)


def test_it_pads_what_the_network_sees():
    """The first layer, with the mean colour taken off before the picture is padded by reflection."""
    vgg, image = VGG(["conv1_1"]), torch.rand(1, 3, 8, 8)
    vgg.normalize(mean_responses("max"))
    entered = F.pad((image - vgg.mean) / vgg.deviation, (1, 1, 1, 1), mode="reflect")
    expected = F.conv2d(entered, vgg.weight1_1, vgg.bias1_1)
    torch.testing.assert_close(vgg_encoder("conv1_1")(image), expected, rtol=1e-4, atol=1e-4)


def test_nothing_is_trained_or_saved():
    encoder = vgg_encoder("relu1_2")
    assert [name for name, _ in encoder.named_children()] == ["conv1_1", "relu1_1", "conv1_2", "relu1_2"]
    assert not list(encoder.parameters())
    assert not encoder.state_dict()
    assert encoder.double()(torch.rand(1, 3, 8, 8, dtype=torch.float64)).dtype == torch.float64


def test_an_unknown_layer_is_refused():
    with pytest.raises(LimnerError, match="got 'relu9_1'"):
        vgg_encoder("relu9_1")
