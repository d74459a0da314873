import pytest
import torch
import torch.nn.functional as F
from torch import nn

from limner.data.pairs import Pair
from limner.ops.resample import imresize
from limner.systems.feedforward.vdsr import FIT_2016, VDSR, VDSR_2016, VDSR_FAST, VDSRConfig
from limner.types import Progress


def test_the_papers_network_has_664704_weights():
    """Twenty 3x3 convolutions of 64 channels without biases (Kim et al. 2016, section 3.1, and the published model)."""
    assert sum(parameter.numel() for parameter in VDSR(VDSR_2016).parameters()) == 664_704
    assert sum(isinstance(module, nn.Conv2d) for module in VDSR(VDSR_2016).modules()) == 20


def test_receptive_field_is_41():
    """Section 3.1: depth D sees (2 D + 1) x (2 D + 1)."""
    system = VDSR(VDSRConfig(num_layers=20, channels=2))
    for module in system.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.ones_(module.weight)
    image = torch.rand(1, 1, 61, 61, requires_grad=True)
    (system(image) - image)[0, 0, 30, 30].backward()
    seen = image.grad[0, 0].nonzero()
    assert seen.min().item() == 10
    assert seen.max().item() == 50


def test_zero_residual_gives_the_input_back():
    system = VDSR(VDSRConfig(num_layers=3, channels=4))
    nn.init.zeros_(system.residual[-1].weight)
    image = torch.rand(2, 1, 9, 11)
    assert torch.equal(system(image), image)


def test_forward_is_the_plain_chain_of_convolutions():
    system = VDSR(VDSRConfig(num_layers=4, channels=3))
    image = torch.rand(1, 1, 8, 8)
    x = image
    weights = [module.weight for module in system.modules() if isinstance(module, nn.Conv2d)]
    for weight in weights[:-1]:
        x = F.conv2d(x, weight, padding=1).relu()
    expected = image + F.conv2d(x, weights[-1], padding=1)
    torch.testing.assert_close(system(image), expected)


@pytest.mark.parametrize("size", [(7, 9), (8, 8), (1, 1)])
def test_folded_network_takes_any_size(size):
    assert VDSR(VDSRConfig(num_layers=3, channels=4, fold=2))(torch.rand(1, 1, *size)).shape == (1, 1, *size)


@pytest.mark.parametrize(("size", "padded"), [((7, 8), (8, 8)), ((8, 7), (8, 8)), ((5, 9), (6, 10))])
def test_a_folded_network_sees_zeros_below_and_to_the_right_of_an_odd_side(size, padded):
    system = VDSR(VDSRConfig(num_layers=3, channels=4, fold=2))
    image, whole = torch.rand(1, 1, *size), torch.zeros(1, 1, *padded)
    whole[..., : size[0], : size[1]] = image
    torch.testing.assert_close(system(image), system(whole)[..., : size[0], : size[1]])


def test_folding_quarters_the_multiplications():
    def multiplications(system: VDSR) -> float:
        weights = (module.weight for module in system.modules() if isinstance(module, nn.Conv2d))
        return sum(weight.numel() for weight in weights) / system.config.fold**2

    assert multiplications(VDSR(VDSR_FAST)) < 0.26 * multiplications(VDSR(VDSR_2016))


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_enlarge_keeps_bicubic_chroma_and_changes_luminance_only(scale):
    system = VDSR(VDSRConfig(num_layers=3, channels=4))
    nn.init.zeros_(system.residual[-1].weight)
    image = torch.rand(1, 3, 8, 10) * 0.5 + 0.25
    torch.testing.assert_close(system.enlarge(image, scale), imresize(image, scale).clamp(0, 1), atol=1e-5, rtol=0)


def test_turn_is_the_mean_squared_error():
    system = VDSR(VDSRConfig(num_layers=2, channels=4))
    batch = Pair(torch.rand(2, 1, 6, 6), torch.rand(2, 1, 6, 6))
    (turn,) = system.turns(batch, Progress())
    expected = ((system(batch.source) - batch.target) ** 2).sum() / (2 * 36)
    torch.testing.assert_close(turn.total, expected)


def test_paper_schedule():
    """The rate is 0.1, and a tenth of that every 20 of 80 epochs ("Training Parameters")."""
    highest, schedule = FIT_2016.optimizer.learning_rate, FIT_2016.schedule
    rates = [highest * schedule.factor_at(0, epoch / 80) for epoch in (0, 19, 20, 40, 79)]
    assert rates == pytest.approx([0.1, 0.1, 0.01, 0.001, 0.0001])
