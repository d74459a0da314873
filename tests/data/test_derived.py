import pytest
import torch

from limner.data.derived import CHANNELS, Derivation, derived, drawn_holes, edges_of, gray_of, small_and_back


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("derivation", CHANNELS)
def test_all_have_their_channels_and_stay_in_range(derivation: Derivation) -> None:
    image = torch.rand(3, 40, 56, generator=rng())
    made = derived(image, derivation, rng())
    assert made.shape == (CHANNELS[derivation], 40, 56)
    assert made.min() >= 0
    assert made.max() <= 1


def test_lines_lie_on_the_dark_side_of_edges_and_nowhere_else() -> None:
    image = torch.full((3, 32, 32), 0.9)
    image[:, :, 16:] = 0.2
    lines = edges_of(image)[0]
    assert lines[:, 16:18].max() < 0.1
    assert lines[:, :15].min() == 1
    assert lines[:, 24:].min() == 1


def test_colors_of_one_brightness_have_a_line_between_them() -> None:
    image = torch.zeros(3, 24, 24)
    image[0, :, :12], image[1, :, 12:] = 0.587, 0.299
    assert (gray_of(image) - 0.299 * 0.587).abs().max() < 1e-6
    assert (edges_of(image)[0, :, 10:14] < 0.2).any(1).all()


@pytest.mark.parametrize("level", [0.0, 0.5, 1.0])
def test_one_color_has_no_lines(level: float) -> None:
    assert (edges_of(torch.full((3, 16, 16), level)) == 1).all()


def test_small_pictures_lose_what_is_finer_than_four_pixels() -> None:
    coarse = torch.linspace(0, 1, 32).expand(3, 32, 32)
    torch.testing.assert_close(small_and_back(coarse)[..., 4:-4], coarse[..., 4:-4], atol=0.01, rtol=0)
    checkers = (torch.arange(32)[:, None] + torch.arange(32)).remainder(2).float().expand(3, -1, -1)
    assert (small_and_back(checkers) - 0.5).abs().max() < 0.02


def test_holes_are_gray_and_marked_and_the_rest_is_as_it_was() -> None:
    image = torch.rand(3, 48, 64, generator=rng())
    made = derived(image, "mask-holes", rng(5))
    hole = made[3] == 0
    assert (made[:3, hole] == 0.5).all()
    assert torch.equal(made[:3, ~hole], image[:, ~hole])
    assert torch.equal(hole, drawn_holes(48, 64, rng(5))[0])


def test_holes_take_a_part_of_each_picture() -> None:
    shares = torch.tensor([float(drawn_holes(64, 64, rng(seed)).float().mean()) for seed in range(60)])
    assert shares.min() > 0
    assert shares.max() < 0.8
    assert 0.1 < shares.mean() < 0.4


def test_noise_has_another_strength_each_time() -> None:
    image = torch.full((3, 64, 64), 0.5)
    deviations = [float((derived(image, "noise", rng(seed)) - image).std()) for seed in range(30)]
    assert min(deviations) < 0.05
    assert 0.12 < max(deviations) <= 0.21
