"""The average against a loop over plain numbers."""

import copy

import pytest
import torch
from torch import Tensor, nn

from limner.loops.averaging import Average


def steps(system: nn.Linear, count: int) -> list[Tensor]:
    """Values that the weights of `system` take, one after the other."""
    rng = torch.Generator().manual_seed(1)
    return [torch.randn(system.weight.shape, generator=rng, dtype=torch.float64) for _ in range(count)]


@pytest.mark.parametrize("decay", [0.3, 0.9, 0.999])
def test_the_average_is_the_formula_of_its_docstring(decay: float):
    system = nn.Linear(3, 2, dtype=torch.float64)
    average = Average(system, decay)
    expected = None
    for n, weights in enumerate(steps(system, 40)):
        system.weight.data.copy_(weights)
        average.update(system)
        if expected is None:
            expected = weights.clone()  # the first update copies
        else:
            d = min(decay, (1 + n) / (10 + n))
            expected = d * expected + (1 - d) * weights
        torch.testing.assert_close(average.system.get_parameter("weight").detach(), expected)


def test_weights_from_before_the_first_update_do_not_count():
    system = nn.Linear(3, 2)
    nn.init.constant_(system.weight, 1e6)
    average = Average(system, 0.999)
    nn.init.constant_(system.weight, 1.0)
    average.update(system)
    average.update(system)
    assert torch.equal(average.system.weight, system.weight)


def test_the_system_itself_is_left_alone():
    system = nn.Linear(3, 2)
    before = copy.deepcopy(system.state_dict())
    average = Average(system, 0.5)
    average.update(system)
    average.update(system)
    assert all(torch.equal(before[name], value) for name, value in system.state_dict().items())
    assert average.system.get_parameter("weight").data_ptr() != system.weight.data_ptr()


def test_buffers_are_copied_not_averaged():
    system = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    average = Average(system, 0.999)
    for _ in range(5):
        system(torch.randn(8, 3))
        average.update(system)
    for name, value in system.named_buffers():  # running statistics, and an integer count
        assert torch.equal(average.system.get_buffer(name), value), name
    assert average.system.get_buffer("1.num_batches_tracked").dtype == torch.int64
    assert average.system.get_buffer("1.num_batches_tracked") == 5


def test_a_restored_average_goes_on_exactly():
    system = nn.Linear(3, 2, dtype=torch.float64)
    one = Average(system, 0.99)
    weights = steps(system, 20)
    for value in weights[:10]:
        system.weight.data.copy_(value)
        one.update(system)
    other = Average(nn.Linear(3, 2, dtype=torch.float64), 0.99)
    other.load_state_dict({name: value.clone() for name, value in one.state_dict().items()})
    for value in weights[10:]:
        system.weight.data.copy_(value)
        one.update(system)
        other.update(system)
    assert torch.equal(one.system.weight, other.system.weight)
