from itertools import pairwise

import pytest
import torch

from limner.data.style_pairs import Styled
from limner.features.vgg16 import VGG, mean_responses
from limner.loops.optimize import OptimizeConfig
from limner.measure.texture import Step, objective, optimise, sample_loss, sample_seconds, seconds_to
from limner.systems.feedforward.texture_network import TextureNetwork, TextureNetworkConfig
from limner.types import Progress

CONFIG = TextureNetworkConfig(
    num_scales=2, channels=2, norm="instance", layers={"relu1_1": 0.5, "relu2_1": 2.0}, relative=True
)


@pytest.fixture
def network() -> TextureNetwork:
    torch.manual_seed(0)
    return TextureNetwork(CONFIG).eval()


def test_the_judge_is_what_the_network_was_trained_on(network):
    source = torch.rand(1, 3, 32, 32)
    batch = Styled(torch.rand(1, 3, 32, 32), source)
    torch.manual_seed(5)
    (turn,) = network.turns(batch, Progress())
    torch.manual_seed(5)
    made = network(*network.noise(1, (32, 32)))
    energy = objective(network, source)
    assert energy(made)["texture"].item() == pytest.approx(turn.losses["texture"].item(), rel=1e-3)


def test_the_sources_own_loss_is_none(network):
    source = torch.rand(1, 3, 32, 32)
    assert objective(network, source)(source)["texture"].item() == pytest.approx(0, abs=1e-8)


def test_the_loss_of_samples_is_their_mean(network):
    energy = objective(network, torch.rand(1, 3, 32, 32))
    each = [energy(network.sample((16, 16), seed))["texture"].item() for seed in range(3)]
    assert sample_loss(network, energy, (16, 16), 3) == pytest.approx(sum(each) / 3, rel=1e-5)
    assert sample_seconds(network, (16, 16), 2) > 0


@pytest.mark.parametrize("method", ["adam", "lbfgs"])
def test_optimising_stops_where_it_is_told(network, method):
    source = torch.rand(1, 3, 32, 32)
    energy, config = objective(network, source), OptimizeConfig(method=method, steps=6, learning_rate=0.05)
    steps = optimise(energy, source, (32, 32), config)
    assert len(steps) == 6
    assert steps[-1].loss < steps[0].loss
    assert all(one.seconds < other.seconds for one, other in pairwise(steps))
    first = optimise(energy, source, (32, 32), config, until=steps[2].loss * 1.0001)
    assert len(first) == 3


def test_when_a_loss_was_reached():
    steps = [Step(1.0, 8.0), Step(2.0, 4.0), Step(3.0, 2.0)]
    assert [seconds_to(steps, loss) for loss in (9.0, 4.0, 3.0, 1.0)] == [0.0, 1.0, 2.0, None]


def test_it_judges_by_the_normalised_vgg(network):
    energy = objective(network, torch.rand(1, 3, 32, 32))
    vgg = VGG(CONFIG.layers, pooling="average")
    vgg.normalize(mean_responses("average"))
    assert torch.equal(energy.vgg.weight1_1, vgg.weight1_1)
