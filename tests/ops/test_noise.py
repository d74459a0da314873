import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from limner.ops.noise import noise_at

WHOLE = noise_at(0, 0, 600, 700, seed=3)


@given(st.integers(0, 599), st.integers(0, 699), st.data())
def test_a_part_is_that_of_the_whole(top, left, data):
    height, width = data.draw(st.integers(1, 600 - top)), data.draw(st.integers(1, 700 - left))
    part = noise_at(top, left, height, width, seed=3)
    assert torch.equal(part, WHOLE[..., top : top + height, left : left + width])


def test_normal_noise_has_mean_0_and_deviation_1_in_every_square():
    for square in noise_at(0, 0, 1024, 1024)[0].unfold(1, 256, 256).unfold(2, 256, 256).reshape(-1, 256 * 256):
        assert square.mean().item() == pytest.approx(0, abs=5 / 256)  # five standard errors
        assert square.std().item() == pytest.approx(1, abs=5 / 256 / 2**0.5)


def test_uniform_noise_lies_in_0_to_1():
    noise = noise_at(0, 0, 256, 256, channels=2, kind="uniform")
    assert noise.shape == (1, 2, 256, 256)
    assert 0 <= noise.min() < 0.01 and 0.99 < noise.max() < 1
    assert noise.var().item() == pytest.approx(1 / 12, rel=0.01)


def test_no_square_is_like_another():
    squares = noise_at(0, 0, 1024, 1024, channels=1)[0, 0].unfold(0, 256, 256).unfold(1, 256, 256).reshape(16, -1)
    seeds = torch.stack([noise_at(0, 0, 256, 256, channels=1, seed=seed).flatten() for seed in range(1, 4)])
    correlation = torch.corrcoef(torch.cat([squares, seeds]))
    assert (correlation - torch.eye(19)).abs().max() < 6 / 256  # of unrelated ones: deviation 1 / 256


def test_what_is_near_a_border_of_squares_is_as_unrelated_as_elsewhere():
    noise = noise_at(0, 200, 4096, 112, channels=1)[0, 0]
    edge = (noise[:, 55] * noise[:, 56]).mean().item()  # columns 255 and 256
    assert edge == pytest.approx(0, abs=6 / 64)
