import math

import pytest
import torch
from torch.distributions import Independent, Normal

from limner.metrics.parzen import best_sigma, parzen_log_likelihood


def test_it_is_a_mixture_of_gaussians() -> None:
    samples, real = torch.rand(7, 3), torch.rand(150, 3)
    found = parzen_log_likelihood(samples, real, 0.3)
    for x, value in zip(real, found, strict=True):
        densities = [Independent(Normal(sample, 0.3), 1).log_prob(x).exp().item() for sample in samples]
        assert value.item() == pytest.approx(math.log(sum(densities) / 7), abs=1e-3)


def test_the_best_sigma_is_the_deviation_of_the_data() -> None:
    real = 0.5 * torch.randn(500, 1)
    assert best_sigma(torch.zeros(1, 1), real, (0.1, 0.3, 0.5, 0.8, 2.0)) == 0.5
