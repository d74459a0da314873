from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

from limner.data.pairs import Pair
from limner.errors import LimnerError
from limner.features.vgg16 import VGG
from limner.loops.fit import Fit
from limner.systems.feedforward.perceptual_super_resolution import (
    FEATURE_2016,
    FEATURE_2016_X8,
    FIT_MODERN,
    MODERN,
    PerceptualSuperResolution,
    PerceptualSuperResolutionConfig,
    match_histogram,
)
from limner.types import Progress
from limner.verbs.upscale.blocks import footprint_of


def tiny(**changes):
    config = PerceptualSuperResolutionConfig(**{"num_blocks": 1, "channels": 4} | changes)
    return PerceptualSuperResolution(config)


@pytest.mark.parametrize(("config", "doublings"), [(FEATURE_2016, 2), (FEATURE_2016_X8, 3)])
def test_number_of_weights_follows_the_supplement(config, doublings):
    """9x9 to 64, four blocks of two 3x3, log2(f) doublings, 9x9 to RGB; a batch norm after all but the last."""
    convolutions = 3 * 64 * 81 + (4 * 2 + doublings) * 64 * 64 * 9 + 64 * 3 * 81 + 3
    norms = (1 + 4 * 2 + doublings) * 2 * 64
    assert sum(parameter.numel() for parameter in PerceptualSuperResolution(config).parameters()) == (
        convolutions + norms
    )


@pytest.mark.parametrize("scale", [2, 4, 8])
@pytest.mark.parametrize("upsampling", ["transposed", "resized"])
def test_output_is_scale_times_as_large(scale, upsampling):
    system = tiny(scale=scale, upsampling=upsampling).eval()
    assert system(torch.rand(2, 3, 5, 7)).shape == (2, 3, 5 * scale, 7 * scale)
    assert system.scales == (scale,)


def test_the_range_is_that_of_a_scaled_tanh():
    system = tiny().eval()
    for bias, value in ((50.0, 1.0), (-50.0, 0.0), (0.5, (np.tanh(0.5) + 1) / 2)):
        nn.init.zeros_(system.tail.weight)
        nn.init.constant_(system.tail.bias, bias)
        torch.testing.assert_close(system(torch.rand(1, 3, 3, 4)), torch.full((1, 3, 12, 16), value))


def test_with_a_skip_a_silent_network_enlarges_bilinearly():
    """Two pixels 0 and 1 become 0, 1/4, 3/4, 1 at scale 2: what lies beyond the border is the border."""
    system = tiny(scale=2, skip=True).eval()
    nn.init.zeros_(system.tail.weight)
    nn.init.zeros_(system.tail.bias)
    image = torch.tensor([[0.0, 1.0]]).expand(1, 3, 1, 2)
    torch.testing.assert_close(system(image)[0, 0, 0], torch.tensor([0.0, 0.25, 0.75, 1.0]))


def response(upsampling):
    """How a network of one positive weight answers to a constant picture, far from the border."""
    system = tiny(scale=2, channels=1, num_blocks=0, upsampling=upsampling).eval()
    for module in system.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.ones_(module.weight)
    seen = []
    system.tail.register_forward_pre_hook(lambda module, given: seen.append(given[0]))
    system(torch.ones(1, 3, 16, 16))
    return seen[0][..., 12:-12, 12:-12]


def test_resized_pixels_leave_no_checkerboard_where_strides_of_one_half_do():
    checkered, plain = response("transposed"), response("resized")
    assert checkered.std() > 0.1 * checkered.mean()
    assert plain.std() < 1e-5 * plain.mean()


def test_the_feature_loss_is_that_of_relu2_2():
    system = tiny().eval()
    batch = Pair(torch.rand(2, 3, 4, 5), torch.rand(2, 3, 16, 20))
    (turn,) = system.turns(batch, Progress())
    found, wanted = (VGG(["relu2_2"])(image)["relu2_2"] for image in (system(batch.source), batch.target))
    assert found.shape == (2, 128, 8, 10)
    expected = ((found - wanted) ** 2).sum() / (128 * 8 * 10) / 2
    assert list(turn.losses) == ["feature"]
    torch.testing.assert_close(turn.total, expected)


def test_both_pictures_are_moved_before_they_are_compared():
    """Each loss is that of one of the nine places, all of which come up."""
    system, vgg = tiny(shift=3).eval(), VGG(["relu2_2"])
    batch = Pair(torch.rand(1, 3, 4, 5), torch.rand(1, 3, 16, 20))
    with torch.no_grad():
        enlarged = system(batch.source)
        pairs = [[one[..., d:, a:] for one in (enlarged, batch.target)] for d in range(3) for a in range(3)]
        seen = [[vgg(one)["relu2_2"] for one in pair] for pair in pairs]
        expected = torch.stack([(found - wanted).square().mean() for found, wanted in seen])
        found = torch.stack([next(system.turns(batch, Progress())).losses["feature"] for _ in range(100)])
    nearest = (found[:, None] - expected).abs().min(1)
    assert nearest.values.max() < 1e-4 * expected.min()
    assert {*nearest.indices.tolist()} == {*range(9)}


def test_a_grid_that_the_target_has_is_not_held_against_the_network():
    """Only what differs counts, four cells of the network's own grid at a time."""
    system = tiny(grid_weight=10.0, num_blocks=0).eval()
    source = torch.rand(1, 3, 8, 8)
    grid = (0.1 * torch.cos(torch.pi / 2 * torch.arange(32))).expand(1, 3, 32, 32)
    with torch.no_grad():
        own = system(source)
        losses = [next(system.turns(Pair(source, own + one), Progress())).losses["grid"] for one in (0 * grid, grid)]
    assert [loss.item() for loss in losses] == pytest.approx([0, 10 * 0.005], rel=1e-3, abs=1e-9)


def test_the_pixel_loss_is_the_mean_squared_error():
    system = tiny(loss="pixel").eval()
    batch = Pair(torch.rand(2, 3, 4, 5), torch.rand(2, 3, 16, 20))
    (turn,) = system.turns(batch, Progress())
    torch.testing.assert_close(turn.losses["pixel"], ((system(batch.source) - batch.target) ** 2).mean())


def test_the_loss_network_is_read_for_training_alone_and_never_among_the_weights(monkeypatch):
    monkeypatch.setattr("limner.processor.bfloat16_pays", lambda device: True)
    system = tiny()
    names = set(system.state_dict())
    assert "_loss_network" not in vars(system)
    fit = FIT_MODERN.override(["steps=1"])
    training = Fit(system, fit)
    training.step([Pair(torch.rand(1, 3, 4, 4), torch.rand(1, 3, 16, 16))])
    assert vars(system)["_loss_network"].dtype == torch.bfloat16  # as the step itself
    assert set(system.state_dict()) == names
    assert not any(isinstance(module, VGG) for module in system.modules())


def test_enlarge_matches_histograms_where_asked():
    image = torch.rand(1, 3, 12, 16) * 0.5 + 0.2
    plain, matched = (tiny(match_histogram=match).eval() for match in (False, True))
    matched.load_state_dict(plain.state_dict())
    assert torch.equal(plain.enlarge(image, 4), plain(image).clamp(0, 1))
    result = matched.enlarge(image, 4)
    torch.testing.assert_close(result, match_histogram(plain(image), image))
    torch.testing.assert_close(result.mean((2, 3)), image.mean((2, 3)), rtol=0, atol=0.01)


def test_what_is_painted_beyond_white_is_cut():
    system = tiny(skip=True, match_histogram=False).eval()
    nn.init.constant_(system.tail.bias, 100.0)
    assert system.enlarge(torch.rand(1, 3, 4, 4), 4).max() == 1


def test_matching_is_that_of_sorted_pixels():
    """With as many pixels in both, the k-th smallest must become the k-th smallest."""
    image, like = torch.rand(2, 3, 5, 13, dtype=torch.float64), torch.rand(2, 3, 13, 5, dtype=torch.float64) ** 2
    matched = match_histogram(image, like)
    for one, result, other in zip(image.flatten(0, 1), matched.flatten(0, 1), like.flatten(0, 1), strict=True):
        expected = np.empty(65)
        expected[np.argsort(one.flatten().numpy())] = np.sort(other.flatten().numpy())
        np.testing.assert_allclose(result.flatten().numpy(), expected, atol=1e-9)


def test_equal_values_stay_equal_and_the_order_stays():
    image = torch.rand(1, 1, 40, 40).mul(10).round() / 10
    matched = match_histogram(image, torch.rand(1, 1, 20, 20))
    values, counts = image.unique(return_counts=True)
    results = [matched[image == value] for value in values]
    assert len(counts) == 11
    assert all((result == result[0]).all() for result in results)
    assert all(one[0] <= other[0] for one, other in pairwise(results))


def test_its_own_histogram_changes_nothing():
    image = torch.rand(1, 3, 50, 60)
    torch.testing.assert_close(match_histogram(image, image), image, rtol=0, atol=1e-6)


def test_one_pixel_and_one_colour_are_pictures_too():
    flat = torch.full((1, 3, 4, 4), 0.5)
    torch.testing.assert_close(match_histogram(flat, torch.full((1, 3, 1, 1), 0.25)), torch.full_like(flat, 0.25))


def test_strips_are_refused_where_histograms_are_matched():
    with pytest.raises(LimnerError, match="looks at a whole picture at once"):
        footprint_of(tiny(), 4)
    assert footprint_of(tiny(match_histogram=False), 4).halo > 0


def test_the_modern_network_is_slim():
    """Less than half the work of the paper's for each pixel, and no checkerboard."""
    modern, paper = (
        sum(p.numel() for p in PerceptualSuperResolution(config).parameters()) for config in (MODERN, FEATURE_2016)
    )
    assert modern < 0.6 * paper
    assert MODERN.upsampling == "resized"
