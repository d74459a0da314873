"""The embedded texture network: its samples have the texture of the painted sky, and differ from seed to seed."""

import pytest
import torch
from torch import Tensor

from limner.experiments.options import PAINTING
from limner.files.image import read_image, to_tensor
from limner.measure.texture import objective, sample_loss
from limner.verbs.texture import load_network

MODEL, SIDE = "texture-starry-night", 128


@pytest.fixture(scope="module")
def painting() -> Tensor:
    return to_tensor(read_image(PAINTING))


def sample(seed: int) -> Tensor:
    with torch.inference_mode():
        return load_network(MODEL).sample((SIDE, SIDE), seed)


def test_samples_have_the_texture(painting: Tensor) -> None:
    energy = objective(load_network(MODEL), painting)
    noise = torch.rand(1, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        of_noise = energy(noise)["texture"].item()
    assert sample_loss(load_network(MODEL), energy, (SIDE, SIDE)) < 0.05 * of_noise


def test_samples_have_the_colours_and_differ(painting: Tensor) -> None:
    one, other = sample(1), sample(2)
    assert (one.mean((2, 3)) - painting.mean((2, 3))).abs().max() < 0.1
    assert one.std() > 0.15
    assert (one - other).abs().mean() > 0.1
