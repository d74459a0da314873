"""What the timings are of."""

import pytest
import torch
from benchmarks.runtime.architectures import UNet
from benchmarks.runtime.networks import NETWORKS, Network, gflop, settled
from torch import nn


def test_seven_networks_are_in_the_medians():
    chosen = {name for name, network in NETWORKS.items() if network.reference}
    assert chosen == {"johnson", "resnet9", "unet256", "vdsr", "srresnet", "unet", "adain"}


@pytest.mark.parametrize(
    ("layer", "shape", "multiply_adds"),
    [
        (nn.Conv2d(3, 8, 3, padding=1), (1, 3, 10, 20), 10 * 20 * 3 * 8 * 9),
        (nn.Conv2d(4, 8, 3, stride=2, padding=1, groups=4), (1, 4, 10, 20), 5 * 10 * 8 * 9),
        (nn.ConvTranspose2d(4, 2, 3, stride=2, padding=1, output_padding=1), (1, 4, 5, 6), 5 * 6 * 4 * 2 * 9),
        (nn.Sequential(nn.InstanceNorm2d(3), nn.ReLU()), (1, 3, 8, 8), 0),
    ],
)
def test_gflop_counts_convolutions(layer, shape, multiply_adds):
    assert gflop(layer, shape) == pytest.approx(2 * multiply_adds / 1e9)


def test_gflop_of_vdsr_is_its_weights_times_pixels():
    assert gflop(NETWORKS["vdsr"].build(), (1, 1, 512, 512)) == pytest.approx(2 * 664_704 * 512**2 / 1e9)


def test_settled_networks_are_sane_and_always_the_same():
    picture = Network("", nn.Identity).picture(64, 64)
    first, second = (settled(UNet(), 0.5, 0.25) for _ in range(2))
    assert not first.training
    with torch.no_grad():
        result = first(picture)
        assert torch.equal(result, second(picture))
    assert 0.1 < result.std() < 2
    photo = Network("", nn.Identity).picture(256, 256)
    with torch.no_grad():
        assert first(photo).mean() == pytest.approx(0.25, abs=0.05)


def test_pictures_have_the_sizes_and_ranges_that_the_networks_take():
    assert NETWORKS["unet256"].picture(200, 300).shape == (1, 3, 256, 512)
    assert NETWORKS["srresnet"].picture(64, 128).shape == (1, 3, 16, 32)
    luminance = NETWORKS["vdsr"].picture(33, 65)
    assert luminance.shape == (1, 1, 33, 65)
    assert 0 <= luminance.min() < luminance.max() <= 1
    assert NETWORKS["resnet9"].picture(32, 32).min() < -0.5
