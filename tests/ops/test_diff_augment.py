"""Each change against slow arithmetic of one picture, with the numbers that torch draws."""

import pytest
import torch

from limner.ops.diff_augment import CHANGES, colour, cutout, diff_augment, translation


def pictures(number: int = 6, side: int = 8) -> torch.Tensor:
    return torch.rand(number, 3, side, side, generator=torch.Generator().manual_seed(1), dtype=torch.float64) * 2 - 1


def test_colour_is_brightness_then_saturation_then_contrast() -> None:
    image = pictures()
    torch.manual_seed(0)
    changed = colour(image)
    torch.manual_seed(0)
    draws = [torch.rand(6, 1, 1, 1, dtype=torch.float64).flatten() for _ in range(3)]
    for one, result, bright, satiated, contrast in zip(image, changed, *draws, strict=True):
        expected = one + bright - 0.5
        for y in range(8):
            for x in range(8):
                gray = expected[:, y, x].mean()
                expected[:, y, x] = gray + 2 * satiated * (expected[:, y, x] - gray)
        mean = expected.mean()
        torch.testing.assert_close(result, mean + (0.5 + contrast) * (expected - mean))


def test_translation_moves_by_an_eighth_at_most_and_fills_with_zeros() -> None:
    image = pictures(200)
    moved, seen = translation(image), set()
    for one, result in zip(image, moved, strict=True):
        found = [
            (down, right)
            for down in (-1, 0, 1)
            for right in (-1, 0, 1)
            if torch.equal(result, _moved(one, down, right))
        ]
        assert len(found) == 1
        seen.add(found[0])
    assert len(seen) == 9


def _moved(image: torch.Tensor, down: int, right: int) -> torch.Tensor:
    result = torch.zeros_like(image)
    for y in range(8):
        for x in range(8):
            if 0 <= y - down < 8 and 0 <= x - right < 8:
                result[:, y, x] = image[:, y - down, x - right]
    return result


@pytest.mark.parametrize("side", [6, 8])
def test_cutout_leaves_out_a_rectangle_of_half_the_sides(side: int) -> None:
    """Whole in the middle; at the border a part of it lies outside."""
    image = pictures(200, side)
    cut = (cutout(image) == 0).all(1)
    areas = cut.flatten(1).sum(1)
    assert areas.max() == (side // 2) ** 2
    assert areas.min() < areas.max()
    for one in cut:
        rows, columns = one.any(1).nonzero().flatten(), one.any(0).nonzero().flatten()
        assert one.sum() == len(rows) * len(columns)
        assert len(rows) == rows.max() - rows.min() + 1


def test_gradients_go_through_all_changes() -> None:
    def changed(image: torch.Tensor) -> torch.Tensor:
        torch.manual_seed(0)
        return diff_augment(image, CHANGES)

    assert torch.autograd.gradcheck(changed, pictures(2, 4).requires_grad_())


def test_no_change_leaves_the_pictures() -> None:
    image = pictures()
    assert diff_augment(image, ()) is image
