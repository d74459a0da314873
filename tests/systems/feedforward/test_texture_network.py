import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from limner.data.style_pairs import Styled
from limner.errors import LimnerError
from limner.features.vgg16 import VGG, mean_responses
from limner.systems.feedforward.texture_network import (
    STYLE_2017,
    TEXTURE_2016,
    TEXTURE_2017,
    TextureNetwork,
    TextureNetworkConfig,
    diversity,
)
from limner.types import Progress

SMALL = TextureNetworkConfig(num_scales=3, channels=4, norm="instance")
PAINTER = TextureNetworkConfig(num_scales=3, channels=4, norm="instance", content_weight=0.5, layers={"relu1_1": 1.0})


@pytest.fixture
def network() -> TextureNetwork:
    return TextureNetwork(SMALL).eval().requires_grad_(False)


def weights_of_figure_2(entering: int, scales: int) -> int:
    """8 channels join at each scale; blocks are 3x3, 3x3, 1x1, each with a norm (2 a channel); 1x1 to RGB ends."""

    def block(in_channels: int, out_channels: int) -> int:
        return 9 * in_channels * out_channels + (9 + 1) * out_channels**2 + 3 * 2 * out_channels

    entries = scales * block(entering, 8)
    joins = sum(block(width, width) + 2 * width for width in range(16, 8 * scales + 1, 8))
    return entries + joins + 3 * 8 * scales + 3


@pytest.mark.parametrize(
    ("config", "entering", "scales"), [(TEXTURE_2016, 3, 5), (TEXTURE_2017, 3, 5), (STYLE_2017, 6, 6)]
)
def test_number_of_weights_follows_figure_2(config, entering, scales):
    assert sum(one.numel() for one in TextureNetwork(config).parameters()) == weights_of_figure_2(entering, scales)


def test_the_papers_norms():
    first, second = ({type(one) for one in TextureNetwork(config).modules()} for config in (TEXTURE_2016, TEXTURE_2017))
    assert {nn.BatchNorm2d, nn.InstanceNorm2d} & first == {nn.BatchNorm2d}
    assert {nn.BatchNorm2d, nn.InstanceNorm2d} & second == {nn.InstanceNorm2d}


def test_noise_is_uniform_at_every_scale():
    noise = TextureNetwork().noise(2, (256, 128), torch.Generator().manual_seed(0))
    assert [tuple(one.shape) for one in noise] == [(2, 3, 256 >> k, 128 >> k) for k in range(5)]
    assert 0 <= min(one.min() for one in noise) <= max(one.max() for one in noise) < 1
    assert noise[0].mean().item() == pytest.approx(0.5, abs=0.01)
    assert noise[0].var().item() == pytest.approx(1 / 12, abs=0.002)


@pytest.mark.parametrize("config", [SMALL, SMALL.model_copy(update={"norm": "batch"})])
def test_textures_go_on_at_their_other_side(config):
    """Noise that is shifted around gives the texture shifted around: no place knows that it lies at a border."""
    network = TextureNetwork(config).eval().requires_grad_(False)
    noise = network.noise(1, (32, 48))
    shifted = [one.roll((8 >> k, 20 >> k), (2, 3)) for k, one in enumerate(noise)]
    torch.testing.assert_close(network(*shifted), network(*noise).roll((8, 20), (2, 3)), rtol=1e-4, atol=1e-5)


def test_a_painter_sees_a_border():
    painter = TextureNetwork(PAINTER).eval().requires_grad_(False)
    noise, photo = painter.noise(1, (32, 48)), torch.rand(1, 3, 32, 48)
    shifted = [one.roll((8 >> k, 20 >> k), (2, 3)) for k, one in enumerate(noise)]
    made = painter(photo.roll((8, 20), (2, 3)), *shifted)
    assert not torch.allclose(made, painter(photo, *noise).roll((8, 20), (2, 3)), atol=1e-3)


def test_every_scale_is_given_the_content():
    painter = TextureNetwork(PAINTER)
    content, noise, seen = torch.rand(1, 3, 32, 16), painter.noise(1, (32, 16)), []
    for entry in painter.entries:
        entry.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    painter(content, *noise)
    for k, one in enumerate(reversed(seen)):
        small = content.unfold(2, 2**k, 2**k).unfold(3, 2**k, 2**k).mean((4, 5))
        torch.testing.assert_close(one, torch.cat([small, noise[k]], 1))


def test_losses_by_other_means():
    """Gram matrices as sums over places, from the activations of the network that judges."""
    config = SMALL.model_copy(update={"layers": {"relu1_1": 0.5, "relu2_1": 2.0}, "diversity_weight": 0.1})
    network = TextureNetwork(config)
    batch = Styled(torch.rand(2, 3, 32, 32), torch.rand(2, 3, 48, 40))
    torch.manual_seed(3)
    (turn,) = network.turns(batch, Progress())
    torch.manual_seed(3)
    result = network(*network.noise(2, (32, 32)))
    vgg = VGG(["relu1_1", "relu2_1"], pooling="average")
    vgg.normalize(mean_responses("average"))
    expected = 0.0
    for layer, weight in (("relu1_1", 0.5), ("relu2_1", 2.0)):
        made, wanted = vgg(result)[layer].flatten(2), vgg(batch.style[:1])[layer].flatten(2)
        goal = torch.einsum("nik,njk->ij", wanted, wanted) / wanted.shape[2]
        for one in made:
            mean = torch.einsum("ik,jk->ij", one, one) / made.shape[2]
            expected += weight * (mean - goal).square().sum() / (4 * len(one) ** 2) / 2
    torch.testing.assert_close(turn.losses["texture"], expected, rtol=1e-3, atol=1e-6)
    distance = (result[0] - result[1]).square().mean().sqrt().item()
    assert turn.losses["sameness"].item() == pytest.approx(-0.1 * math.log(distance), rel=1e-3)


def test_a_shifted_texture_is_judged_where_it_was_moved_to():
    """Rolled by what is drawn after the noise; a painter's photo cannot be."""
    network = TextureNetwork(SMALL.model_copy(update={"shift": 16}))
    batch = Styled(torch.rand(1, 3, 32, 32), torch.rand(1, 3, 48, 40))
    torch.manual_seed(3)
    (turn,) = network.turns(batch, Progress())
    torch.manual_seed(3)
    result = network(*network.noise(1, (32, 32)))
    down, across = (int(torch.randint(16, ())) for _ in range(2))
    assert down and across
    still = TextureNetwork(SMALL)
    vgg = still._loss_network("exact", torch.device("cpu"))
    moved = torch.cat([result[..., -down:, :], result[..., :-down, :]], 2)
    moved = torch.cat([moved[..., -across:], moved[..., :-across]], 3)
    texture = [still._losses(one, batch, vgg)["texture"] for one in (moved, result)]
    torch.testing.assert_close(turn.losses["texture"], texture[0], rtol=1e-5, atol=0)
    assert abs(texture[0] - texture[1]) > 1e-4 * texture[1]  # the loss network sees its borders and its pooling's grid
    with pytest.raises(ValueError, match="shift must be 0"):
        TextureNetworkConfig.model_validate({"shift": 4, "content_weight": 1.0})


def test_the_content_loss_is_that_of_relu4_2():
    painter = TextureNetwork(PAINTER)
    batch = Styled(torch.rand(1, 3, 32, 32), torch.rand(1, 3, 32, 32))
    torch.manual_seed(3)
    (turn,) = painter.turns(batch, Progress())
    torch.manual_seed(3)
    result = painter(batch.source, *painter.noise(1, (32, 32)))
    vgg = VGG(["relu4_2"], pooling="average")
    vgg.normalize(mean_responses("average"))
    distance = (vgg(result)["relu4_2"] - vgg(batch.source)["relu4_2"]).square().mean()
    torch.testing.assert_close(turn.losses["content"], 0.5 * distance, rtol=1e-3, atol=1e-6)


def test_diversity_is_the_logarithm_of_the_nearest_distance():
    """Three flat pictures of 0, 0.1 and 0.4: the nearest are 0.1, 0.1 and 0.3 away."""
    images = torch.tensor([0.0, 0.1, 0.4])[:, None, None, None].expand(-1, 3, 4, 4)
    expected = (2 * math.log(0.1) + math.log(0.3)) / 3
    assert diversity(images).item() == pytest.approx(expected, abs=1e-3)
    assert bool(diversity(torch.zeros(2, 3, 4, 4)).isfinite())


def test_more_diversity_drives_samples_apart():
    """One step on the diversity alone makes the nearest distance larger."""
    network = TextureNetwork(SMALL)
    noise = network.noise(3, (32, 32))
    before = diversity(network(*noise))
    before.neg().backward()
    with torch.no_grad():
        for one in network.parameters():
            assert one.grad is not None
            one.sub_(1e-3 * one.grad)
    assert diversity(network(*noise)) > before


def test_a_file_holds_the_generator_alone():
    network = TextureNetwork(SMALL)
    before = set(network.state_dict())
    next(network.turns(Styled(torch.rand(2, 3, 32, 32), torch.rand(2, 3, 32, 32)), Progress()))
    assert set(network.state_dict()) == before
    assert not any("vgg" in name or "judge" in name for name in before)


def test_samples_of_any_size_and_one_for_each_seed(network):
    one, again, other = (network.sample((37, 50), seed) for seed in (1, 1, 2))
    assert one.shape == (1, 3, 37, 50)
    assert 0 <= one.min() <= one.max() <= 1
    assert torch.equal(one, again)
    assert not torch.equal(one, other)
    assert network.sample((16, 16), number=3).shape == (3, 3, 16, 16)
    whole = network(*network.noise(1, (40, 52), torch.Generator().manual_seed(1)))
    torch.testing.assert_close(one, whole[..., :37, :50].clamp(0, 1))


def test_without_noise_all_samples_are_one(network):
    cold = [network.sample((32, 32), seed, temperature=0.0) for seed in (1, 2)]
    torch.testing.assert_close(*cold)


def test_a_painter_keeps_the_size():
    painter = TextureNetwork(PAINTER).eval()
    content = torch.rand(2, 3, 33, 26)
    result = painter.paint(content, temperature=0.5)
    assert result.shape == content.shape
    padded = F.pad(content, (0, 2, 0, 3), mode="replicate")
    noise = [0.5 * one for one in painter.noise(2, (36, 28), torch.Generator().manual_seed(0))]
    torch.testing.assert_close(result, painter(padded, *noise)[..., :33, :26].clamp(0, 1).detach())


def test_what_cannot_be_is_refused(network):
    with pytest.raises(LimnerError, match="sides must have 8 pixels or more, got 32x6: make it larger"):
        network.sample((6, 32))
    with pytest.raises(LimnerError, match="makes textures from noise alone"):
        network.paint(torch.rand(1, 3, 32, 32))
    with pytest.raises(LimnerError, match="paints pictures in a style"):
        TextureNetwork(PAINTER).sample((32, 32))
