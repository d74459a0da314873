import numpy as np
import pytest
import torch

from limner.metrics.cycle import CycleErrors, cycle_errors, lightly_blurred, likeness


def test_errors_by_hand():
    """There by 0.001 more, which rounding takes away, and back by as much less."""
    photo = torch.full((2, 3, 8, 8), 51 / 255)
    found = cycle_errors(lambda x: x + 0.001, lambda x: x - 0.002, photo)
    assert found.plain == pytest.approx(0.001, abs=1e-6)
    assert (found.rounded, found.blurred) == pytest.approx((0.002, 0.002), abs=1e-6)
    assert found.blur == pytest.approx(0, abs=1e-7)
    assert CycleErrors(0.01, 0.0, 0.0, 0.02).limit == pytest.approx(0.06)


def test_a_light_blur_is_a_binomial():
    image = torch.zeros(1, 3, 5, 5)
    image[..., 2, 2] = 16
    expected = [[1, 2, 1], [2, 4, 2], [1, 2, 1]]
    assert lightly_blurred(image)[0, 1, 1:4, 1:4].tolist() == expected
    assert torch.equal(lightly_blurred(torch.ones(1, 3, 4, 4)), torch.ones(1, 3, 4, 4))


def test_what_is_hidden_in_the_noise_is_found_and_what_is_shown_is_not():
    """One way paints all gray and hides the picture in a thousandth of it; the other shows its negative."""
    torch.manual_seed(0)
    photo = torch.nn.functional.interpolate(torch.rand(2, 3, 8, 8), scale_factor=4, mode="bilinear")
    hiding = cycle_errors(lambda x: 0.5 + x / 1000, lambda y: (y - 0.5) * 1000, photo)
    assert hiding.plain < 1e-3
    assert hiding.blurred > hiding.limit
    showing = cycle_errors(lambda x: 1 - x, lambda y: 1 - y, photo)
    assert showing.blurred < showing.limit


def test_a_fine_pattern_that_hides_is_blurred_away():
    photo = torch.nn.functional.interpolate(torch.rand(1, 3, 8, 8), scale_factor=4, mode="bilinear")
    board = (torch.arange(32)[:, None] + torch.arange(32)) % 2 * 2.0 - 1

    def there(x):
        return 0.5 + 0.3 * (x - 0.5) * board

    def back(y):
        return 0.5 + (y - 0.5) * board / 0.3

    found = cycle_errors(there, back, photo)
    assert found.rounded < 0.01
    assert found.blurred > found.limit


def test_likeness_is_the_correlation_of_luminance():
    one, other = torch.rand(2, 3, 6, 6), torch.rand(2, 3, 6, 6)
    weights = np.array([0.299, 0.587, 0.114])
    rows = [np.tensordot(weights, image.numpy(), 1).ravel() for pair in zip(one, other, strict=True) for image in pair]
    correlations = np.corrcoef(rows)
    expected = (correlations[0, 1] + correlations[2, 3]) / 2
    assert likeness(one, other) == pytest.approx(expected, abs=1e-3)
    assert likeness(one, one) == pytest.approx(1)
    assert likeness(1 - one, one) == pytest.approx(-1)
    assert likeness(torch.full_like(one, 0.5), one) == pytest.approx(0, abs=1e-3)
