import math

import pytest
import torch

from limner.ops.random_changes import _coloured, _geometry, _hue, _placed, _scaling, _shift, _turn, random_changes


def test_nothing_happens_at_a_probability_of_0() -> None:
    image = torch.rand(4, 3, 16, 16)
    assert random_changes(image, 0.0) is image


@pytest.mark.parametrize("channels", [1, 3])
def test_the_probability_is_that_of_each_change(channels: int) -> None:
    """Six changes of places and five of colours (two of gray), of which half of the mirrors and turns over change
    nothing: few pictures stay at 0.3."""
    torch.manual_seed(0)
    image = torch.rand(400, channels, 16, 16) - 0.5
    few, many = (
        (random_changes(image, probability) - image).abs().amax((1, 2, 3)).gt(1e-4).float().mean().item()
        for probability in (0.02, 0.3)
    )
    assert 0.03 < few < 0.25
    assert many > 0.85


def test_matrices_say_where_pixels_come_from() -> None:
    image = torch.arange(64.0).view(1, 1, 8, 8)
    one, zero = torch.ones(1), torch.zeros(1)
    torch.testing.assert_close(_placed(image, _scaling(-one, one)), image.flip(3))
    torch.testing.assert_close(_placed(image, _shift(2 * 2 / 8 * one, zero))[..., :-2], image[..., 2:])
    quarter = _placed(image, _turn(math.pi / 2 * one))
    torch.testing.assert_close(quarter, torch.rot90(image, 1, (2, 3)), atol=1e-4, rtol=1e-4)


def test_a_turn_of_hue_by_a_third_is_another_order_of_channels() -> None:
    torch.testing.assert_close(
        _hue(torch.tensor([2 * math.pi / 3]))[0] @ torch.tensor([1.0, 2, 3]), torch.tensor([3.0, 1, 2])
    )


def test_geometry_keeps_areas_but_for_the_zoom() -> None:
    torch.manual_seed(0)
    determinants = torch.linalg.det(_geometry(torch.zeros(5000, 3, 16, 16), 1.0)[:, :2, :2])
    logs = determinants.log2() / 2  # the zoom is 2 to a normal number of deviation 0.2
    assert logs.std().item() == pytest.approx(0.2, rel=0.05)
    assert logs.mean().item() == pytest.approx(0, abs=0.01)


def test_gray_stays_gray() -> None:
    torch.manual_seed(0)
    image = (torch.rand(50, 1, 4, 4) - 0.5).expand(-1, 3, -1, -1)
    made = _coloured(image, 1.0)
    torch.testing.assert_close(made, made.mean(1, keepdim=True).expand_as(made), atol=1e-5, rtol=1e-5)
    assert not torch.allclose(made, image)


def test_gradients_go_through_all_changes() -> None:
    image = torch.rand(4, 3, 8, 8, requires_grad=True)
    random_changes(image, 1.0).sum().backward()
    assert image.grad is not None
    assert (image.grad.abs().sum((1, 2, 3)) > 0).all()
