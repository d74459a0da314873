import pytest
import torch

from limner.features.vgg16 import VGG
from limner.metrics.vgg_distance import LAYERS, vgg_distance
from limner.ops.resample import imresize


def maps(seed):
    rng = torch.Generator().manual_seed(seed)
    return {"one": torch.rand(2, 3, 4, 5, generator=rng), "two": torch.rand(2, 6, 2, 2, generator=rng)}


def test_it_is_equation_1_place_by_place():
    found, wanted = maps(0), maps(1)
    for picture, value in enumerate(vgg_distance(found, wanted)):
        expected = 0.0
        for layer in found:
            _, _, height, width = found[layer].shape
            for row in range(height):
                for column in range(width):
                    one, other = found[layer][picture, :, row, column], wanted[layer][picture, :, row, column]
                    apart = one / one.norm() - other / other.norm()
                    expected += (apart @ apart).item() / (height * width)
        assert value.item() == pytest.approx(expected, rel=1e-5)


def test_brightness_of_activations_does_not_count():
    found = maps(0)
    louder = {layer: 7 * map for layer, map in found.items()}
    torch.testing.assert_close(vgg_distance(found, louder), torch.zeros(2), rtol=0, atol=1e-6)


def test_where_nothing_responds_there_is_no_distance():
    silent = {"one": torch.zeros(1, 3, 2, 2)}
    assert vgg_distance(silent, silent).item() == 0


def test_a_blurred_picture_is_farther_the_more_it_is_blurred():
    """What the metric is for, seen by the network itself."""
    vgg = VGG(LAYERS)
    picture = torch.rand(1, 3, 32, 32).round()
    seen = vgg(picture)
    near, far = (vgg(imresize(imresize(picture, 1 / scale), scale)) for scale in (2, 8))
    assert 0 < vgg_distance(near, seen).item() < vgg_distance(far, seen).item() < 2 * len(LAYERS)
