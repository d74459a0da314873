"""Maps lie in the order that most convolutions which write or read them want."""

import pytest
import torch
from torch import nn

from limner import processor
from limner.layers import nnpack
from limner.runtime.packed import PackedConvolution
from limner.runtime.prepare import prepare

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def avx2(monkeypatch):
    monkeypatch.setattr(processor, "processor_class", lambda: "AVX2")


def wide(channels=64, given=64):
    return nn.Conv2d(given, channels, 3, padding=1)


def orders(network):
    """Of each convolution of the prepared network: whether its result is in channels first."""
    prepared = prepare(network.eval(), CPU, "exact")
    return [one.writes_channels_first for one in prepared.modules() if isinstance(one, PackedConvolution)]


class Residual(nn.Module):
    """As enlargers are: a narrow head, blocks with sums, and a sum with what the head has made."""

    def __init__(self, blocks):
        super().__init__()
        self.head, self.tail = wide(given=3), wide(12)
        self.blocks = nn.ModuleList(nn.Sequential(wide(), nn.ReLU(), wide()) for _ in range(blocks))

    def forward(self, x):
        head = y = self.head(x)
        for block in self.blocks:
            y = y + 0.1 * block(y)
        return self.tail(head + y)


def test_all_of_a_trunk_with_sums_is_in_channels_first_and_its_head_is_turned_once():
    assert orders(Residual(2)) == [True, True, True, True, True, False]


def test_a_chain_ends_in_channels_last():
    chain = nn.Sequential(wide(given=1), nn.ReLU(), wide(), nn.PReLU(), wide(), nn.ReLU(), wide(1))
    assert orders(chain) == [False, True, False, False]


class Joined(nn.Module):
    """What is joined or pooled is in channels last, as both are slow in the other order."""

    def __init__(self):
        super().__init__()
        self.one, self.other, self.last = wide(), wide(), wide(given=128)

    def forward(self, x):
        one = self.one(x)
        return self.last(torch.cat([one, self.other(nn.functional.max_pool2d(one, 1))], 1))


def test_what_is_joined_or_pooled_is_in_channels_last():
    assert orders(Joined()) == [False, False, False]


class Centred(nn.Module):
    """Subtracts a constant before, and adds it after: that ties no maps to each other."""

    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.ones(1, 64, 1, 1))
        self.first, self.second, self.third = wide(), wide(), wide()

    def forward(self, x):
        return self.third(self.second(self.first(x + self.mean))) + self.mean


def test_a_constant_that_two_maps_share_ties_them_to_nothing():
    assert orders(Centred()) == [True, True, False]


@pytest.mark.skipif(not nnpack.works(), reason="NNPACK is not in this torch, or not for this CPU")
@pytest.mark.parametrize("size", [(1, 40, 44), (2, 40, 44), (1, 12, 12)])
def test_the_function_is_the_same(size):
    torch.manual_seed(0)
    network = Residual(2).eval()
    number, height, width = size
    picture = torch.rand(number, 3, height, width)
    with torch.inference_mode():
        torch.testing.assert_close(prepare(network, CPU, "exact")(picture), network(picture), atol=1e-4, rtol=0)


def test_a_map_is_turned_whatever_its_order():
    for x in (torch.rand(2, 5, 7, 6), torch.rand(2, 5, 7, 6).contiguous(memory_format=torch.channels_last)):
        for one in (x, x[:, :, 1:4], x[:1]):
            assert torch.equal(nnpack.channels_first(one), one)
            assert nnpack.channels_first(one).is_contiguous()
