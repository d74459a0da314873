"""What only this paper has: its layers, its bound, and the gradient through what is drawn."""

import math
from typing import Any

import pytest
import torch
from torch import nn
from torch.distributions import Bernoulli, Normal, kl_divergence

from limner.data.labelled import Labelled
from limner.systems.feedforward.vae import (
    FIT_2014,
    MODERN,
    VAE,
    VAE_2014,
    Gaussian,
    VAEConfig,
    bernoulli,
    gaussian,
    gaussian_per_pixel,
)
from limner.types import Progress

SMALL = VAEConfig(side=4, hidden_units=6, latent_channels=3)


def count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def test_the_layers_of_appendix_c() -> None:
    """784 to 500 to the mean and variance of 20 latents; these to 500 to 784."""
    system = VAE(VAE_2014)
    assert count(system.encoder) == 785 * 500 + 501 * 40
    assert count(system.decoder) == 21 * 500 + 501 * 784


def test_how_it_is_trained() -> None:
    """Section 5: Adagrad, batches of 100, weights from N(0, 0.01)."""
    assert (FIT_2014.optimizer.kind, FIT_2014.batch_size) == ("adagrad", 100)
    torch.manual_seed(0)
    first: Any = VAE().encoder[1]
    assert first.weight.std().item() == pytest.approx(0.01, rel=0.02)


def test_the_divergence_is_that_of_two_normal_distributions() -> None:
    mean, log_variance = torch.randn(5, 3, dtype=torch.float64), torch.randn(5, 3, dtype=torch.float64)
    expected = kl_divergence(Normal(mean, (log_variance / 2).exp()), Normal(0.0, 1.0)).sum(1)
    torch.testing.assert_close(Gaussian(mean, log_variance).divergence(), expected)


def test_samples_are_of_the_distribution_and_carry_gradients() -> None:
    torch.manual_seed(0)
    mean = torch.tensor([[1.0, -2.0]]).expand(100_000, -1).clone().requires_grad_()
    log_variance = torch.tensor([[0.0, math.log(4)]]).expand(100_000, -1).clone().requires_grad_()
    drawn = Gaussian(mean, log_variance).sample()
    torch.testing.assert_close(drawn.mean(0), torch.tensor([1.0, -2.0]), atol=0.03, rtol=0)
    torch.testing.assert_close(drawn.std(0), torch.tensor([1.0, 2.0]), atol=0.03, rtol=0)
    drawn.sum().backward()
    assert torch.equal(mean.grad, torch.ones_like(mean))
    torch.testing.assert_close(log_variance.grad, (drawn - mean).detach() / 2)  # d sigma eps / d log sigma^2


def test_the_bernoulli_decoder_is_a_likelihood_of_black_and_white() -> None:
    logits, image = torch.randn(4, 1, 3, 3), torch.randint(0, 2, (4, 1, 3, 3)).float()
    torch.testing.assert_close(bernoulli(logits, image), -Bernoulli(logits=logits).log_prob(image).sum((1, 2, 3)))
    gray = torch.rand(4, 1, 3, 3)
    torch.testing.assert_close(bernoulli(torch.logit(gray), gray), torch.zeros(4), atol=1e-4, rtol=0)
    assert (bernoulli(logits, gray) > 0).all()


def test_the_gaussian_decoders_are_likelihoods() -> None:
    logits, image = torch.randn(4, 2, 3, 3), torch.rand(4, 2, 3, 3)
    mean = torch.sigmoid(logits)
    deviation = (mean - image).square().mean().sqrt()
    expected = -Normal(mean, deviation).log_prob(image).sum((1, 2, 3))
    torch.testing.assert_close(gaussian(logits, image), expected, rtol=1e-4, atol=1e-4)
    log_variance = torch.randn(4, 2, 3, 3)
    expected = -Normal(mean, (log_variance / 2).exp()).log_prob(image).sum((1, 2, 3))
    torch.testing.assert_close(gaussian_per_pixel(torch.cat([logits, log_variance], 1), image), expected)


@pytest.mark.parametrize("decoder", ["bernoulli", "gaussian", "gaussian-per-pixel"])
@pytest.mark.parametrize(("network", "side"), [("mlp", 4), ("convolutional", 16), ("convolutional", 7)])
def test_a_picture_comes_back_at_its_size(decoder: str, network: str, side: int) -> None:
    config = SMALL.model_copy(update={"decoder": decoder, "network": network, "side": side, "base_channels": 2})
    system = VAE(config)
    batch = Labelled(torch.rand(3, 1, side, side), torch.zeros(3, dtype=torch.int64))
    assert system(system.encode(batch.image).mean).shape == batch.image.shape
    (turn,) = system.turns(batch, Progress())
    turn.total.backward()
    assert all(parameter.grad is not None for parameter in system.parameters())


@pytest.mark.parametrize(("upsampling", "flat"), [("transposed", False), ("resize", True)])
def test_a_flat_map_stays_flat_where_it_is_resized(upsampling: str, flat: bool) -> None:
    torch.manual_seed(0)
    config = SMALL.model_copy(update={"network": "convolutional", "side": 8, "upsampling": upsampling})
    last: Any = VAE(config).decoder[-1]
    inner = last(torch.ones(1, 32, 8, 8))[..., 2:-2, 2:-2]
    assert inner.shape[-2:] == (12, 12)
    assert (inner.std((2, 3)).max().item() < 1e-6) == flat


def test_the_bound_is_the_sum_of_both_with_its_weight() -> None:
    system = VAE(SMALL.model_copy(update={"kl_weight": 3.0}))
    batch = Labelled(torch.rand(5, 1, 4, 4), torch.zeros(5, dtype=torch.int64))
    torch.manual_seed(0)
    (turn,) = system.turns(batch, Progress())
    latent = system.encode(batch.image)
    torch.manual_seed(0)
    given = system.decoder(latent.sample())
    expected = bernoulli(given, batch.image).mean() + 3 * latent.divergence().mean()
    torch.testing.assert_close(turn.total, expected)


def test_our_own_halves_the_side_down_to_four() -> None:
    """64 pixels: 32, 16, 8, 4 with 32, 64, 128, 256 channels."""
    encoder = VAE(MODERN.model_copy(update={"side": 64, "channels": 3})).encoder
    assert [layer.out_channels for layer in encoder if isinstance(layer, nn.Conv2d)] == [32, 64, 128, 256]
    assert encoder[-1].in_features == 256 * 16
