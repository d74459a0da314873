"""A picture that a generator made is found again, among several beginnings and within the bounds of latents."""

import pytest
import torch

from limner.loops.optimize import OptimizeConfig
from limner.systems.optimize.projection import LatentPictures, ProjectionConfig, ProjectionObjective, project

FEW = ProjectionConfig(optimize=OptimizeConfig(steps=80, learning_rate=0.1))
PLANES = torch.rand(3, 1, 16, 16, generator=torch.Generator().manual_seed(0))


def make(latent: torch.Tensor) -> torch.Tensor:
    """A sum of three planes, each as strong as its latent says."""
    return (latent @ PLANES.flatten(1) / 3).unflatten(1, (1, 16, 16))


def test_the_latent_of_a_made_picture_is_found_again() -> None:
    true = torch.tensor([0.9, 0.1, 0.6])
    found = project(make, torch.full((2, 3), 0.5), make(true[None])[0], FEW, uniform=True)
    torch.testing.assert_close(found.latent, true, atol=0.02, rtol=0)
    assert found.error < 1e-4
    torch.testing.assert_close(found.picture, make(found.latent[None])[0])


def test_the_best_beginning_is_kept() -> None:
    def bent(latent: torch.Tensor) -> torch.Tensor:
        return make(latent.abs() + (latent < 0))

    photo = make(torch.tensor([[0.5, 0.5, 0.5]]))[0]
    start = torch.tensor([[-1.0, -1.0, -1.0], [0.4, 0.4, 0.4]])
    assert project(bent, start, photo, FEW, uniform=False).number == 1


def test_uniform_latents_stay_within_their_bounds() -> None:
    found = project(make, torch.full((1, 3), 0.5), make(torch.tensor([[2.0, -1.0, 0.5]]))[0], FEW, uniform=True)
    assert (found.latent[0], found.latent[1]) == (1, 0)


def test_losses_are_those_of_the_paper_and_of_the_length() -> None:
    pictures = LatentPictures(make, torch.tensor([[1.0, 2.0, 3.0]]), uniform=False)
    photo = make(torch.tensor([[0.2, 0.3, 0.1]]))[0]
    losses = ProjectionObjective(photo, pictures, ProjectionConfig())(pictures())
    assert losses["pixels"].item() == pytest.approx((pictures() - photo).square().mean().item())
    assert losses["length"].item() == pytest.approx(0.01 * (14 / 3 - 1) ** 2)
    assert losses["features"].item() > 0
    same = ProjectionObjective(make(pictures.latent)[0].detach(), pictures, ProjectionConfig())(pictures())
    assert same["features"].item() == pytest.approx(0, abs=1e-6)
    assert "length" not in ProjectionObjective(photo, LatentPictures(make, torch.ones(1, 3), uniform=True), FEW)(
        make(torch.ones(1, 3))
    )
