"""What only this paper has: the U-Net and the PatchGAN with their sizes, noise as dropout, the weight of L1."""

import itertools

import pytest
import torch
import torch.nn.functional as F

from limner.data.pairs import Pair
from limner.errors import LimnerError
from limner.losses.adversarial import discriminator_loss, generator_loss
from limner.systems.adversarial.pix2pix import (
    ABLATIONS,
    GAUSSIAN,
    Discriminator,
    Generator,
    Pix2Pix,
    Pix2PixConfig,
    ablated,
    dropped,
)
from limner.types import Progress

SMALL = Pix2PixConfig(base_channels=4, num_downs=4, discriminator_channels=4)
INSTANCE = SMALL.model_copy(update={"norm": "instance"})
RESIZED = SMALL.model_copy(update={"upsampling": "resize"})


def count(module: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def test_sizes_of_the_networks_are_the_published_ones() -> None:
    """Counted in the authors' PyTorch code, which has no biases before batch norm."""
    assert count(Generator(Pix2PixConfig())) == 54_413_955
    assert count(Generator(Pix2PixConfig(num_downs=7))) == 41_828_995
    for layers, parameters in ((0, 9_025), (1, 139_585), (3, 2_768_705), (5, 11_159_361)):
        assert count(Discriminator(Pix2PixConfig(discriminator_layers=layers))) == parameters
    encoder_decoder = count(Generator(Pix2PixConfig())) - count(Generator(Pix2PixConfig(skips=False)))
    assert encoder_decoder == 16 * (3 * 512 * 512 + 512 * 256 + 256 * 128 + 128 * 64 + 64 * 3)  # weights of skips


@pytest.mark.parametrize(("layers", "field"), [(0, 1), (1, 16), (2, 34), (3, 70), (4, 142), (5, 286)])
def test_a_logit_sees_a_patch(layers: int, field: int) -> None:
    """Without norms, which see all: where a gradient of one logit is not 0."""
    network = Discriminator(Pix2PixConfig(discriminator_channels=2, discriminator_layers=layers)).double()
    for module in list(network.modules()):
        for name, child in module.named_children():
            if isinstance(child, torch.nn.BatchNorm2d):
                setattr(module, name, torch.nn.Identity())
    image = torch.rand(1, 3, 2 * field + 2, 2 * field + 2, dtype=torch.float64, requires_grad=True)
    logits = network(torch.rand_like(image), image)
    middle = logits.shape[-1] // 2
    (gradient,) = torch.autograd.grad(logits[0, 0, middle, middle], image)
    rows = gradient[0].abs().sum((0, 2)).nonzero().flatten()
    assert rows[-1] - rows[0] + 1 == field


def test_ports_are_what_forward_takes_and_gives() -> None:
    system = Pix2Pix(SMALL)
    assert [port.name for port in system.inputs] == ["photo", "noise_0", "noise_1", "noise_2"]
    given = [torch.rand(port.shape(2, 32, 48)) for port in system.inputs]
    assert system(*given).shape == system.outputs[0].shape(2, 32, 48)


def test_noise_is_dropout() -> None:
    x, noise = torch.rand(2, 3, 50, 50) + 1, torch.rand(2, 3, 50, 50)
    found = dropped(x, noise, 0.25)
    assert ((found == 0) == (noise < 0.25)).all()
    torch.testing.assert_close(found[found > 0], x[noise >= 0.25] / 0.75)
    system = Pix2Pix(SMALL).eval()
    one, other = ([torch.rand(port.shape(1, 32, 32)) for port in system.inputs] for _ in range(2))
    assert not torch.equal(system(*one), system(one[0], *other[1:]))
    assert torch.equal(system(*one), system(*one))


def test_normal_noise_beside_x_is_a_configuration() -> None:
    system = Pix2Pix(SMALL.model_copy(update={"dropout": 0.0, "latent_channels": 2})).eval()
    assert [(port.name, port.uniform) for port in system.inputs[1:]] == [
        ("noise_0", True), ("noise_1", True), ("noise_2", True), ("z", False),
    ]  # fmt: skip
    assert system.generator.get_parameter("downs.0.0.weight").shape[1] == 3 + 2
    photo, *noise, z = (torch.rand(port.shape(2, 32, 48)) for port in system.inputs)
    assert system(photo, *noise, z).shape == (2, 3, 32, 48)
    assert not torch.equal(system(photo, *noise, z), system(photo, *noise, 1 - z))
    assert torch.equal(system(photo, *noise, z), system(photo, *(1 - one for one in noise), z))


def test_normal_noise_is_drawn_in_training() -> None:
    system = Pix2Pix(SMALL.model_copy(update={"dropout": 0.0, "latent_channels": 2}))
    given: list[torch.Tensor] = []
    system.generator.register_forward_pre_hook(lambda module, inputs: given.append(inputs[-1]))
    batch = Pair(torch.rand(2, 3, 32, 32), torch.rand(2, 3, 32, 32))
    torch.manual_seed(0)
    list(system.turns(batch, Progress()))
    (z,) = given
    assert z.shape == (2, 2, 32, 32)
    assert abs(z.mean()) < 0.1
    assert 0.9 < z.std() < 1.1
    assert GAUSSIAN.latent_channels


def test_what_lies_under_all_layers_still_reaches_the_picture_by_skips() -> None:
    """A change of one pixel changes its own place far more than the far corner."""
    system = Pix2Pix(Pix2PixConfig(base_channels=8, num_downs=4, dropout=0)).eval()
    photo, *noise = (torch.rand(port.shape(1, 64, 64)) for port in system.inputs)
    with torch.no_grad():
        changed = photo.clone()
        changed[..., 4:8, 4:8] = 1 - changed[..., 4:8, 4:8]
        apart = (system(changed, *noise) - system(photo, *noise)).abs()
    assert apart[..., 4:8, 4:8].mean() > 3 * apart[..., 48:, 48:].mean()


def test_the_turns_are_equation_4() -> None:
    system = Pix2Pix(SMALL)
    batch = Pair(torch.rand(2, 3, 32, 32), torch.rand(2, 3, 32, 32))
    torch.manual_seed(1)
    noise = [torch.rand(port.shape(2, 32, 32)) for port in system.inputs[1:]]
    fake = system(batch.source, *noise)
    real_logits, fake_logits = (system.discriminator(batch.source, one) for one in (batch.target, fake))
    torch.manual_seed(1)
    first, second = system.turns(batch, Progress())
    assert (first.player, second.player) == ("discriminator", "generator")
    torch.testing.assert_close(first.total, discriminator_loss(real_logits, fake_logits) / 2)
    torch.testing.assert_close(second.losses["adversarial"], generator_loss(fake_logits))
    in_minus_one_to_one = 2 * batch.target - 1, 2 * fake - 1
    torch.testing.assert_close(second.losses["l1"], 100 * F.l1_loss(*in_minus_one_to_one))


@pytest.mark.parametrize("name", ABLATIONS)
def test_rows_of_the_tables_have_their_losses_and_players(name: str) -> None:
    system = Pix2Pix(ablated(SMALL, name))
    batch = Pair(torch.rand(2, 3, 32, 32), torch.rand(2, 3, 32, 32))
    turns = list(system.turns(batch, Progress()))
    has_game, has_l1 = "GAN" in name, "L1" in name
    assert [turn.player for turn in turns] == list(system.players) == ["discriminator"] * has_game + ["generator"]
    assert list(turns[-1].losses) == list(itertools.compress(["adversarial", "l1"], [has_game, has_l1]))
    owned = [parameter for player in system.players.values() for parameter in player.parameters()]
    assert len(owned) == len(list(system.parameters()))
    assert system.generator.get_parameter("ups.1.0.weight").shape[0] == (16 if "no skips" in name else 32)


def test_the_discriminator_sees_the_source_only_where_it_is_conditional() -> None:
    image, one, other = torch.rand(3, 1, 3, 32, 32)
    for conditional in (True, False):
        judge = Discriminator(SMALL.model_copy(update={"conditional": conditional})).eval()
        assert torch.equal(judge(one, image), judge(other, image)) != conditional


def test_instance_norm_judges_both_pictures_in_one_pass() -> None:
    system = Pix2Pix(INSTANCE)
    batch = Pair(torch.rand(2, 3, 32, 32), torch.rand(2, 3, 32, 32))
    calls = []
    system.discriminator.register_forward_hook(lambda module, given, made: calls.append(len(made)))
    torch.manual_seed(1)
    first = next(system.turns(batch, Progress()))
    assert calls == [4]
    torch.manual_seed(1)
    fake = system.generator(batch.source, *(torch.rand(port.shape(2, 32, 32)) for port in system.inputs[1:]))
    apart = [system.discriminator(batch.source, one) for one in (batch.target, fake)]
    torch.testing.assert_close(first.total, discriminator_loss(*apart) / 2)


def test_a_batch_of_one_makes_both_norms_the_same_function() -> None:
    one, other = Pix2Pix(SMALL), Pix2Pix(INSTANCE)
    other.load_state_dict(one.state_dict())
    given = [torch.rand(port.shape(1, 32, 32)) for port in one.inputs]
    torch.testing.assert_close(one(*given), other(*given))


def test_enlarged_pixels_leave_no_checkerboard() -> None:
    """Of one colour a fresh network makes one: inside, all four phases of pixels are alike; transposed ones differ."""
    spread = {}
    for config in (RESIZED, SMALL):
        torch.manual_seed(0)
        layer = Generator(config).last
        with torch.no_grad():
            made = layer(torch.ones(1, 8, 8, 8))[0, :, 4:12, 4:12]
        phases = torch.stack([made[:, row::2, column::2].mean((1, 2)) for row in (0, 1) for column in (0, 1)])
        spread[config.upsampling] = float(phases.std(0).max())
    assert spread["resize"] < 1e-6
    assert spread["transposed"] > 1e-2


def test_some_loss_is_needed() -> None:
    with pytest.raises(LimnerError, match="the generator needs a loss"):
        Pix2PixConfig.parse({"adversarial_weight": 0, "l1_weight": 0})


def test_weights_begin_as_in_appendix_6_2() -> None:
    system = Pix2Pix(Pix2PixConfig(base_channels=32, num_downs=5))
    weight = system.generator.get_parameter("downs.2.0.weight")
    assert abs(weight.std() - 0.02) < 0.001
    assert abs(system.discriminator.get_parameter("layers.2.1.weight").mean() - 1) < 0.01


def test_more_halvings_than_a_picture_has_are_refused() -> None:
    with pytest.raises(LimnerError, match="num_downs"):
        Pix2PixConfig.parse({"num_downs": 99})
