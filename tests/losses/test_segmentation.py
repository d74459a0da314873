"""Losses by hand, and by loops over pixels."""

import math

import pytest
import torch

from limner.losses.segmentation import soft_dice, weighted_cross_entropy


def drawn() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    return torch.randn(2, 3, 4, 5), torch.randint(0, 3, (2, 1, 4, 5)), torch.rand(2, 1, 4, 5) * 3


def test_the_cross_entropy_by_loops() -> None:
    logits, labels, weight = drawn()
    total = 0.0
    for n in range(2):
        for y in range(4):
            for x in range(5):
                of_all = sum(math.exp(float(one)) for one in logits[n, :, y, x])
                probability = math.exp(float(logits[n, labels[n, 0, y, x], y, x])) / of_all
                total -= float(weight[n, 0, y, x]) * math.log(probability)
    found = weighted_cross_entropy(logits, labels, weight)
    assert found.item() == pytest.approx(total / weight.sum().item(), rel=1e-5)


def test_logits_that_say_nothing_cost_the_logarithm_of_the_classes() -> None:
    labels, weight = torch.randint(0, 4, (1, 1, 3, 3)), torch.rand(1, 1, 3, 3)
    assert weighted_cross_entropy(torch.zeros(1, 4, 3, 3), labels, weight).item() == pytest.approx(math.log(4))


def test_pixels_of_no_weight_take_no_part_and_get_no_gradient() -> None:
    logits, labels, weight = drawn()
    logits.requires_grad_()
    weight[..., :2] = 0
    loss = weighted_cross_entropy(logits, labels, weight)
    loss.backward()
    assert not logits.grad[..., :2].any()  # type: ignore[index]
    changed = logits.detach().clone()
    changed[..., :2] = 99
    assert torch.equal(loss.detach(), weighted_cross_entropy(changed, labels, weight))
    nothing = weighted_cross_entropy(logits, labels, torch.zeros_like(weight))
    assert nothing.item() == 0


def test_dice_by_hand() -> None:
    """Two pixels, of which the soft-max gives the first class 1/4 and 1/2, and the first is of it."""
    logits = torch.tensor([[[[0.0, 0]], [[math.log(3), 0]]]])
    labels, counted = torch.tensor([[[[0, 1]]]]), torch.ones(1, 1, 1, 2, dtype=torch.bool)
    first = (2 * 0.25 + 1) / (1 + 0.75 + 1)
    second = (2 * 0.5 + 1) / (1 + 1.25 + 1)
    assert soft_dice(logits, labels, counted).item() == pytest.approx((first + second) / 2)


def test_dice_is_one_for_the_truth_and_for_a_class_that_is_nowhere() -> None:
    labels = torch.randint(0, 2, (2, 1, 8, 8))
    sure = 100 * torch.zeros(2, 3, 8, 8).scatter_(1, labels, 1.0)
    assert soft_dice(sure, labels, torch.ones_like(labels).bool()).item() == pytest.approx(1)


def test_dice_leaves_out_what_does_not_count() -> None:
    logits, labels, weight = drawn()
    counted = weight > 1
    found = soft_dice(logits, labels, counted)
    logits[(~counted).expand_as(logits)] = 50
    assert torch.equal(soft_dice(logits, (labels + ~counted) % 3, counted), found)
