import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from limner.errors import LimnerError
from limner.features.places import Window, sum_over_places, tile_within
from limner.features.vgg16 import VGG
from limner.losses.gram import gram

LAYERS = ["conv1_2", "relu2_1", "pool2", "relu3_1"]


@pytest.fixture(scope="module")
def vgg():
    return VGG(LAYERS, pooling="average")


def sums(features, window):
    return [*(gram(map) for map in features.values()), features["relu3_1"].square().sum()]


def value_and_gradient(vgg, image, **options):
    image = image.clone().requires_grad_()
    totals = sum_over_places(vgg, image, sums, **options)
    torch.stack([total.square().mean().sqrt() for total in totals]).sum().backward()
    return [*totals, image.grad]


@settings(max_examples=12, deadline=None)
@given(height=st.integers(4, 150), width=st.integers(4, 150), tile=st.integers(1, 64), seed=st.integers(0, 99))
def test_tiles_have_the_sums_and_the_gradient_of_the_whole(height, width, tile, seed):
    vgg = VGG(LAYERS[1:2], pooling="max").double()  # rounding decides in float32 which of two alike is the maximum
    vgg.dtype = torch.float64
    image = torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    image.requires_grad_()

    def squares(features, window):
        return [features["relu2_1"].square().sum()]

    (whole,) = sum_over_places(vgg, image, squares)
    (expected,) = torch.autograd.grad(whole, image)
    (parts,) = sum_over_places(vgg, image, squares, tile=tile)
    (gradient,) = torch.autograd.grad(parts, image)
    torch.testing.assert_close(parts, whole, rtol=1e-12, atol=0)
    assert (gradient - expected).norm() <= 1e-12 * expected.norm()


@pytest.mark.parametrize("wrap", [False, True])
@pytest.mark.parametrize("tile", [20, 32])
def test_many_layers_in_tiles(vgg, wrap, tile):
    image = torch.rand(1, 3, 92, 76)
    whole = value_and_gradient(vgg, image, wrap=wrap)
    parts = value_and_gradient(vgg, image, wrap=wrap, tile=tile)
    for one, other in zip(parts, whole, strict=True):
        assert (one - other).norm() <= 1e-5 * other.norm()


def test_a_window_is_told_where_it_is(vgg):
    image, seen = torch.rand(1, 3, 40, 24), []

    def keep(features, window):
        seen.append(window)
        return [features["relu2_1"].sum()]

    sum_over_places(vgg, image, keep, tile=16)
    corners = [(top, left) for top in (0, 16, 32) for left in (0, 16)]
    assert seen == [Window(top, left, min(top + 16, 40), min(left + 16, 24)) for top, left in corners]


def test_a_picture_that_wraps_may_be_rolled(vgg):
    image = torch.rand(1, 3, 32, 48)
    one = sum_over_places(vgg, image, sums, wrap=True)
    other = sum_over_places(vgg, image.roll((12, -20), (2, 3)), sums, wrap=True)  # by multiples of the stride
    for first, second in zip(one, other, strict=True):
        assert (first - second).norm() <= 1e-5 * second.norm()


def test_a_picture_that_wraps_has_whole_strides(vgg):
    with pytest.raises(LimnerError, match=r"must be multiples of 4, got 31x32: take 32x32"):
        sum_over_places(vgg, torch.rand(1, 3, 32, 31), sums, wrap=True)


def test_the_reach_is_how_far_a_place_sees(vgg):
    image = torch.zeros(1, 3, 96, 96, requires_grad=True)
    vgg(image)["relu3_1"][..., 12, 12].sum().backward()  # pixel 48 to 51
    rows = image.grad.abs().sum((0, 1, 3)).nonzero().flatten()
    assert rows.min() >= 48 - vgg.reach
    assert rows.max() <= 51 + vgg.reach
    assert rows.max() - rows.min() + 1 > vgg.reach


def test_tiles_follow_from_the_memory(vgg):
    need = 1000 * 1000 * vgg.bytes_per_pixel
    assert tile_within(vgg, 1000, 1000, None) is None
    assert tile_within(vgg, 1000, 1000, lambda: need) is None
    side = tile_within(vgg, 1000, 1000, lambda: need // 3)
    assert side % vgg.least_side == 0
    assert 300 < side < 500
    assert tile_within(vgg, 1000, 1000, lambda: 0) == 128
