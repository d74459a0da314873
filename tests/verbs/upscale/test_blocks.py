"""How far a network looks, and how a picture is cut for it."""

import itertools

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from limner.errors import LimnerError
from limner.ops.resample import imresize
from limner.ports import PHOTO, Port
from limner.runtime.operators import Span
from limner.systems.feedforward.srresnet import SRResNet, SRResNetConfig
from limner.systems.feedforward.vdsr import VDSR, VDSR_FAST, VDSRConfig
from limner.verbs.upscale.blocks import (
    Blocks,
    Footprint,
    RowBytes,
    Side,
    choose_blocks,
    footprint_of,
    least_bytes,
    windows,
)


class Doubling(nn.Module):
    """Enlarges by two with a network that may be anything."""

    inputs, outputs = (PHOTO,), (Port("result", "photo", scale=2),)
    scales, needs_whole = (2,), False

    def __init__(self, body: nn.Module) -> None:
        super().__init__()
        self.body = body

    def forward(self, x: Tensor) -> Tensor:
        return F.pixel_shuffle(self.body(x), 2)

    def enlarge(self, image: Tensor, scale: int, run=None) -> Tensor:
        return (run or self)(image)


def bottleneck(depth: int) -> nn.Module:
    down = [nn.Conv2d(3, 3, 4, 2, 1) for _ in range(depth)]
    up = [nn.ConvTranspose2d(3, 3, 4, 2, 1) for _ in range(depth)]
    return Doubling(nn.Sequential(*down, *up, nn.Conv2d(3, 12, 1)))


@pytest.mark.parametrize(
    ("system", "scale", "halo", "phase"),
    [
        (VDSR(VDSRConfig(num_layers=3, channels=2)), 2, 8, 8),  # 3 pixels of the double, so 2, and 3 for bicubic
        (VDSR(VDSRConfig(num_layers=20, channels=2)), 2, 16, 8),  # 10 + 3
        (VDSR(VDSRConfig(num_layers=20, channels=2)), 4, 8, 8),  # 5 + 3
        (VDSR(VDSRConfig(num_layers=3, channels=2, fold=3)), 2, 24, 24),  # blocks of three: even starts, thirds of them
        (VDSR(VDSRConfig(num_layers=3, channels=2, fold=4)), 4, 8, 8),
        (SRResNet(SRResNetConfig(num_blocks=2, channels=2)), 4, 16, 8),
        (Doubling(nn.Conv2d(3, 12, 65, padding=32)), 2, 40, 8),  # 32 + 3
        (bottleneck(5), 2, 128, 32),  # 93 + 3, and parts that begin at multiples of 32
    ],
)
def test_halo_and_phase(system, scale, halo, phase):
    found = footprint_of(system, scale)
    assert (found.halo, found.phase) == (halo, phase)


@pytest.mark.parametrize("system", [VDSR(VDSRConfig(num_layers=6, channels=3, fold=2)), bottleneck(2), bottleneck(4)])
def test_nothing_beyond_the_halo_changes_a_block(system):
    scale, footprint = 2, footprint_of(system, 2)
    begin = -(-(footprint.halo + 1) // footprint.phase) * footprint.phase
    end = begin + footprint.phase
    side = begin + end

    def block(before: int, after: int) -> Tensor:
        """Where a picture has other rows up to `before` and from `after` on."""
        image = torch.linspace(0, 1, 3 * side * side).reshape(1, 3, side, side)
        image[:, :, :before] = image[:, :, after:] = 0.3
        with torch.no_grad():
            return system.eval().enlarge(image, scale, system)[:, :, scale * begin : scale * end]

    assert torch.equal(block(0, side), block(begin - footprint.halo, end + footprint.halo))
    assert not torch.equal(block(0, side), block(begin, end))


def test_bicubic_enlargement_looks_no_further_than_is_allowed_for():
    line = torch.zeros(1, 40, dtype=torch.float64)
    line[0, 20] = 1
    for scale in (2, 3, 4):
        seen = imresize(line, size=(1, 40 * scale))[0].nonzero().flatten() // scale
        assert seen.min() >= 20 - 3 and seen.max() <= 20 + 3


@pytest.mark.parametrize(
    "network",
    [
        nn.Sequential(nn.Conv2d(3, 12, 3, padding=1), nn.InstanceNorm2d(12)),
        nn.Sequential(nn.Conv2d(3, 12, 3, padding=1), nn.GroupNorm(2, 12)),
    ],
)
def test_statistics_of_whole_pictures_are_refused(network):
    with pytest.raises(LimnerError, match="Doubling looks at a whole picture at once") as caught:
        footprint_of(Doubling(network), 2)
    assert "\n" not in str(caught.value)


def test_a_network_may_look_very_far():
    network = nn.Conv2d(3, 12, 3, padding=10_000, dilation=10_000)
    assert footprint_of(Doubling(network), 2).halo == 10_008


@given(st.integers(1, 200), st.integers(1, 9), st.integers(0, 5), st.integers(0, 200))
def test_windows_cover_an_axis_once(length, step, halo, begin):
    step, halo, begin = 8 * step, 8 * halo, min(8 * begin, length)
    found = windows(length, step, halo, begin)
    assert [pixel for one in found for pixel in range(*one.core)] == list(range(begin, length))
    for core, window in found:
        assert window == Span(max(0, core.start - halo), min(length, core.stop + halo))
    whole = Side(length, 3 * length)
    for one in found:
        enlarged = [pixel for pixel in range(*one.window) for _ in range(3)]
        axis = whole.axis(one)
        within = slice(axis.start - 3 * axis.first, axis.stop - 3 * axis.first)
        assert enlarged[within] == [pixel for pixel in range(*one.core) for _ in range(3)]


@given(st.integers(1, 500), st.fractions(1, 16))
def test_edges_cut_the_result_once_and_are_found_again(before, factor):
    side = Side(before, max(before + 1, round(before * factor)))
    edges = [side.edge(position) for position in range(before + 1)]
    assert (edges[0], edges[-1]) == (0, side.after)
    assert all(one < other for one, other in itertools.pairwise(edges))
    assert [side.position(edge) for edge in edges] == list(range(before + 1))


FOOTPRINT = Footprint(halo=16, phase=8, bytes_per_pixel=1000)


@settings(max_examples=200)
@given(st.integers(1, 30_000), st.integers(1, 300_000), st.integers(0, 2 * 10**9))
def test_blocks_fit_in_memory_and_begin_at_the_phase(height, width, memory):
    cost = RowBytes(read=6 * width, made=12 * width)
    blocks = choose_blocks((height, width), cost, FOOTPRINT, memory)
    if blocks is None:
        assert memory < least_bytes(cost, FOOTPRINT)
        return
    assert blocks.rows % 8 == blocks.columns % 8 == 0
    strip = (blocks.rows + 32) * cost.read + blocks.rows * cost.made
    assert strip + (blocks.rows + 32) * (blocks.columns + 32) * 1000 <= memory


def test_the_least_memory_does():
    cost = RowBytes(read=6 * 5000, made=12 * 5000)
    least = least_bytes(cost, FOOTPRINT)
    assert choose_blocks((9000, 5000), cost, FOOTPRINT, least) == Blocks(8, 8)
    assert choose_blocks((9000, 5000), cost, FOOTPRINT, least - 2) is None


def test_blocks_are_about_equally_large():
    cost = RowBytes(read=6 * 1100, made=12 * 1100)
    assert choose_blocks((1030, 1100), cost, FOOTPRINT, 10**10) == Blocks(520, 552)


def test_little_memory_still_computes_little_twice():
    """A gigapixel panorama in half a gigabyte."""
    cost = RowBytes(read=6 * 100_000, made=12 * 100_000)
    rows, columns = choose_blocks((10_000, 100_000), cost, FOOTPRINT, 500_000_000)
    assert (rows + 32) * (columns + 32) < 1.25 * rows * columns


def test_the_published_and_the_fast_network():
    assert footprint_of(VDSR(), 2)[:2] == (16, 8)
    assert footprint_of(VDSR(VDSR_FAST), 2)[:2] == (24, 8)
