"""What only this paper has: two warps, one on top of the other, and light mixed in."""

import torch
import torch.nn.functional as F

from limner.data.gazes import Gazes
from limner.systems.feedforward.deep_warp import DeepWarp, DeepWarpConfig, anchors, mixed
from limner.types import Progress

SMALL = DeepWarpConfig(widths=(4, 6, 6, 6))


def batch(number: int = 2) -> Gazes:
    rng = torch.Generator().manual_seed(0)
    image, target = torch.rand(2, number, 3, 48, 64, generator=rng)
    return Gazes(image, torch.rand(number, 14, generator=rng), torch.rand(number, 2, generator=rng) - 0.5, target)


def test_a_new_network_hardly_moves_anything() -> None:
    """The last layers begin near 0, and the weights with the warp alone."""
    given = batch()
    system = DeepWarp(SMALL).eval()
    with torch.no_grad():
        made = system.warper(*given.inputs)
    assert made.flow.abs().max() < 1.5
    assert made.weights[:, 0].min() > 0.9
    torch.testing.assert_close(made.weights.sum(1), torch.ones(2, 48, 64))


def test_the_fine_warp_adds_to_the_coarse_one() -> None:
    system = DeepWarp(SMALL).eval()
    assert system.warper.coarse is not None
    for scale, bias in ((system.warper.coarse, 0.5), (system.warper.fine, -0.25)):
        torch.nn.init.zeros_(scale.last.weight)
        torch.nn.init.constant_(scale.last.bias, bias)
    with torch.no_grad():
        flow = system.warper(*batch().inputs).flow
    moved = torch.tensor([0.5, -0.25]).tanh().sum() * SMALL.reach  # a share of the sides
    torch.testing.assert_close(flow[:, 0], torch.full((2, 48, 64), float(moved) * 64))
    torch.testing.assert_close(flow[:, 1], torch.full((2, 48, 64), float(moved) * 48))


def test_what_the_flow_points_at_is_fetched() -> None:
    system = DeepWarp(DeepWarpConfig(widths=(4, 6, 6, 6), scales=1, lightness=False)).eval()
    torch.nn.init.zeros_(system.warper.fine.last.weight)
    with torch.no_grad():
        system.warper.fine.last.bias.copy_(torch.atanh(torch.tensor([4 / 64 / 0.2, 0.0])))  # four pixels to the right
        given = batch()
        made = system(*given.inputs)
    torch.testing.assert_close(made[..., :60], given.image[..., 4:], atol=1e-5, rtol=1e-5)


def test_light_is_a_mean_with_the_palette() -> None:
    warped = torch.full((1, 3, 1, 1), 0.2)
    weights = torch.tensor([0.5, 0.3, 0.2]).view(1, 3, 1, 1)
    colours = torch.tensor([[1.0, 1.0, 1.0], [0.0, 0.5, 0.0]])
    assert mixed(warped, weights, colours).flatten().tolist() == torch.tensor([0.4, 0.5, 0.4]).tolist()


def test_anchors_say_how_far_a_point_is() -> None:
    points = torch.zeros(1, 14)
    points[0, 12:] = torch.tensor([0.5, 0.25])
    maps = anchors(torch.zeros(1, 3, 8, 10), points)
    assert maps[0, 12, 0, 0].item() == torch.tensor(0.05 - 0.5)
    assert maps[0, 13, 3, 0].item() == torch.tensor(3.5 / 8 - 0.25)


def test_the_losses_are_those_of_the_paper() -> None:
    given = batch()
    system = DeepWarp(SMALL).eval()
    first, second = system.turns(given, Progress())
    assert (first.player, second.player) == ("warper", "finder")
    made = system.warper(*given.inputs).image
    torch.testing.assert_close(first.total, (made - given.target).square().mean())
    torch.testing.assert_close(second.total, (system.finder(given.image) - given.points).abs().mean())


def test_baselines_of_the_paper_are_configurations() -> None:
    given = batch()
    for config in (
        SMALL.model_copy(update={"scales": 1}),
        SMALL.model_copy(update={"lightness": False}),
        SMALL.model_copy(update={"warps": False, "lightness": False}),
    ):
        system = DeepWarp(config)
        made = system.warper(*given.inputs)
        F.mse_loss(made.image, given.target).backward()  # type: ignore[no-untyped-call]
        assert all(one.grad is not None for one in system.warper.parameters())
        assert made.flow.any() == config.warps


def test_points_that_are_asked_for_are_found() -> None:
    """The middle of a heat map that is sharp at one place is this place."""
    finder = DeepWarp(SMALL).eval().finder
    torch.nn.init.zeros_(finder.shift.weight)
    torch.nn.init.zeros_(finder.shift.bias)
    torch.nn.init.zeros_(finder.heat.weight)
    torch.nn.init.zeros_(finder.heat.bias)
    with torch.no_grad():
        found = finder(torch.rand(1, 3, 48, 64))
    torch.testing.assert_close(found, torch.full((1, 14), 0.5))
