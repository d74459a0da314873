"""Gradients through Winograd's convolutions against those of float64."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from limner import processor
from limner.layers import nnpack
from limner.layers.faster_convolutions import FasterConvolutions

pytestmark = pytest.mark.skipif(not nnpack.works(), reason="NNPACK is not in this torch, or not for this CPU")
SIZES = [(1, 40, 33), (3, 33, 40), (4, 20, 24), (2, 66, 64)]


@pytest.fixture(autouse=True)
def avx2(monkeypatch):
    monkeypatch.setattr(processor, "processor_class", lambda: "AVX2")
    before = torch.get_num_threads()
    torch.set_num_threads(nnpack.threads())
    torch.manual_seed(0)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def calls(monkeypatch):
    """How often NNPACK was asked."""
    found, plain = list[int](), nnpack.convolve

    def counted(*args):
        found.append(1)
        return plain(*args)

    monkeypatch.setattr(nnpack, "convolve", counted)
    return found


def gradients(x, weight, bias, padding, upstream):
    x, weight, bias = (one.detach().clone().requires_grad_() for one in (x, weight, bias))
    made = F.conv2d(x, weight, bias, padding=padding)
    return [made, *torch.autograd.grad(made, (x, weight, bias), upstream)]


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("padding", [0, 1, (1, 0), 2])
@pytest.mark.parametrize("size", SIZES)
def test_results_and_gradients_are_those_of_float64(size, padding, layout, calls):
    number, height, width = size
    x = torch.randn(number, 64, height, width).contiguous(memory_format=layout)
    weight, bias = torch.randn(80, 64, 3, 3) / 24, torch.randn(80)
    upstream = torch.randn_like(F.conv2d(x, weight, bias, padding=padding))
    with FasterConvolutions():
        found = gradients(x, weight, bias, padding, upstream)
    assert len(calls) == 2
    for one, expected in zip(
        found, gradients(x.double(), weight.double(), bias.double(), padding, upstream.double()), strict=True
    ):
        assert float((one - expected).detach().norm() / expected.detach().norm()) < 1e-4
    assert found[0].is_contiguous(memory_format=layout)
    assert found[1].is_contiguous(memory_format=layout)


def test_a_gradient_of_a_gradient_is_that_of_float64(calls):
    network = nn.Sequential(nn.Conv2d(64, 64, 3, padding=1), nn.Softplus(), nn.Conv2d(64, 64, 3))
    x = torch.randn(1, 64, 40, 40, requires_grad=True)

    def penalty(network, x):
        slope = torch.autograd.grad(network(x).square().sum(), x, create_graph=True)[0]
        return torch.autograd.grad(slope.square().mean(), [*network.parameters()], allow_unused=True)

    with FasterConvolutions():
        found = penalty(network, x)
    assert len(calls) >= 2  # both forward passes, and what goes back through them
    for one, expected in zip(found, penalty(network.double(), x.detach().double().requires_grad_()), strict=True):
        if expected is not None:
            assert float((one.detach() - expected).norm() / expected.norm().clamp(min=1e-9)) < 1e-4


def test_only_what_is_asked_for_gets_a_gradient(calls):
    x, weight = torch.randn(1, 64, 40, 40), torch.randn(64, 64, 3, 3)
    with FasterConvolutions():
        made = F.conv2d(x, weight.requires_grad_(), padding=1)
    made.sum().backward()
    assert weight.grad is not None
    assert len(calls) == 1


@pytest.mark.parametrize(
    "case",
    [
        lambda x, w: F.conv2d(x, w, stride=2),
        lambda x, w: F.conv2d(x, w, dilation=2),
        lambda x, w: F.conv2d(x, w[:, :32].contiguous(), groups=2),
        lambda x, w: F.conv2d(x, w, padding="same"),
        lambda x, w: F.conv2d(x[..., :12, :12], w),
        lambda x, w: F.conv2d(x[0], w),
        lambda x, w: F.conv2d(x.bfloat16(), w.bfloat16()),
        lambda x, w: F.conv2d(x, w[:16]),
    ],
)
def test_everything_else_is_torchs_own(case, calls):
    x, weight = torch.randn(1, 64, 40, 40), torch.randn(64, 64, 3, 3) / 24
    with FasterConvolutions():
        found = case(x, weight)
    assert torch.equal(found, case(x, weight))
    assert not calls


def test_autocast_is_left_alone(calls):
    x, network = torch.randn(1, 64, 40, 40), nn.Conv2d(64, 64, 3)
    with FasterConvolutions(), torch.autocast("cpu", torch.bfloat16):
        assert network(x).dtype == torch.bfloat16
    assert not calls
