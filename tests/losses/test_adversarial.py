import math

import pytest
import torch

from limner.losses.adversarial import discriminator_loss, generator_loss

REAL, FAKE = [[2.0], [-0.5], [0.3]], [[1.5], [-3.0], [0.0]]


def sigmoid(logit):
    return 1 / (1 + math.exp(-logit))


def test_the_discriminators_loss_is_the_cross_entropy_of_real_and_fake():
    real = sum(-math.log(sigmoid(logit)) for (logit,) in REAL) / 3
    fake = sum(-math.log(1 - sigmoid(logit)) for (logit,) in FAKE) / 3
    assert discriminator_loss(torch.tensor(REAL), torch.tensor(FAKE)).item() == pytest.approx(real + fake)


def test_the_generators_loss_is_minus_the_log_of_being_taken_for_real():
    expected = sum(-math.log(sigmoid(logit)) for (logit,) in FAKE) / 3
    assert generator_loss(torch.tensor(FAKE)).item() == pytest.approx(expected)


def test_a_discriminator_that_cannot_tell_loses_log_4():
    assert discriminator_loss(torch.zeros(5, 1), torch.zeros(5, 1)).item() == pytest.approx(math.log(4))


def test_the_generators_gradient_does_not_vanish_where_the_fake_is_found_out():
    """d/dl of -log sigmoid(l) is sigmoid(l) - 1: about -1 where log(1 - D) has next to none."""
    logit = torch.tensor([-40.0], requires_grad=True)
    generator_loss(logit).backward()
    assert logit.grad.item() == pytest.approx(-1)


def test_half_precision_and_great_certainty_stay_finite():
    sure = torch.tensor([300.0, -300.0], dtype=torch.bfloat16)
    assert discriminator_loss(sure, sure).item() == pytest.approx(300)
    assert generator_loss(sure).dtype == torch.float32
