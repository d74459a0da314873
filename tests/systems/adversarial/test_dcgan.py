"""What only this paper has: its layers, its first weights, batches that are normalised apart."""

import pytest
import torch
from torch import nn

from limner.data.labelled import Labelled
from limner.errors import LimnerError
from limner.losses.adversarial import GameConfig, discriminator_loss, generator_loss
from limner.systems.adversarial.dcgan import DCGAN, DCGAN_2016, FIT_2016, MODERN, DCGANConfig, Discriminator, Generator
from limner.types import Progress

SMALL = DCGANConfig(channels=1, side=16, base_channels=4, latent_channels=5)


def count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def test_the_layers_of_figure_1() -> None:
    """100 -> 1024x4x4, then 5x5 kernels 512, 256, 128, 3; the discriminator is its mirror; no biases."""
    norms = 2 * (1024 * 16) + 2 * (512 + 256 + 128)
    generator = 100 * 1024 * 16 + 25 * (1024 * 512 + 512 * 256 + 256 * 128 + 128 * 3) + norms
    discriminator = 25 * (3 * 128 + 128 * 256 + 256 * 512 + 512 * 1024) + 2 * (256 + 512 + 1024) + 1024 * 16
    assert count(Generator()) == generator == 18_885_760
    assert count(Discriminator(DCGAN_2016)) == discriminator == 17_232_768


def test_how_it_is_trained() -> None:
    """Section 4: Adam, 0.0002 and beta_1 = 0.5, batches of 128; the code decays weights by 1e-5."""
    own = FIT_2016.optimizer
    assert (own.kind, own.learning_rate, own.betas, own.weight_decay) == ("adam", 2e-4, (0.5, 0.999), 1e-5)
    assert FIT_2016.batch_size == 128


def test_weights_begin_as_section_4_says() -> None:
    torch.manual_seed(0)
    generator = Generator()
    for module in generator.modules():
        if isinstance(module, nn.Linear | nn.ConvTranspose2d):
            assert module.weight.std().item() == pytest.approx(0.02, rel=0.05)
        if isinstance(module, nn.BatchNorm1d):
            assert module.weight.mean().item() == pytest.approx(1, abs=1e-3)
            assert module.weight.std().item() == pytest.approx(0.02, rel=0.05)


@pytest.mark.parametrize("config", [SMALL, MODERN, MODERN.model_copy(update={"upsampling": "resize"})])
def test_pictures_are_of_their_side_and_in_their_range(config: DCGANConfig) -> None:
    system = DCGAN(config)
    made = system(torch.rand(3, config.latent_channels))
    assert made.shape == (3, config.channels, config.side, config.side)
    assert 0 <= made.min() < made.max() <= 1
    assert system.discriminator(made).shape == (3, 1)


@pytest.mark.parametrize(("upsampling", "flat"), [("transposed", False), ("resize", True)])
def test_a_flat_map_stays_flat_where_it_is_resized(upsampling: str, flat: bool) -> None:
    torch.manual_seed(0)
    first = Generator(SMALL.model_copy(update={"upsampling": upsampling})).ups[0]
    inner = first(torch.ones(1, 8, 6, 6))[..., 2:-2, 2:-2]
    assert inner.shape[-2:] == (8, 8)
    assert (inner.std((2, 3)).max().item() < 1e-6) == flat


def test_noise_is_between_minus_1_and_1_inside() -> None:
    """Noise of 1/2 is 0, which no weight changes: what is left are the biases of the normalisation, 0 at the start."""
    made = Generator(SMALL).eval()(torch.full((2, 5), 0.5))
    assert torch.equal(made, torch.full_like(made, 0.5))


@pytest.mark.parametrize("side", [12, 24, 100])
def test_a_side_that_doublings_do_not_reach_is_refused(side: int) -> None:
    with pytest.raises(LimnerError, match=f"side must be 4 times a power of two, got {side}"):
        DCGANConfig.parse({"side": side})


@pytest.mark.parametrize("kind", ["non_saturating", "hinge"])
def test_the_turns_are_the_game(kind: str) -> None:
    """Real and made pictures go through the discriminator apart: together, their statistics would be others."""
    system = DCGAN(SMALL.model_copy(update={"game": GameConfig(kind=kind)}))
    batch = Labelled(torch.rand(4, 1, 16, 16), torch.zeros(4, dtype=torch.int64))
    torch.manual_seed(3)
    fake = system(torch.rand(4, 5))
    torch.manual_seed(3)
    first, second = system.turns(batch, Progress())
    real_logits, fake_logits = system.discriminator(batch.image), system.discriminator(fake)
    assert (first.player, second.player) == ("discriminator", "generator")
    torch.testing.assert_close(first.total, discriminator_loss(real_logits, fake_logits, kind))
    torch.testing.assert_close(second.total, generator_loss(fake_logits, kind))
    together = system.discriminator(torch.cat([batch.image, fake]))
    assert not torch.allclose(together[:4], real_logits, atol=1e-4)


def test_what_is_judged_is_changed_first_in_both_turns() -> None:
    judge = Discriminator(SMALL.model_copy(update={"augment": ("cutout",)})).eval()
    image = torch.rand(1, 1, 16, 16)
    assert len({judge(image).item() for _ in range(8)}) > 1
    assert len({Discriminator(SMALL).eval()(image).item()}) == 1
