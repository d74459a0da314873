import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from limner.ops.statistics import (
    EPSILON,
    adain,
    channel_statistics,
    mean_and_deviation,
    mean_and_deviation_within,
    quick_mean_and_deviation,
)


def test_statistics_are_those_of_a_loop():
    x = torch.rand(2, 3, 4, 5, dtype=torch.float64)
    mean, deviation = mean_and_deviation(x)
    for number in range(2):
        for channel in range(3):
            values = x[number, channel].flatten().tolist()
            average = sum(values) / 20
            variance = sum((value - average) ** 2 for value in values) / 20
            assert mean[number, channel].item() == pytest.approx(average)
            assert deviation[number, channel].item() == pytest.approx((variance + EPSILON) ** 0.5)


def test_adain_by_hand():
    """x has mean 2 and variance 1, y mean 20 and variance 100; epsilon is 1e-5 in both."""
    x, y = torch.tensor([[[[1.0, 3.0]]]]).double(), torch.tensor([[[[10.0], [30.0], [10.0], [30.0]]]]).double()
    half = ((100 + 1e-5) / (1 + 1e-5)) ** 0.5
    torch.testing.assert_close(adain(x, y), torch.tensor([[[[20 - half, 20 + half]]]]).double())


@given(st.integers(0, 1000))
def test_adain_has_the_statistics_of_the_style(seed):
    rng = torch.Generator().manual_seed(seed)
    x, y = (1 + 3 * torch.rand(2, 4, *size, generator=rng, dtype=torch.float64) for size in ((5, 7), (6, 3)))
    for found, wanted in zip(mean_and_deviation(adain(x, y)), mean_and_deviation(y), strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-4, atol=0)


def test_adain_is_an_instance_norm_with_the_weights_of_the_style():
    x, y = torch.rand(1, 4, 5, 6), torch.rand(1, 4, 3, 3)
    mean, deviation = (one.flatten() for one in mean_and_deviation(y))
    expected = torch.nn.functional.instance_norm(x, weight=deviation, bias=mean, eps=EPSILON)
    torch.testing.assert_close(adain(x, y), expected)


def test_a_flat_map_takes_the_mean_alone():
    torch.testing.assert_close(adain(torch.ones(1, 1, 4, 4), torch.rand(1, 1, 4, 4) + 5).std(), torch.zeros(()))


def test_a_mask_counts_its_places_alone():
    x, mask = torch.rand(2, 3, 6, 8), torch.zeros(1, 1, 6, 8)
    mask[..., 1:4, 2:7] = 1
    for found, wanted in zip(mean_and_deviation_within(x, mask), mean_and_deviation(x[..., 1:4, 2:7]), strict=True):
        torch.testing.assert_close(found, wanted)


def test_a_mask_counts_places_by_their_value():
    """A place of weight 2 is one that is there twice."""
    x = torch.tensor([[[[1.0, 2.0, 6.0]]]])
    twice = torch.tensor([[[[1.0, 1.0, 2.0, 6.0]]]])
    found = mean_and_deviation_within(x, torch.tensor([[[[2.0, 1.0, 1.0]]]]))
    for one, other in zip(found, mean_and_deviation(twice), strict=True):
        torch.testing.assert_close(one, other)


def test_an_empty_mask_gives_numbers():
    mean, deviation = mean_and_deviation_within(torch.rand(1, 2, 4, 4), torch.zeros(1, 1, 4, 4))
    assert torch.equal(mean, torch.zeros(1, 2, 1, 1))
    assert bool(deviation.isfinite().all())


def test_gradients():
    x, y = torch.rand(1, 2, 3, 4, dtype=torch.float64), torch.rand(1, 2, 2, 3, dtype=torch.float64)
    assert torch.autograd.gradcheck(adain, (x.requires_grad_(), y.requires_grad_()))
    mask = torch.rand(1, 1, 3, 4, dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(lambda *given: tuple(mean_and_deviation_within(*given)), (x, mask))


def test_statistics_are_those_of_float64():
    x = torch.rand(2, 3, 130, 170) + 3
    mean, variance = channel_statistics(x.contiguous(memory_format=torch.channels_last))
    torch.testing.assert_close(mean, x.double().mean((2, 3), keepdim=True), atol=0, rtol=2e-6)
    torch.testing.assert_close(variance, x.double().var((2, 3), correction=0, keepdim=True), atol=0, rtol=5e-6)


@pytest.mark.parametrize("layout", [torch.channels_last, torch.contiguous_format])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_statistics_keep_their_digits_where_most_values_are_zero(dtype, layout):
    """One running sum of so many is a hundred times further off."""
    x = torch.randn(1, 4, 257, 250).relu().to(dtype).contiguous(memory_format=layout)
    _, variance = channel_statistics(x)
    torch.testing.assert_close(variance, x.double().var((2, 3), correction=0, keepdim=True), atol=0, rtol=3e-6)


@pytest.mark.parametrize("layout", [torch.channels_last, torch.contiguous_format])
def test_the_quick_statistics_and_their_gradient_are_those_of_autograd(layout):
    x = torch.randn(2, 3, 30, 20, dtype=torch.float64).mul(2).add(1).contiguous(memory_format=layout)
    weights = torch.randn(2, 2, 3, 1, 1, dtype=torch.float64)
    values, gradients = [], []
    for way in (mean_and_deviation, quick_mean_and_deviation):
        learnt = x.clone().requires_grad_()
        found = torch.stack(way(learnt))
        (found * weights).sum().backward()
        values.append(found.detach())
        gradients.append(learnt.grad)
    torch.testing.assert_close(*values)
    torch.testing.assert_close(*gradients)


def test_the_quick_statistics_of_half_precision_are_summed_in_float32():
    x = torch.randn(1, 4, 160, 160).add(3).bfloat16().requires_grad_()
    found = quick_mean_and_deviation(x)
    for one, other in zip(found, mean_and_deviation(x.detach().double()), strict=True):
        torch.testing.assert_close(one.double(), other, atol=0, rtol=1e-5)
    found.mean.sum().backward()
    assert x.grad.dtype == torch.bfloat16
    torch.testing.assert_close(x.grad.float(), torch.full(x.shape, 1 / 160**2), atol=0, rtol=4e-3)


def test_the_gradient_of_quick_statistics_keeps_the_layout():
    x = torch.randn(2, 4, 8, 6).contiguous(memory_format=torch.channels_last).requires_grad_()
    quick_mean_and_deviation(x).deviation.sum().backward()
    assert x.grad.is_contiguous(memory_format=torch.channels_last)
