"""The layer-wise reference is the network."""

import pytest
import torch
from benchmarks.runtime.architectures import JohnsonNet
from torch import nn

from benchmarks.runtime import layerwise


@pytest.mark.parametrize("size", [(148, 68), (64, 132)])
def test_equals_the_network(size):
    network = JohnsonNet().eval()
    image = torch.rand(1, 3, *size)
    with torch.no_grad():
        expected = network(image)
    assert (layerwise.run_layerwise(network.layers, image.clone()) - expected).abs().max() < 2e-5


def test_an_unknown_layer_is_an_error():
    with pytest.raises(TypeError, match="Tanh"):
        layerwise.run_layerwise(nn.Sequential(nn.Tanh()), torch.rand(1, 3, 4, 4))
