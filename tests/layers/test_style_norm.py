import pytest
import torch
from torch import nn

from limner.layers.style_norm import Layer, StyleNorm, mixed_weights, style_norm


def test_a_style_norm_is_instance_norm_with_the_weights_of_the_style():
    norm, x = StyleNorm(3, 2), torch.randn(4, 3, 5, 6)
    torch.nn.init.normal_(norm.weight)
    torch.nn.init.normal_(norm.bias)
    mixture = torch.tensor([[1.0, 0], [0, 1], [0.25, 0.75], [1, 0]])
    found = norm(x, mixture)
    for one in range(4):
        for channel in range(3):
            values = x[one, channel]
            normal = (values - values.mean()) / (values.var(correction=0) + 1e-5).sqrt()
            scale = sum(mixture[one, style] * norm.weight[style, channel] for style in range(2))
            shift = sum(mixture[one, style] * norm.bias[style, channel] for style in range(2))
            torch.testing.assert_close(found[one, channel], scale * normal + shift, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(norm(x, None), norm(x, torch.tensor([[1.0, 0]]).expand(4, 2)))


def test_one_style_alone_needs_no_mixture():
    assert isinstance(style_norm(3, 1), nn.InstanceNorm2d)
    assert isinstance(style_norm(3, 2), StyleNorm)


def test_mixed_weights_are_the_weighted_sums_of_scales_and_shifts_alone():
    convolution, norm = nn.Conv2d(1, 2, 1), StyleNorm(2, 2)
    layer = Layer(nn.Sequential(convolution), norm, None)
    with torch.no_grad():
        norm.weight.copy_(torch.tensor([[1.0, 2.0], [3.0, 6.0]]))
        norm.bias.copy_(torch.tensor([[0.0, 1.0], [4.0, -1.0]]))
    found = mixed_weights(layer, torch.tensor([0.75, 0.25]))
    assert found["norm.weight"].tolist() == [1.5, 3.0]
    assert found["norm.bias"].tolist() == [1.0, 0.5]
    assert torch.equal(found["convolution.0.weight"], convolution.weight)


@pytest.mark.parametrize("activation", [None, nn.ReLU()])
def test_a_layer_ends_in_its_activation_if_it_has_one(activation):
    layer = Layer(nn.Sequential(nn.Identity()), None, activation)
    expected = [[-1.0, 2.0]] if activation is None else [[0.0, 2.0]]
    assert layer(torch.tensor([[-1.0, 2.0]]), None).tolist() == expected
