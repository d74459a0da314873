import math
from pathlib import Path

import pytest
import torch
from torch import nn

from limner.data.degrade import bicubic_enlarge, low_resolution
from limner.data.pairs import Pair
from limner.features.vgg16 import VGG, convolutions, mean_responses
from limner.files.image import read_image, to_tensor
from limner.loops.fit import Fit
from limner.systems.adversarial.srgan import FIT_2017, FIT_MODERN, MODERN, SRGAN, SRGAN_2017, Discriminator, SRGANConfig
from limner.systems.feedforward.srresnet import SRResNet, SRResNetConfig
from limner.types import Progress

PHOTO = Path(__file__).resolve().parents[3] / "src" / "limner" / "demo" / "astronaut.jpg"
SMALL = SRGANConfig(
    generator=SRResNetConfig(num_blocks=1, channels=4), crop=16, discriminator_channels=2, dense=8, content="mse"
)


def tiny(**changes):
    return SRGAN(SMALL.model_copy(update=changes))


def batch(side=16):
    return Pair(torch.rand(2, 3, side // 4, side // 4), torch.rand(2, 3, side, side))


def test_the_discriminator_is_figure_4():
    """k3n64s1, k3n64s2, k3n128s1 ... k3n512s2, a batch norm after all but the first, dense 1024, dense 1."""
    discriminator = Discriminator(SRGAN_2017)
    convolutions = [layer for layer in discriminator.modules() if isinstance(layer, nn.Conv2d)]
    assert [(layer.out_channels, layer.stride[0]) for layer in convolutions] == [
        (64, 1), (64, 2), (128, 1), (128, 2), (256, 1), (256, 2), (512, 1), (512, 2),
    ]  # fmt: skip
    norms = [layer.num_features for layer in discriminator.modules() if isinstance(layer, nn.BatchNorm2d)]
    assert norms == [64, 128, 128, 256, 256, 512, 512]
    slopes = {layer.negative_slope for layer in discriminator.modules() if isinstance(layer, nn.LeakyReLU)}
    assert slopes == {0.2}
    dense = [
        (layer.in_features, layer.out_features) for layer in discriminator.modules() if isinstance(layer, nn.Linear)
    ]
    assert dense == [(512 * 6 * 6, 1024), (1024, 1)]


@pytest.mark.parametrize("side", [16, 32, 40])
def test_crops_of_any_size_are_judged_by_one_logit_each(side):
    assert tiny().discriminator(torch.rand(3, 3, side, side)).shape == (3, 1)


def test_crops_of_the_configured_size_are_not_pooled():
    discriminator = Discriminator(SRGANConfig(crop=48, discriminator_channels=1, dense=4)).eval()
    image = torch.rand(2, 3, 48, 48)
    maps = discriminator.convolutions(2 * image - 1)
    assert maps.shape == (2, 8, 3, 3)
    torch.testing.assert_close(discriminator(image), discriminator.dense[2:](maps.flatten(1)))


def test_forward_is_the_generator_alone():
    system = tiny().eval()
    image = torch.rand(1, 3, 5, 6)
    assert type(system.generator) is SRResNet
    assert torch.equal(system(image), system.generator(image))


def test_the_two_turns_are_the_two_sides_of_the_game():
    system = tiny(content="mse").eval()
    given = batch()
    first, second = system.turns(given, Progress())
    fake = system.generator(given.source)
    real_logits, fake_logits = (system.discriminator(image).flatten().tolist() for image in (given.target, fake))

    def probability(logit):
        return 1 / (1 + math.exp(-logit))

    judged = sum(-math.log(probability(logit)) for logit in real_logits) / 2
    judged += sum(-math.log(1 - probability(logit)) for logit in fake_logits) / 2
    assert first.player == "discriminator"
    assert first.total.item() == pytest.approx(judged, rel=1e-5)
    assert second.player == "generator"
    fooled = sum(-math.log(probability(logit)) for logit in fake_logits) / 2
    assert second.losses["adversarial"].item() == pytest.approx(1e-3 * fooled, rel=1e-5)
    in_both_signs = ((2 * fake - 1) - (2 * given.target - 1)).square().mean().item()
    assert second.losses["content"].item() == pytest.approx(in_both_signs, rel=1e-5)


def test_a_grid_that_the_original_has_is_not_held_against_the_generator():
    """Only what differs counts, four cells of the generator's own grid at a time."""
    system, source = tiny(content="mse", lattice_weight=10.0).eval(), torch.rand(1, 3, 8, 8)
    grid = (0.1 * torch.cos(torch.pi / 2 * torch.arange(32))).expand(1, 3, 32, 32)
    with torch.no_grad():
        own = system(source)
        found = [[*system.turns(Pair(source, own + one), Progress())][1].losses["lattice"] for one in (0 * grid, grid)]
    assert [loss.item() for loss in found] == pytest.approx([0, 10 * 0.005], rel=1e-3, abs=1e-9)


def test_the_generator_answers_to_the_discriminator_that_has_moved():
    system = tiny().eval()
    turns = system.turns(batch(), Progress())
    next(turns)
    nn.init.zeros_(system.discriminator.dense[-1].weight)
    nn.init.constant_(system.discriminator.dense[-1].bias, 3.0)
    adversarial = next(turns).losses["adversarial"].item()
    assert adversarial == pytest.approx(1e-3 * math.log(1 + math.exp(-3)), rel=1e-5)


def test_neither_turn_reaches_the_other_player():
    system = tiny()
    first = next(system.turns(batch(), Progress()))
    first.total.backward()
    assert all(parameter.grad is None for parameter in system.generator.parameters())
    assert all(parameter.grad is not None for parameter in system.discriminator.parameters())


@pytest.mark.parametrize(("content", "layer", "side"), [("vgg22", "relu2_2", 8), ("vgg54", "relu5_1", 1)])
def test_the_content_loss_is_of_scaled_activations(content, layer, side):
    """Equation 5: each map divided by 12.75, so that the squares are 0.006 of what they were."""
    system = tiny(content=content)
    real, fake = torch.rand(2, 3, 16, 16), torch.rand(2, 3, 16, 16)
    vgg = VGG([layer])
    vgg.normalize(mean_responses("max"))
    one, other = (vgg(image)[layer] / 12.75 for image in (real, fake))
    assert one.shape[-1] == side
    torch.testing.assert_close(system.content_loss(fake, real), ((one - other) ** 2).mean())


def test_a_file_of_vgg_19_gives_relu5_4_as_it_is(tmp_path):
    file, rng = tmp_path / "vgg19.pth", torch.Generator().manual_seed(0)
    tensors = {}
    for one in convolutions(19):
        size = (one.out_channels, one.in_channels, 3, 3)
        tensors[f"features.{one.place}.weight"] = torch.randn(size, generator=rng) * (2 / 9 / one.in_channels) ** 0.5
        tensors[f"features.{one.place}.bias"] = torch.zeros(one.out_channels)
    torch.save(tensors, file)
    real, fake = torch.rand(2, 3, 32, 32), torch.rand(2, 3, 32, 32)
    one, other = (VGG(["relu5_4"], weights=file)(image)["relu5_4"] / 12.75 for image in (real, fake))
    expected = ((one - other) ** 2).mean()
    assert expected > 0
    torch.testing.assert_close(tiny(content="vgg54", features=file).content_loss(fake, real), expected)


def test_the_losses_on_activations_are_of_the_size_of_the_squared_error():
    """What section 3.2 scales them for: as VGG-16 is, they are a thousand times as large."""
    photo = to_tensor(read_image(PHOTO))[..., 32:160, 80:208]
    fake = bicubic_enlarge(low_resolution(photo, 4), 4).clamp(0, 1)
    losses = {content: tiny(content=content).content_loss(fake, photo).item() for content in ("mse", "vgg22", "vgg54")}
    assert max(losses.values()) < 20 * min(losses.values()), losses


def test_the_loss_network_is_no_part_of_the_weights():
    system = tiny(content="vgg22")
    names = set(system.state_dict())
    Fit(system, FIT_MODERN).step([batch()])
    assert vars(system)["_loss_network"].layers == ("relu2_2",)
    assert set(system.state_dict()) == names


def test_the_papers_rate_falls_to_a_tenth_half_way():
    """Section 3.2: 10^5 steps at 1e-4 and 10^5 at 1e-5."""
    rates = [FIT_2017.optimizer.learning_rate * FIT_2017.schedule.factor_at(0, p) for p in (0.0, 0.499, 0.501, 0.999)]
    assert rates == pytest.approx([1e-4, 1e-4, 1e-5, 1e-5])
    assert FIT_2017.steps == 200_000


def test_the_modern_players_are_less_than_half_of_the_papers():
    def sizes(config):
        return [sum(p.numel() for p in player.parameters()) for player in SRGAN(config).players.values()]

    assert all(2 * ours < theirs for ours, theirs in zip(sizes(MODERN), sizes(SRGAN_2017), strict=True))
