import copy
from typing import Any

import torch
from torch import nn
from torch.nn.utils import parametrize

from limner.layers.spectral import spectral, without_parametrizations


def parametrized(layer: nn.Module) -> Any:
    """What torch keeps of a weight that is made of another."""
    return layer.parametrizations["weight"]  # type: ignore[index]


def test_the_largest_singular_value_becomes_one() -> None:
    layer = spectral(nn.Conv2d(3, 5, 3))
    x = torch.randn(1, 3, 8, 8)
    for _ in range(100):
        layer(x)
    value = torch.linalg.svdvals(layer.weight.flatten(1))[0]
    torch.testing.assert_close(value, torch.tensor(1.0), atol=1e-3, rtol=0)


def test_a_step_is_one_of_power_iteration() -> None:
    layer = spectral(nn.Linear(4, 3))
    matrix, u = parametrized(layer).original.detach(), parametrized(layer)[0].u.clone()
    v = matrix.T @ u
    v = v / v.norm()
    after = matrix @ v
    after = after / after.norm()
    torch.testing.assert_close(layer.weight, matrix / (after @ matrix @ v))
    torch.testing.assert_close(parametrized(layer)[0].u, after)
    layer.eval()
    layer(torch.ones(1, 4))
    torch.testing.assert_close(parametrized(layer)[0].u, after)


def test_the_gradient_knows_of_the_norm() -> None:
    """Along the weight itself nothing changes, whatever its size: the gradient has no share of it."""
    layer = spectral(nn.Linear(6, 4)).eval()
    layer(torch.randn(2, 6)).square().sum().backward()
    original = parametrized(layer).original
    assert original.grad is not None
    assert (original.grad * original).sum().abs() < 1e-4


def test_half_precision_around_it_changes_no_weight() -> None:
    layer = spectral(nn.Linear(6, 4)).eval()
    expected = layer.weight
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(layer.weight, expected)


def test_at_work_a_weight_is_a_weight() -> None:
    network = nn.Sequential(spectral(nn.Conv2d(3, 5, 3)), nn.ReLU(), spectral(nn.Conv2d(5, 2, 1))).eval()
    used, x = copy.deepcopy(network), torch.randn(1, 3, 8, 8)
    without_parametrizations(used)
    assert not any(parametrize.is_parametrized(module) for module in used.modules())
    assert type(used[0]) is nn.Conv2d
    torch.testing.assert_close(used(x), network(x))
    assert parametrize.is_parametrized(network[0])
