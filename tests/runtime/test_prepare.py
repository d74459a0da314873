import copy

import pytest
import torch
from torch import nn

from limner.runtime.graph import trace
from limner.runtime.packed import PackedConvolution
from limner.runtime.prepare import fold_batch_norm, pack_convolutions, prepare
from limner.systems.feedforward.srresnet import SRResNet, SRResNetConfig
from limner.systems.feedforward.vdsr import VDSR, VDSRConfig

CPU = torch.device("cpu")


def trained(system: nn.Module) -> nn.Module:
    """Give batch norms statistics and PReLUs slopes that are not their first ones."""
    for module in system.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.running_mean, -1, 1)
            nn.init.uniform_(module.running_var, 0.5, 2)
            nn.init.uniform_(module.weight, 0.5, 2)
            nn.init.uniform_(module.bias, -1, 1)
        if isinstance(module, nn.PReLU):
            nn.init.uniform_(module.weight, -0.5, 0.5)
    return system.eval()


SYSTEMS = {
    "vdsr": (VDSR(VDSRConfig(num_layers=4, channels=8)), 1),
    "vdsr folded": (VDSR(VDSRConfig(num_layers=4, channels=8, fold=2)), 1),
    "srresnet x4": (SRResNet(SRResNetConfig(num_blocks=2, channels=8)), 3),
    "srresnet x3": (SRResNet(SRResNetConfig(num_blocks=1, channels=8, scale=3)), 3),
}


@pytest.mark.parametrize("name", SYSTEMS)
def test_exact_preparation_is_the_same_function(name):
    system, channels = SYSTEMS[name]
    system = trained(copy.deepcopy(system))
    image = torch.rand(2, channels, 13, 17)
    with torch.inference_mode():
        expected = system(image)
        result = prepare(system, CPU, "exact")(image)
    torch.testing.assert_close(result, expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", SYSTEMS)
def test_fast_preparation_is_near(name):
    system, channels = SYSTEMS[name]
    system = trained(copy.deepcopy(system))
    image = torch.rand(1, channels, 16, 16)
    with torch.inference_mode():
        expected = system(image)
        result = prepare(system, CPU, "fast")(image)
    assert result.dtype == torch.float32
    assert (result - expected).norm() < 0.02 * expected.norm()


def test_preparation_leaves_the_system_as_it_was():
    system = SRResNet(SRResNetConfig(num_blocks=1, channels=4)).train()
    before = {name: tensor.clone() for name, tensor in system.state_dict().items()}
    prepare(system, CPU, "fast")
    assert system.training
    assert all(torch.equal(tensor, before[name]) for name, tensor in system.state_dict().items())


def test_every_batch_norm_is_folded_and_every_activation_fused():
    prepared = trace(SRResNet(SRResNetConfig(num_blocks=2, channels=4)))
    fold_batch_norm(prepared)
    pack_convolutions(prepared, torch.float32)
    called = [prepared.get_submodule(node.target) for node in prepared.graph.nodes if node.op == "call_module"]
    kinds = [type(module) for module in called]
    assert nn.BatchNorm2d not in kinds
    assert nn.Conv2d not in kinds
    assert kinds.count(nn.PReLU) == 2  # those after a pixel shuffle, which follow no convolution
    assert kinds.count(PackedConvolution) == 1 + 2 * 2 + 1 + 2 + 1


def test_convolutions_that_cannot_be_packed_stay():
    network = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1, padding_mode="reflect"), nn.ReLU(), nn.ReLU())
    image = torch.rand(1, 1, 6, 6)
    expected = network(image)
    prepared = trace(network)
    pack_convolutions(prepared, torch.float32)
    assert isinstance(prepared.get_submodule("0"), nn.Conv2d)
    assert torch.equal(prepared(image), expected)


def test_a_prelu_with_a_slope_for_each_channel_is_not_fused():
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.PReLU(2, init=0.3), nn.Conv2d(2, 1, 1), nn.ReLU(), nn.PReLU())
    image = torch.rand(1, 1, 6, 6) - 0.5
    expected = network(image)
    prepared = trace(network)
    pack_convolutions(prepared, torch.float32)
    torch.testing.assert_close(prepared(image), expected)


class Shared(nn.Module):
    """One convolution called twice, and a convolution whose result is read before and after its activation."""

    def __init__(self):
        super().__init__()
        self.twice, self.both, self.norm = nn.Conv2d(1, 1, 3), nn.Conv2d(1, 1, 3), nn.BatchNorm2d(1)

    def forward(self, x):
        x = self.twice(self.twice(x))
        y = self.both(x)
        return y + self.norm(y).relu()


def test_what_is_read_twice_is_neither_folded_nor_fused():
    network = trained(Shared())
    image = torch.rand(1, 1, 9, 9)
    with torch.inference_mode():
        torch.testing.assert_close(prepare(network, CPU, "exact")(image), network(image), atol=1e-5, rtol=1e-5)
