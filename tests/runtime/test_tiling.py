"""Run in parts equals run whole, for small networks of every supported operator, at odd sizes."""

import tempfile

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from limner.errors import LimnerError
from limner.runtime import passes, storage
from limner.runtime.operators import Axis, Span
from limner.runtime.plan import Grid, Plan
from limner.runtime.tiling import Tiled, reach
from limner.systems.feedforward.srresnet import SRResNet, SRResNetConfig
from limner.systems.feedforward.vdsr import VDSR, VDSRConfig

GRIDS = st.builds(Grid, st.integers(1, 4), st.integers(1, 4))
KEPT = st.tuples(
    st.frozensets(st.integers(0, 6)).map(tuple),
    st.sampled_from(["memory", "disk"]),
    st.sampled_from([0, 20_000, 10**6]),
)
"""The passes that keep their feature maps, where, and the bytes of them that stay in memory all the same."""
SIDES = st.integers(9, 33)


def largest_difference(network: nn.Module, image: Tensor, grid: Grid, kept=((), "memory")) -> float:
    """The largest difference of the network in parts and whole, over the largest value."""
    network = network.double().eval()
    with torch.inference_mode():
        whole = network(image)
        parts = Tiled(network, tuple(image.shape))(image, plan=Plan(grid, *kept))
    assert parts.shape == whole.shape
    return ((parts - whole).abs().max() / whole.abs().max().clamp(min=1e-3)).item()


def noise(*shape: int) -> Tensor:
    return torch.rand(*shape, dtype=torch.float64) - 0.5


@st.composite
def windows(draw) -> tuple[int, int, int, int]:
    kernel, stride, dilation = draw(st.integers(1, 5)), draw(st.integers(1, 3)), draw(st.integers(1, 2))
    padding = draw(st.integers(0, min(4, (kernel - 1) * dilation)))
    return kernel, stride, padding, dilation


@given(windows(), st.sampled_from(["zeros", "reflect", "replicate"]), SIDES, SIDES, GRIDS)
def test_convolution(window, mode, height, width, grid):
    kernel, stride, padding, dilation = window
    convolution = nn.Conv2d(2, 3, kernel, stride, padding, dilation, padding_mode=mode)
    assert largest_difference(convolution, noise(1, 2, height, width), grid) < 1e-12


@given(st.integers(1, 5), st.integers(1, 3), st.integers(0, 2), st.integers(0, 2), SIDES, SIDES, GRIDS)
def test_transposed_convolution(kernel, stride, padding, extra, height, width, grid):
    padding, extra = min(padding, kernel - 1), min(extra, stride - 1)
    convolution = nn.ConvTranspose2d(2, 3, kernel, stride, padding, extra)
    assert largest_difference(convolution, noise(1, 2, height, width), grid) < 1e-12


@given(st.integers(1, 4), st.integers(1, 3), st.integers(0, 1), st.booleans(), st.booleans(), SIDES, SIDES, GRIDS)
def test_pooling(kernel, stride, padding, largest, ceil, height, width, grid):
    padding, kind = min(padding, kernel // 2), nn.MaxPool2d if largest else nn.AvgPool2d
    pool = kind(kernel, stride, padding, ceil_mode=ceil)
    assert largest_difference(pool, noise(1, 2, height, width), grid) < 1e-12


@given(
    st.sampled_from([nn.ReflectionPad2d, nn.ReplicationPad2d, nn.ZeroPad2d]),
    st.tuples(*[st.integers(0, 6)] * 4),
    SIDES,
    SIDES,
    GRIDS,
)
def test_padding(kind, pads, height, width, grid):
    network = nn.Sequential(kind(pads), nn.Conv2d(1, 2, 3))
    assert largest_difference(network, noise(1, 1, height, width), grid) < 1e-12


@given(st.integers(2, 4), st.sampled_from(["nearest", "bilinear", "bicubic"]), SIDES, SIDES, GRIDS)
def test_enlarging(factor, mode, height, width, grid):
    network = nn.Sequential(nn.Upsample(scale_factor=factor, mode=mode), nn.Conv2d(1, 2, 3, padding=1))
    assert largest_difference(network, noise(1, 1, height, width), grid) < 1e-12


@given(st.integers(2, 4), st.integers(2, 6), st.integers(2, 6), GRIDS)
def test_pixel_shuffles(factor, rows, columns, grid):
    network = nn.Sequential(
        nn.PixelUnshuffle(factor), nn.Conv2d(factor**2, factor**2, 3, padding=1), nn.PixelShuffle(factor)
    )
    assert largest_difference(network, noise(1, 1, rows * factor, columns * factor), grid) < 1e-12


NORMS = {
    "instance": lambda: nn.InstanceNorm2d(4),
    "instance, affine": lambda: nn.InstanceNorm2d(4, affine=True),
    "instance, running": lambda: nn.InstanceNorm2d(4, track_running_stats=True),
    "group": lambda: nn.GroupNorm(2, 4),
    "layer over space": lambda: nn.GroupNorm(1, 4),
    "batch": lambda: nn.BatchNorm2d(4),
    "batch, of this batch": lambda: nn.BatchNorm2d(4, track_running_stats=False),
}


def shaken(network: nn.Module) -> nn.Module:
    for parameter in network.parameters():
        nn.init.uniform_(parameter, -1, 1)
    return network


@pytest.mark.parametrize("norm", NORMS)
@settings(max_examples=15)
@given(SIDES, SIDES, GRIDS, KEPT)
def test_norms_over_the_whole_picture(norm, height, width, grid, kept):
    network = shaken(
        nn.Sequential(
            nn.Conv2d(1, 4, 3, stride=2, padding=1), NORMS[norm](), nn.ReLU(inplace=True),
            nn.Conv2d(4, 4, 3, padding=1), NORMS[norm](), nn.Conv2d(4, 1, 1),
        )
    )  # fmt: skip
    assert largest_difference(network, noise(2, 1, height, width), grid, kept) < 1e-11


class ResNet(nn.Module):
    """The shape of fast style transfer: reflection, strides, residual blocks with instance norm, resize-convolution."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Sequential(
            nn.ReflectionPad2d(4), nn.Conv2d(3, 4, 9), nn.InstanceNorm2d(4, affine=True), nn.ReLU()
        )
        self.down = nn.Sequential(nn.Conv2d(4, 8, 3, 2, 1, padding_mode="reflect"), nn.InstanceNorm2d(8), nn.ReLU())
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(8, 8, 3, 1, 1), nn.InstanceNorm2d(8), nn.ReLU(),
                nn.Conv2d(8, 8, 3, 1, 1), nn.InstanceNorm2d(8),
            )
            for _ in range(2)
        )  # fmt: skip
        self.up = nn.Conv2d(8, 4, 3, 1, 1)
        self.tail = nn.Conv2d(4, 3, 9, padding=4)

    def forward(self, x: Tensor) -> Tensor:
        x = self.down(self.head(x))
        for block in self.blocks:
            x = x + block(x)
        x = F.interpolate(x, scale_factor=2, mode="nearest")
        return torch.tanh(self.tail(F.relu(self.up(x))))


class UNet(nn.Module):
    """Strided down, transposed up, skips that see an activation made in place, an attention by global pooling."""

    def __init__(self) -> None:
        super().__init__()
        self.down = nn.ModuleList([nn.Conv2d(1, 4, 4, 2, 1), nn.Conv2d(4, 8, 4, 2, 1)])
        self.up = nn.ModuleList([nn.ConvTranspose2d(8, 4, 4, 2, 1), nn.ConvTranspose2d(8, 1, 4, 2, 1)])
        self.gate = nn.Linear(8, 8)
        self.leak = nn.LeakyReLU(0.2, inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        outer = self.down[0](x)
        inner = self.down[1](self.leak(outer))
        gate = self.gate(inner.mean(dim=(2, 3))).sigmoid()
        inner = inner * gate[:, :, None, None]
        return self.up[1](torch.cat([self.up[0](inner), outer], 1))


class AdaptiveInstanceNorm(nn.Module):
    """Mean and deviation by hand, and a style that is no picture."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder, self.decoder = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 3, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        features = self.encoder(x)
        mean = features.mean(dim=(2, 3), keepdim=True)
        deviation = features.std(dim=(2, 3), keepdim=True)
        x = (features - mean) / deviation * 0.3 + 0.1
        return self.decoder(x)[..., 1:-2, 2:]


@pytest.mark.parametrize("kind", [ResNet, UNet, AdaptiveInstanceNorm])
@settings(max_examples=12)
@given(st.integers(3, 8), st.integers(3, 8), GRIDS, KEPT)
def test_networks_of_the_field(kind, rows, columns, grid, kept):
    network = kind()
    channels = 1 if kind is UNet else 3
    assert largest_difference(network, noise(1, channels, rows * 4, columns * 4), grid, kept) < 1e-11


@given(SIDES, SIDES, GRIDS, st.integers(2, 4), st.sampled_from([1, 2, 3]))
def test_vdsr(height, width, grid, layers, fold):
    system = VDSR(VDSRConfig(num_layers=layers, channels=4, fold=fold))
    assert largest_difference(system, noise(1, 1, height, width), grid) < 1e-12


@settings(max_examples=15)
@given(st.integers(5, 20), st.integers(5, 20), GRIDS, st.integers(0, 2), st.sampled_from([2, 3, 4, 8]))
def test_srresnet(height, width, grid, blocks, scale):
    system = SRResNet(SRResNetConfig(num_blocks=blocks, channels=4, scale=scale))
    assert largest_difference(system, noise(1, 3, height, width), grid) < 1e-12


class Attention(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.softmax(x, dim=-1)


class Undecided(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x if x.mean() > 0 else -x


@pytest.mark.parametrize(
    ("network", "says"),
    [
        (Attention(), "softmax.*cannot be run in tiles exactly"),
        (Undecided(), "Undecided cannot be run in tiles"),
        (nn.Conv2d(1, 1, 3, padding=1, padding_mode="circular"), "circular"),
        (nn.Upsample(scale_factor=2, mode="bicubic", align_corners=True), "bicubic, align_corners=True"),
        (nn.Upsample(scale_factor=1.5), "only whole factors"),
    ],
)
def test_what_cannot_be_tiled_exactly_is_refused_by_name(network, says):
    with pytest.raises(LimnerError, match=says):
        Tiled(network, (1, 1, 10, 10))


def test_a_picture_of_another_size_is_refused():
    with pytest.raises(LimnerError, match="prepare it anew"):
        Tiled(nn.Conv2d(1, 1, 3), (1, 1, 10, 10))(torch.rand(1, 1, 9, 9), plan=Plan(Grid(1, 1)))


def test_one_statistics_pass_for_each_norm_in_a_chain_and_one_for_norms_side_by_side():
    assert len(Tiled(ResNet(), (1, 3, 16, 16)).passes) == 6
    assert len(Tiled(AdaptiveInstanceNorm(), (1, 3, 16, 16)).passes) == 1


def test_parts_are_told_and_cover_the_result_once():
    told: list[tuple[int, int]] = []
    tiled = Tiled(nn.Conv2d(1, 1, 3, padding=1), (1, 1, 10, 7))
    cover = torch.zeros(10, 7)
    for (rows, columns), part in tiled.parts(
        torch.rand(1, 1, 10, 7), plan=Plan(Grid(3, 2)), on_part=lambda *t: told.append(t)
    ):
        cover[rows.start : rows.stop, columns.start : columns.stop] += 1
        assert part.shape == (1, 1, rows.length, columns.length)
    assert (cover == 1).all()
    assert told == [(number, 6) for number in range(1, 7)]


def test_a_convolution_needs_its_window():
    """Kernel 3, stride 2, padding 1: outputs 2 to 4 look at inputs 3 to 9, and parts begin at multiples of 2."""
    assert Axis(down=2, low=-1, high=1).needs(Span(2, 5), 100) == Span(2, 10)


@pytest.mark.parametrize("scale", [1, 2])
def test_reach_of_a_stack_of_convolutions(scale):
    """Two 3x3 and one 5x5 with stride 2 after the first look at 1 + 2 + 2 * 1 pixels on each side."""
    network = nn.Sequential(nn.Conv2d(1, 1, 3, padding=1), nn.Conv2d(1, 1, 5, scale, 2), nn.Conv2d(1, 1, 3, padding=1))
    assert reach(network, 1) == 1 + 2 + scale


def test_a_statistic_has_no_reach():
    with pytest.raises(LimnerError, match="whole picture"):
        reach(nn.Sequential(nn.Conv2d(1, 2, 3), nn.InstanceNorm2d(2)), 1)


def test_files_of_kept_feature_maps_are_used_again_and_memory_takes_what_has_room(monkeypatch):
    files, in_memory = [], []

    def file():
        files.append(real())
        return files[-1]

    class Counted(storage.MemoryStore):
        def __init__(self, shape, dtype):
            in_memory.append(shape)
            super().__init__(shape, dtype)

    real = tempfile.TemporaryFile
    monkeypatch.setattr(tempfile, "TemporaryFile", file)
    monkeypatch.setattr(passes, "MemoryStore", Counted)
    layers = [module for _ in range(6) for module in (nn.Conv2d(3, 3, 3, padding=1), nn.InstanceNorm2d(3))]
    network = nn.Sequential(*layers)
    one_map = 3 * 24 * 20 * 8
    assert largest_difference(network, noise(1, 3, 24, 20), Grid(4, 1), (tuple(range(6)), "disk", 0)) < 1e-12
    assert (len(files), len(in_memory)) == (2, 0)  # one is read while the other is written
    assert largest_difference(network, noise(1, 3, 24, 20), Grid(4, 1), (tuple(range(6)), "disk", one_map)) < 1e-12
    assert (len(files), len(in_memory)) == (2 + 1, 3)
