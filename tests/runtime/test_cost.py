"""The estimate counts what is computed; the search finds the cheapest plan of all."""

import itertools

import pytest
import torch
from torch import nn

from limner.runtime.cost import Estimator, Rates, candidates, explain, smallest_peak, whole_cost
from limner.runtime.plan import Grid, Plan
from limner.runtime.tiling import Tiled

RATES = Rates.of(2)


def normed(layers: int, channels: int = 8) -> nn.Module:
    return nn.Sequential(
        *itertools.chain.from_iterable(
            (nn.Conv2d(channels if i else 3, channels, 3, padding=1), nn.InstanceNorm2d(channels), nn.ReLU())
            for i in range(layers)
        ),
        nn.Conv2d(channels, 3, 1),
    )


def test_a_whole_run_costs_the_operations_of_its_convolutions():
    network = nn.Sequential(nn.Conv2d(3, 8, 3, stride=2, padding=1), nn.ConvTranspose2d(8, 4, 4, 2, 1))
    cost = whole_cost(Tiled(network, (1, 3, 20, 30)), RATES)
    assert cost.operations == 2 * (3 * 8 * 9 * 10 * 15) + 2 * (8 * 4 * 16 * 10 * 15)


def test_recomputing_costs_a_run_of_what_is_before_each_norm():
    tiled = Tiled(normed(2), (1, 3, 32, 32))
    first, second, last = (2 * 32 * 32 * count for count in (3 * 8 * 9, 8 * 8 * 9, 8 * 3))
    recomputed, kept = (Estimator(tiled, Grid(1, 1), RATES).cost(Plan(Grid(1, 1), keep)) for keep in ((), (0, 1)))
    assert recomputed.operations == 3 * first + 2 * second + last
    assert kept.operations == first + second + last
    one_map = 8 * 32 * 32 * 4
    assert kept.moved == 4 * one_map  # each of two is written once and read once
    assert kept.peak > recomputed.peak


def test_halos_are_counted():
    tiled = Tiled(nn.Conv2d(1, 1, 3, padding=1), (1, 1, 30, 30))
    stack = Tiled(nn.Sequential(nn.Conv2d(1, 1, 3, padding=1), nn.Conv2d(1, 1, 3, padding=1)), (1, 1, 30, 30))
    assert Estimator(tiled, Grid(3, 1), RATES).cost(Plan(Grid(3, 1))).operations == 2 * 9 * 30 * 30
    assert Estimator(stack, Grid(3, 1), RATES).cost(Plan(Grid(3, 1))).operations == 2 * 9 * 30 * (30 + 3 * 12)


@pytest.mark.parametrize(("storage", "budget"), [("memory", 650_000), ("memory", 720_000), ("disk", 450_000)])
def test_the_search_finds_the_best_of_all_choices(storage, budget):
    tiled = Tiled(normed(4), (1, 3, 64, 64))
    grid = Grid(4, 1)
    estimator = Estimator(tiled, grid, RATES)
    plans = [Plan(grid, keep, storage) for count in range(5) for keep in itertools.combinations(range(4), count)]
    costs = [estimator.cost(plan) for plan in plans]
    best = min(cost.seconds for cost in costs if cost.peak <= budget)
    found = [cost for plan, cost in candidates(tiled, budget, RATES, [grid]) if plan.storage == storage and plan.keep]
    assert found[0].seconds == pytest.approx(best)


def test_a_smaller_budget_never_costs_less_and_is_never_passed():
    tiled = Tiled(normed(3), (1, 3, 256, 256))
    seconds = []
    for budget in (40_000_000, 4_000_000, 1_500_000, smallest_peak(tiled)):
        found = candidates(tiled, budget, RATES)
        assert all(cost.peak <= budget for _, cost in found)
        seconds.append(min(cost.seconds for _, cost in found))
    assert seconds == sorted(seconds)
    assert candidates(tiled, smallest_peak(tiled) // 2, RATES) == []


def test_bfloat16_counts_half():
    float32, bfloat16 = (Tiled(nn.Conv2d(3, 8, 3).to(kind), (1, 3, 20, 20)) for kind in (torch.float32, torch.bfloat16))
    assert whole_cost(bfloat16, RATES).operations == whole_cost(float32, RATES).operations / 2


def test_the_table_stars_what_was_chosen():
    tiled = Tiled(normed(3), (1, 3, 256, 256))
    found = candidates(tiled, 3_000_000, RATES)
    chosen = min(found, key=lambda pair: pair[1].seconds)[0]
    lines = explain(chosen, found, 3_000_000, 3).splitlines()
    assert len(lines) == 2 + len(found) >= 4
    assert [line[0] for line in lines[2:]].count("*") == 1
