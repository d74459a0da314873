"""The energies by slow formulas, the published settings, and restorations that must be better than what they are of."""

import math

import pytest
import torch

from limner.errors import LimnerError
from limner.layers.hourglass import Hourglass, HourglassConfig
from limner.loops.checkpoint import seed_everything
from limner.loops.optimize import OptimizeConfig, RunControl
from limner.loops.smoothing import StoppingConfig
from limner.metrics.quality import psnr
from limner.ops.resample import imresize
from limner.systems.optimize import deep_image_prior as dip

SMALL = HourglassConfig(
    in_channels=4,
    down_channels=(16, 16),
    up_channels=(16, 16),
    skip_channels=(4, 4),
    down_kernels=(3, 3),
    up_kernels=(3, 3),
)


def settings(steps, **options):
    return dip.DeepImagePriorConfig(
        network=options.pop("network", SMALL), optimize=OptimizeConfig(steps=steps, learning_rate=0.01), **options
    )


def smooth(side=24):
    """A picture of soft colours with one hard edge."""
    y, x = torch.meshgrid(torch.linspace(0, 1, side), torch.linspace(0, 1, side), indexing="ij")
    image = torch.stack([0.2 + 0.6 * x, 0.5 + 0.4 * (3 * y).sin(), 0.3 + 0.3 * x * y])[None]
    image[..., side // 4 : side // 2, side // 4 : -side // 4] = 0.9
    return image


def lanczos(x):
    """Two lobes."""
    if x == 0:
        return 1.0
    return 2 * math.sin(math.pi * x) * math.sin(math.pi * x / 2) / (math.pi * x) ** 2 if abs(x) < 2 else 0.0


@pytest.mark.parametrize("factor", [2, 4, 8])
def test_shrinking_is_the_lanczos_filter_pixel_by_pixel(factor):
    image = torch.rand(1, 2, 3 * factor, 4 * factor, dtype=torch.float64)
    found = dip.shrink(image, (3, 4))
    taps = [(k + 0.5) / factor for k in range(-2 * factor, 2 * factor)]  # distances from the centre of an output pixel
    weights = [lanczos(t) for t in taps]
    for channel in range(2):
        for i in range(3):
            for j in range(4):
                total = 0.0
                for a, across in enumerate(weights):
                    for b, along in enumerate(weights):
                        row = min(max(i * factor + factor // 2 - 2 * factor + a, 0), 3 * factor - 1)
                        column = min(max(j * factor + factor // 2 - 2 * factor + b, 0), 4 * factor - 1)
                        total += across * along * image[0, channel, row, column].item()
                assert found[0, channel, i, j].item() == pytest.approx(total / sum(weights) ** 2, abs=1e-12)


def test_energies_by_hand():
    image, observed = torch.rand(1, 3, 4, 6), torch.rand(1, 3, 4, 6)
    known = (torch.rand(1, 1, 4, 6) > 0.5).float()
    squares = [
        (image[0, c, i, j] - observed[0, c, i, j]).item() ** 2 * (1 if part is None else part[0, 0, i, j].item())
        for part in (None, known)
        for c in range(3)
        for i in range(4)
        for j in range(6)
    ]
    assert dip.denoising(observed, 2.0)(image)["denoising"].item() == pytest.approx(2 * sum(squares[:72]) / 72)
    assert dip.inpainting(observed, known)(image)["inpainting"].item() == pytest.approx(sum(squares[72:]) / 72)
    small = dip.shrink(observed, (2, 3))
    assert dip.super_resolution(small)(observed)["super_resolution"].item() == pytest.approx(0, abs=1e-12)
    moved = dip.super_resolution(small)(observed + 0.1)["super_resolution"]
    assert moved.item() == pytest.approx(0.01, rel=1e-4)  # d keeps what is constant


def test_what_is_missing_does_not_count():
    image, known = torch.rand(1, 3, 8, 8), torch.zeros(1, 1, 8, 8)
    known[..., :5] = 1
    other = torch.where(known > 0, image, torch.rand(1, 3, 8, 8))
    assert dip.inpainting(image, known)(other)["inpainting"].item() == 0
    assert dip.inpainting(image, 1 - known)(other)["inpainting"].item() > 0


@pytest.mark.parametrize(
    ("config", "steps", "noise", "weights"),
    [
        (dip.DENOISE_2018, 1800, 1 / 30, 2_217_831),
        (dip.DENOISE_RELEASED_CODE, 3000, 1 / 30, 2_217_831),
        (dip.UPSCALE_X4, 2000, 0.03, 2_217_831),
        (dip.UPSCALE_X8, 4000, 0.05, 2_217_831),
        (dip.INPAINT_TEXT, 6001, 0.03, 3_002_627),
        (dip.INPAINT_HOLE, 5001, 0.03, 2_157_955),
        (dip.INPAINT_HALF, 11000, 0.03, 2_217_831),
    ],
)
def test_the_published_settings(config, steps, noise, weights):
    assert (config.optimize.steps, config.noise) == (steps, noise)
    assert config.optimize.learning_rate == (0.001 if config is dip.INPAINT_HALF else 0.01)
    network = dip.painter((33, 33), config).prior.network
    assert sum(weight.numel() for weight in network.parameters()) == weights


def test_z_is_noise_or_the_places_of_the_pixels():
    noise = dip.painter((40, 50), settings(1)).prior.z
    assert noise.shape == (1, 4, 40, 50)
    assert 0 <= noise.min() < 0.001
    assert 0.099 < noise.max() <= 0.1
    config = settings(1, network=SMALL.model_copy(update={"in_channels": 2}), input="grid")
    grid = dip.painter((20, 31), config).prior.z
    assert grid[0, :, 0, 0].tolist() == [0, 0]
    assert grid[0, :, 19, 15].tolist() == pytest.approx([0.5, 1])
    assert grid[0, :, 0, 30].tolist() == [1, 0]


def test_noise_is_taken_away():
    image = smooth()
    noisy = (image + 0.1 * torch.randn_like(image)).clamp(0, 1)
    found = dip.restore(dip.denoising(noisy), (24, 24), settings(120))
    assert psnr(found.image, image) > psnr(noisy, image) + 3
    assert (found.step, found.reason) == (120, "all steps")


def test_what_is_missing_is_filled_in():
    image, known = smooth(), (torch.rand(1, 1, 24, 24) > 0.5).float()
    found = dip.restore(dip.inpainting(image * known, known), (24, 24), settings(120)).image
    missing = (1 - known).expand_as(image) > 0
    assert (found - image)[missing].abs().mean() < 0.05
    assert image[missing].abs().mean() > 0.3


def test_a_picture_is_enlarged():
    image = smooth(24)
    small = dip.shrink(image, (12, 12))
    found = dip.restore(dip.super_resolution(small), (24, 24), settings(120)).image
    assert psnr(dip.shrink(found, (12, 12)), small) > 25
    assert psnr(found, image) > 20


def test_the_same_seed_gives_the_same_picture_and_another_one_another():
    energy = dip.denoising(smooth())
    config = settings(5)
    other = config.model_copy(update={"optimize": OptimizeConfig(steps=5, learning_rate=0.01, seed=1)})
    first, again, third = (dip.restore(energy, (24, 24), c).image for c in (config, config, other))
    assert torch.equal(first, again)
    assert not torch.equal(first, third)
    both = dip.restore(energy, (24, 24), config.model_copy(update={"runs": 2})).image
    torch.testing.assert_close(both, (first + third) / 2)


def test_a_run_stops_by_itself_and_a_stopped_one_goes_on(tmp_path):
    energy, state = dip.denoising(smooth()), tmp_path / "state"
    stopping = settings(400, stopping=StoppingConfig(window=5, patience=8))
    settled = dip.restore(energy, (24, 24), stopping, control=RunControl(state=state))
    assert settled.reason == "no gain"
    assert 13 <= settled.step < 400
    assert not state.exists()
    whole = dip.restore(energy, (24, 24), settings(12))
    first = dip.restore(
        energy, (24, 24), settings(12), control=RunControl(state=state, watch=lambda progress: progress.step == 7)
    )
    assert (first.step, first.reason) == (7, "stopped")
    assert torch.equal(
        dip.restore(energy, (24, 24), settings(12), control=RunControl(state=state, resume=True)).image, whole.image
    )
    with pytest.raises(LimnerError, match="a state is kept of a single run, got runs=2"):
        dip.restore(energy, (24, 24), settings(12, runs=2), control=RunControl(state=state))


@pytest.mark.parametrize("size", [(16, 16), (5, 40), (37, 45)])
def test_small_and_odd_sizes(size):
    found = dip.restore(dip.denoising(torch.full((1, 3, *size), 0.5)), size, settings(3, network=HourglassConfig()))
    assert found.image.shape == (1, 3, *size)


def test_too_small_a_picture_is_refused():
    with pytest.raises(LimnerError, match="must have 3 pixels a side or more, got 40x2"):
        dip.painter((2, 40), settings(1))


def test_samples_of_the_prior_are_smoother_without_connections():
    def roughness(skips):
        network = SMALL.model_copy(update={"skip_channels": (skips,) * 2})
        image = dip.sample((64, 64), settings(1, network=network))
        image = (image - image.mean()) / image.std()
        return (image[..., 1:] - image[..., :-1]).square().mean()

    assert roughness(0) < 0.5 * roughness(16)


def test_back_projection_brings_an_enlargement_nearer_to_its_source_and_to_the_truth():
    truth = torch.nn.functional.avg_pool2d(torch.rand(1, 3, 68, 68), 5, 1)
    observed = dip.shrink(truth, (16, 16))
    blurred = imresize(observed, 4).clamp(0, 1) * 0.9 + 0.05
    apart = [
        (dip.shrink(one, (16, 16)) - observed).abs().mean()
        for one in (blurred, dip.back_projected(blurred, observed, 2))
    ]
    assert apart[1] < 0.2 * apart[0]
    errors = [(one - truth).square().mean() for one in (blurred, dip.back_projected(blurred, observed, 2))]
    assert errors[1] < errors[0]
    assert torch.equal(dip.back_projected(blurred, observed, 0), blurred)


def test_an_enlargement_is_bicubic_where_that_is_right_and_the_networks_where_it_is_not():
    truth = torch.linspace(0.2, 0.8, 128).expand(1, 3, 128, 128).clone()
    truth[:, :, 64:] = (torch.arange(64)[:, None] % 16 < 8).float() * 0.8  # edges, which bicubic blurs
    observed = dip.shrink(truth, (32, 32))
    painted = truth + 0.03 * torch.randn(truth.shape, generator=torch.Generator().manual_seed(0))
    config = settings(1, bicubic_within=0.01)
    found = dip.enlargement(painted, observed, config)
    smooth, edged = (..., slice(8, 48), slice(8, 120)), (..., slice(80, 112), slice(8, 120))

    def error(image, place):
        return float((image - truth)[place].square().mean().sqrt())

    assert error(found, smooth) < 0.1 * error(painted, smooth)
    assert error(found, edged) < 1.05 * error(painted, edged) < 0.5 * error(imresize(observed, 4), edged)
    assert torch.equal(dip.enlargement(painted, observed, settings(1)), painted)


def test_a_seed_gives_the_weights_first_and_then_z():
    """Pictures of a seed stay what they were: the order of the draws is part of what a seed means."""
    seed_everything(0)
    weights = Hourglass(dip.DENOISE.network).state_dict()
    z = torch.rand(1, 32, 96, 128) * 0.1
    prior = dip.painter((96, 128), dip.DENOISE).prior
    assert all(torch.equal(tensor, weights[name]) for name, tensor in prior.network.state_dict().items())
    torch.testing.assert_close(prior.z, z, atol=0, rtol=0)
