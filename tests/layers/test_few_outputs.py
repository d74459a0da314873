"""Wide convolutions to few channels, and their gradients, against those of float64."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from limner.layers import few_outputs
from limner.layers.faster_convolutions import FasterConvolutions


@pytest.fixture
def calls(monkeypatch):
    """How often a convolution was computed so."""
    found, convolve = list[int](), few_outputs.convolve

    def counted(given):
        found.append(1)
        return convolve(given)

    monkeypatch.setattr(few_outputs, "convolve", counted)
    return found


def results(x, weight, bias, padding):
    x, weight = (one.detach().clone().requires_grad_() for one in (x, weight))
    learnt = [x, weight] if bias is None else [x, weight, bias := bias.detach().clone().requires_grad_()]
    made = F.conv2d(x, weight, bias, padding=padding)
    upstream = torch.linspace(-1, 1, made.numel()).cos().view(made.shape).to(made.dtype)
    return [made, *torch.autograd.grad(made, learnt, upstream)]


def away(found, expected):
    return float((found.detach().double() - expected.detach().double()).norm() / expected.detach().double().norm())


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("padding", [0, 4, (2, 0), (0, 3)])
@pytest.mark.parametrize("kernel", [(9, 9), (5, 7)])
@pytest.mark.parametrize("channels", [1, 3])
def test_results_and_gradients_are_those_of_float64(channels, kernel, padding, layout, calls):
    torch.manual_seed(0)
    x = torch.randn(2, 20, 41, 38).contiguous(memory_format=layout)
    weight, bias = torch.randn(channels, 20, *kernel) / 30, torch.randn(channels) if padding != 4 else None
    with FasterConvolutions():
        found = results(x, weight, bias, padding)
    assert calls
    expected = results(x.double(), weight.double(), None if bias is None else bias.double(), padding)
    assert len(found) == len(expected)
    assert all(away(*pair) < 3e-6 for pair in zip(found, expected, strict=True))
    assert found[0].is_contiguous(memory_format=layout)
    assert found[1].is_contiguous(memory_format=layout)


def test_under_autocast_it_rounds_no_worse_than_twice_as_coarsely(calls):
    torch.manual_seed(0)
    x, weight, bias = torch.randn(1, 32, 48, 48), torch.randn(3, 32, 9, 9) / 50, torch.randn(3)
    expected = results(x.double(), weight.double(), bias.double(), 0)
    with torch.autocast("cpu", torch.bfloat16):
        plain = results(x, weight, bias, 0)
        with FasterConvolutions():
            found = results(x, weight, bias, 0)
    assert calls
    assert [one.dtype for one in found] == [one.dtype for one in plain]
    for one, other, right in zip(found, plain, expected, strict=True):
        assert away(one, right) < 2 * away(other, right)


def test_a_gradient_of_a_gradient_is_that_of_float64(calls):
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(16, 16, 3, padding=1), nn.Softplus(), nn.Conv2d(16, 1, 7))
    x = torch.randn(1, 16, 40, 40)

    def penalty(network, x):
        x = x.requires_grad_()
        slope = torch.autograd.grad(network(x).square().sum(), x, create_graph=True)[0]
        return torch.autograd.grad(slope.square().mean(), [network[0].weight, network[2].weight])

    with FasterConvolutions():
        found = penalty(network, x.clone())
    assert calls
    for one, expected in zip(found, penalty(network.double(), x.double()), strict=True):
        assert away(one, expected) < 1e-5


def test_only_what_is_asked_for_gets_a_gradient(calls):
    x, weight = torch.randn(1, 16, 40, 40, requires_grad=True), torch.randn(3, 16, 9, 9)
    with FasterConvolutions():
        F.conv2d(x, weight).sum().backward()
    assert calls
    assert x.grad is not None
    assert weight.grad is None


@pytest.mark.parametrize(
    "case",
    [
        lambda x, w: F.conv2d(x, w, stride=2),
        lambda x, w: F.conv2d(x, w, dilation=2),
        lambda x, w: F.conv2d(x, w[:, :16].contiguous(), groups=2),
        lambda x, w: F.conv2d(x, w, padding="same"),
        lambda x, w: F.conv2d(x[0], w),
        lambda x, w: F.conv2d(x[:, :8], w[:, :8]),
        lambda x, w: F.conv2d(x, w[..., :3, :3]),
        lambda x, w: F.conv2d(x, w.repeat(3, 1, 1, 1)),
        lambda x, w: F.conv2d(x[..., :20, :20], w),
        lambda x, w: F.conv2d(x.double(), w.double()),
    ],
)
def test_everything_else_is_torchs_own(case, calls):
    torch.manual_seed(0)
    x, weight = torch.randn(1, 32, 40, 40), torch.randn(2, 32, 9, 9)
    with FasterConvolutions():
        found = case(x, weight)
    assert torch.equal(found, case(x, weight))
    assert not calls
