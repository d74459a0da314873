import pytest
import torch

from limner.layers.adaptive_augment import AdaptiveAugment, AdaptiveConfig


def observed(signs: float, steps: int, *, thousands: int = 1) -> AdaptiveAugment:
    """After steps of ten logits, of which so many more are above 0 than below, as a share."""
    augment = AdaptiveAugment(AdaptiveConfig(target=0.6, thousands=thousands))
    logits = torch.cat([torch.ones(round(5 + 5 * signs)), -torch.ones(round(5 - 5 * signs))])[:, None]
    for _ in range(steps):
        augment.observe(logits)
    return augment


def test_every_fourth_step_moves_the_probability() -> None:
    """Ten pictures a step, 1,000 for the whole way: by 40 / 1000."""
    assert [observed(1.0, steps).probability.item() for steps in (3, 4, 7, 8)] == pytest.approx([0, 0.04, 0.04, 0.08])


def test_it_falls_where_real_pictures_are_not_known_too_well() -> None:
    augment = observed(1.0, 40)
    assert augment.probability.item() == pytest.approx(0.4)
    for _ in range(4):
        augment.observe(torch.tensor([[1.0], [-1.0]]))
    assert augment.probability.item() == pytest.approx(0.4 - 8 / 1000)


def test_it_stays_between_0_and_1() -> None:
    assert observed(1.0, 400).probability.item() == 1
    assert observed(0.0, 400).probability.item() == 0


def test_it_is_part_of_the_state() -> None:
    augment = observed(1.0, 6)
    again = AdaptiveAugment(augment.config)
    again.load_state_dict(augment.state_dict())
    for one in (augment, again):
        one.observe(torch.ones(10, 1))
        one.observe(torch.ones(10, 1))
    assert again.probability.item() == augment.probability.item() == pytest.approx(0.08)


def test_without_a_target_nothing_is_changed() -> None:
    augment = AdaptiveAugment(AdaptiveConfig())
    augment.probability.fill_(1)
    image = torch.rand(2, 3, 8, 8)
    assert augment(image) is image
