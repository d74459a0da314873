"""The loss on places that outshine the rest of a picture."""

import pytest
import torch
from torch import nn

from limner.losses.spikes import entering, spikes


def test_one_place_of_sixteen() -> None:
    """Its normalised square is 15, so 12.5 beyond what is allowed, over 16 places."""
    lonely = torch.zeros(1, 1, 4, 4)
    lonely[0, 0, 1, 2] = 100.0
    assert spikes([lonely]).item() == pytest.approx(12.5 / 16, rel=1e-4)
    assert spikes([lonely, torch.ones(1, 1, 4, 4)]).item() == pytest.approx(12.5 / 32, rel=1e-4)


def test_evenly_spread_maps_are_free() -> None:
    maps = torch.randn(2, 64, 16, 16, generator=torch.Generator().manual_seed(0))
    assert spikes([maps]).item() == 0
    assert spikes([1000 * maps + 5]).item() == 0


def test_descent_flattens_a_spike() -> None:
    maps = torch.randn(1, 8, 16, 16, generator=torch.Generator().manual_seed(0))
    maps[..., 3:5, 3:5] += 8
    maps.requires_grad_()
    begun = spikes([maps])
    optimizer = torch.optim.SGD([maps], lr=100.0)
    for _ in range(20):
        optimizer.zero_grad()
        spikes([maps]).backward()
        optimizer.step()
    assert spikes([maps]) < 0.5 * begun


def test_entering_collects_only_within() -> None:
    norms = nn.Sequential(nn.InstanceNorm2d(2), nn.ReLU(), nn.InstanceNorm2d(2))
    picture = torch.randn(1, 2, 8, 8)
    with entering([norms[0], norms[2]]) as found:
        norms(picture)
    norms(picture)
    assert len(found) == 2
    assert torch.equal(found[0], picture)
    assert bool((found[1] >= 0).all())
