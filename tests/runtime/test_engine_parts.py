import pytest
import torch
from torch import nn

from limner.runtime.engine_parts import can_be_parted, fitting_grid, run_in_parts
from limner.runtime.plan import Grid
from limner.runtime.tiling import Tiled
from limner.systems.feedforward.srresnet import SRResNet, SRResNetConfig
from limner.systems.feedforward.vdsr import VDSR, VDSRConfig

NETWORKS = {
    "vdsr": (VDSR(VDSRConfig(num_layers=4, channels=4)), 1),
    "vdsr folded": (VDSR(VDSRConfig(num_layers=3, channels=4, fold=2)), 1),
    "srresnet x4": (SRResNet(SRResNetConfig(num_blocks=1, channels=4)), 3),
    "down and up": (
        nn.Sequential(
            nn.Conv2d(1, 2, 3, padding=1), nn.MaxPool2d(2), nn.Conv2d(2, 2, 3, padding=1), nn.MaxPool2d(2),
            nn.Conv2d(2, 2, 5, padding=2), nn.Upsample(scale_factor=4), nn.Conv2d(2, 1, 3, padding=1),
        ),
        1,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("grid", [Grid(1, 1), Grid(3, 1), Grid(5, 4)])
def test_parts_do_not_show(name, grid):
    network, channels = NETWORKS[name]
    network = network.eval()
    image = torch.rand(1, channels, 44, 52)
    sizes, told = [], []

    def engine(part):
        sizes.append(tuple(part.shape[-2:]))
        with torch.inference_mode():
            return network(part)

    tiled = Tiled(network, tuple(image.shape))
    assert can_be_parted(tiled)
    result = run_in_parts(engine, image, tiled=tiled, grid=grid, on_part=lambda *progress: told.append(progress))
    torch.testing.assert_close(result, engine(image), atol=1e-5, rtol=1e-5)
    number = grid.rows * grid.columns
    assert told == [(done, number) for done in range(1, number + 1)]
    assert number == 1 or min(height for height, _ in sizes) < 44


def test_what_needs_the_whole_picture_cannot_be_parted():
    whole = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.InstanceNorm2d(2))
    shrinking = nn.Conv2d(1, 2, 3)
    assert not can_be_parted(Tiled(whole, (1, 1, 20, 20)))
    assert not can_be_parted(Tiled(shrinking, (1, 1, 20, 20)))


def test_the_grid_has_as_few_rows_as_fit():
    network = nn.Sequential(nn.Conv2d(1, 64, 1), nn.Conv2d(64, 1, 1))
    tiled = Tiled(network, (1, 1, 256, 256))
    whole = 2 * 64 * 256 * 256 * 4  # bytes: two maps of 64 channels of float32
    assert fitting_grid(tiled, whole) == Grid(1, 1)
    assert fitting_grid(tiled, whole - 1) == Grid(2, 1)
    assert fitting_grid(tiled, whole // 4) == Grid(4, 1)
    assert fitting_grid(tiled, 1) == Grid(8, 1), "parts of 32 rows are the smallest"
