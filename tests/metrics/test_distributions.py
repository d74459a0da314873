"""Against slow formulas, scipy's root of a matrix, and cases that are known."""

import pytest
import torch

from limner.metrics.distributions import frechet_distance, kernel_distance, mean_distance, prdc


def features(number: int, width: int = 4, seed: int = 0, shift: float = 0.0) -> torch.Tensor:
    rng = torch.Generator().manual_seed(seed)
    mixed = torch.randn(width, width, generator=rng, dtype=torch.float64)
    return torch.randn(number, width, generator=rng, dtype=torch.float64) @ mixed + shift


def test_frechet_distance_is_that_of_its_formula() -> None:
    linalg = pytest.importorskip("scipy.linalg")
    real, made = features(50), features(40, seed=1, shift=0.5)
    first, second = torch.cov(real.T), torch.cov(made.T)
    root = torch.from_numpy(linalg.sqrtm((first @ second).numpy()).real)
    expected = (real.mean(0) - made.mean(0)).square().sum() + (first + second - 2 * root).trace()
    assert frechet_distance(real, made) == pytest.approx(expected.item(), rel=1e-6)


def test_frechet_distance_of_the_same_is_nothing_even_where_features_are_dead() -> None:
    real = features(50)
    assert abs(frechet_distance(real, real)) < 1e-6
    dead = torch.cat([real, torch.zeros(50, 3)], 1)
    assert frechet_distance(dead, dead + torch.tensor([2.0] + [0.0] * 6)) == pytest.approx(4, rel=1e-6)


def test_kernel_distance_is_that_of_its_sums() -> None:
    real, made = features(7), features(6, seed=1)

    def kernel(a: torch.Tensor, b: torch.Tensor) -> float:
        return (sum(x * y for x, y in zip(a.tolist(), b.tolist(), strict=True)) / 4 + 1) ** 3

    within = [
        sum(kernel(a, b) for i, a in enumerate(some) for j, b in enumerate(some) if i != j)
        / (len(some) * (len(some) - 1))
        for some in (real, made)
    ]
    across = sum(kernel(a, b) for a in real for b in made) / (7 * 6)
    assert kernel_distance(real, made) == pytest.approx(sum(within) - 2 * across)


def test_kernel_distance_is_about_nothing_for_the_same_and_not_for_others() -> None:
    rng = torch.Generator().manual_seed(0)
    one, same, other = (torch.randn(500, 4, generator=rng) for _ in range(3))
    assert abs(kernel_distance(one, same)) < 0.1 * kernel_distance(one, other + 1)


def test_precision_and_the_others_against_loops() -> None:
    real, made, k = features(12), features(9, seed=1), 2

    def radius(some: torch.Tensor, number: int) -> float:
        return sorted((some[number] - one).norm().item() for one in some)[k]

    inside = [[(a - b).norm().item() < radius(real, i) for b in made] for i, a in enumerate(real)]
    around = [[(a - b).norm().item() < radius(made, j) for j, b in enumerate(made)] for a in real]
    found = prdc(real, made, k)
    assert found.precision == pytest.approx(sum(any(row[j] for row in inside) for j in range(9)) / 9)
    assert found.recall == pytest.approx(sum(any(row) for row in around) / 12)
    assert found.density == pytest.approx(sum(map(sum, inside)) / (k * 9))
    assert found.coverage == pytest.approx(sum(any(row) for row in inside) / 12)


def test_a_mode_that_is_left_out_shows_in_recall_and_one_that_is_made_up_in_precision() -> None:
    rng = torch.Generator().manual_seed(0)
    one, two = torch.randn(200, 3, generator=rng), torch.randn(200, 3, generator=rng) + 100
    again = torch.randn(200, 3, generator=rng)
    half = prdc(torch.cat([one, two]), again)
    assert half.precision > 0.9
    assert 0.4 < half.recall < 0.51
    assert 0.4 < half.coverage < 0.51
    wrong = prdc(one, torch.cat([again, two]))
    assert 0.4 < wrong.precision < 0.51
    assert wrong.recall > 0.9


def test_the_mean_over_pairs() -> None:
    some = features(6)
    pairs = [(a - b).norm().item() for i, a in enumerate(some) for j, b in enumerate(some) if i != j]
    assert mean_distance(some) == pytest.approx(sum(pairs) / len(pairs))
