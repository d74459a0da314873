import copy

import pytest
import torch
from torch import nn

from limner.runtime.prepare import PackedConvolution, fold_batch_norm, pack_convolutions, prepare
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
    system = SRResNet(SRResNetConfig(num_blocks=2, channels=4)).eval()
    fold_batch_norm(system)
    pack_convolutions(system, torch.float32)
    kinds = [type(module) for module in system.modules()]
    assert nn.BatchNorm2d not in kinds
    assert nn.Conv2d not in kinds
    assert kinds.count(nn.PReLU) == 2  # those after a pixel shuffle, which follow no convolution
    assert kinds.count(PackedConvolution) == 1 + 2 * 2 + 1 + 2 + 1


def test_convolutions_that_cannot_be_packed_stay():
    network = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1, padding_mode="reflect"), nn.ReLU(), nn.ReLU())
    image = torch.rand(1, 1, 6, 6)
    expected = network(image)
    pack_convolutions(network, torch.float32)
    assert isinstance(network[0], nn.Conv2d)
    assert torch.equal(network(image), expected)


def test_a_prelu_with_a_slope_for_each_channel_is_not_fused():
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.PReLU(2, init=0.3), nn.Conv2d(2, 1, 1), nn.ReLU(), nn.PReLU())
    image = torch.rand(1, 1, 6, 6) - 0.5
    expected = network(image)
    pack_convolutions(network, torch.float32)
    torch.testing.assert_close(network(image), expected)
