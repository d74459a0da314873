"""Convolutions by Winograd's way against plain ones in float64."""

import itertools

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from limner import processor
from limner.layers import nnpack, winograd
from limner.runtime.packed import PackedConvolution
from limner.runtime.prepare import prepare
from limner.runtime.run_options import RunOptions
from limner.runtime.runner import Runner

CPU = torch.device("cpu")
LAYOUTS = [torch.contiguous_format, torch.channels_last]
needs_nnpack = pytest.mark.skipif(not nnpack.works(), reason="NNPACK is not in this torch, or not for this CPU")


@pytest.fixture
def avx2(monkeypatch):
    """A processor that gains from it, with the threads that NNPACK was begun with."""
    monkeypatch.setattr(processor, "processor_class", lambda: "AVX2")
    before = torch.get_num_threads()
    torch.set_num_threads(nnpack.threads())
    yield
    torch.set_num_threads(before)


def drawn(channels: int, kernels: int, number: int, height: int, width: int):
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(number, channels, height, width, generator=generator)
    weight = torch.randn(kernels, channels, 3, 3, generator=generator) / (3 * channels**0.5)
    return x, weight, torch.randn(kernels, generator=generator)


@needs_nnpack
@pytest.mark.parametrize(("before", "after"), [*itertools.product(LAYOUTS, LAYOUTS)])
@pytest.mark.parametrize("padding", [(0, 0), (0, 1), (1, 0), (1, 1), (2, 2)])
@pytest.mark.parametrize("size", [(1, 17, 32), (2, 60, 40), (1, 64, 33), (1, 3, 50), (3, 13, 12)])
def test_every_strip_is_that_of_the_plain_convolution(size, padding, before, after, monkeypatch):
    monkeypatch.setattr(nnpack, "_STRIP", 8 * 40 * 18)  # 12 to 18 rows
    x, weight, bias = drawn(5, 8, *size)
    expected = F.conv2d(x.double(), weight.double(), bias.double(), padding=padding).relu()
    found = nnpack.convolve(x.contiguous(memory_format=before), weight, bias, padding, torch.relu_, after)
    assert found.is_contiguous(memory_format=after)
    assert float((found - expected).abs().max()) < 1e-4


@needs_nnpack
def test_rounding_errors_stay_as_small_as_they_were_measured():
    x, weight, bias = drawn(256, 64, 1, 48, 48)
    expected = F.conv2d(x.double(), weight.double(), bias.double(), padding=1)
    error = nnpack.convolve(x, weight, bias, (1, 1)) - expected
    assert float(error.abs().max()) < 1.5e-4  # of values of deviation 1
    assert float(error.norm() / expected.norm()) < 3e-5


def test_spans_cover_the_rows_once_and_end_where_tiles_do():
    for height, rows in itertools.product((1, 12, 13, 40, 97), (1, 12, 30, 1000)):
        spans = [*nnpack._spans(height, rows)]
        assert [row for span in spans for row in range(*span)] == [*range(height)]
        assert all((stop + 1) % 6 == 0 for _, stop in spans[:-1])


@pytest.mark.parametrize(
    ("here", "channels", "side", "pays"),
    [
        ("AVX2", 64, 64, True), ("AVX2", 48, 64, False), ("AVX2", 64, 16, False), ("AVX-512", 128, 64, False),
        ("AVX-512 BF16", 256, 64, True), ("AVX-512", 512, 32, False), ("SSE4", 512, 64, False),
        ("other", 512, 64, False),
    ],
)  # fmt: skip
def test_it_pays_where_it_was_measured_to(here, channels, side, pays, monkeypatch):
    monkeypatch.setattr(processor, "processor_class", lambda: here)
    assert processor.winograd_pays(channels, channels, side, side) is pays


@pytest.mark.parametrize("failing", ["absent", "refused", "wrong"])
def test_without_nnpack_the_plain_way_is_taken(failing, avx2, monkeypatch):
    nnpack.threads.cache_clear()

    def fail(*_: object, **__: object) -> torch.Tensor:
        raise RuntimeError("NNPACK SpatialConvolution_updateOutput failed")

    if failing == "absent":
        monkeypatch.delattr(torch, "_nnpack_spatial_convolution")
    else:
        wrong = torch.zeros(1, 3, 9, 13)
        monkeypatch.setattr(
            torch, "_nnpack_spatial_convolution", fail if failing == "refused" else lambda *_, **__: wrong
        )
    try:
        assert not winograd.fits(torch.zeros(64, 64, 3, 3), (1, 1), (1, 64, 64, 64))
        assert nnpack.threads() == 0
    finally:
        nnpack.threads.cache_clear()


def test_a_call_that_fails_is_a_plain_convolution(monkeypatch):
    def fail(*_: object, **__: object) -> torch.Tensor:
        raise RuntimeError("NNPACK SpatialConvolution_updateOutput failed")

    monkeypatch.setattr(torch, "_nnpack_spatial_convolution", fail)
    x, weight, bias = drawn(4, 5, 1, 20, 20)
    expected = F.conv2d(x, weight, bias, padding=1)
    torch.testing.assert_close(nnpack.convolve(x, weight, bias, (1, 1)), expected)


@needs_nnpack
def test_other_threads_than_nnpacks_own_take_the_plain_way(avx2):
    weight, shape = torch.zeros(64, 64, 3, 3), (1, 64, 64, 64)
    assert winograd.fits(weight, (1, 1), shape)
    torch.set_num_threads(nnpack.threads() + 1)
    assert not winograd.fits(weight, (1, 1), shape)


class Residual(nn.Module):
    """Blocks as style networks have them, after a convolution that enlarges."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Conv2d(3, 64, 3, padding=1)
        first, second = (nn.Conv2d(64, 64, 3, padding=1, padding_mode="reflect") for _ in range(2))
        self.body = nn.Sequential(first, nn.InstanceNorm2d(64), nn.ReLU(), second)
        self.tail = nn.Sequential(nn.Conv2d(64, 64, 3, padding=1), nn.LeakyReLU(0.2), nn.Conv2d(64, 3, 3, padding=1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.head(x)
        return self.tail(x + self.body(x))


@needs_nnpack
def test_a_prepared_network_takes_it_and_is_the_same_function(avx2, monkeypatch):
    torch.manual_seed(0)
    network, picture = Residual().eval(), torch.rand(2, 3, 48, 40)
    prepared = prepare(network, CPU, "exact")
    calls: list[torch.memory_format] = []
    plain = nnpack.convolve

    def noted(*args):
        calls.append(args[5])
        return plain(*args)

    monkeypatch.setattr(nnpack, "convolve", noted)
    with torch.inference_mode():
        torch.testing.assert_close(prepared(picture), network(picture), atol=1e-4, rtol=0)
    assert calls == [torch.contiguous_format, torch.contiguous_format, torch.channels_last]
    chosen = [one for one in prepared.modules() if isinstance(one, PackedConvolution)]
    assert [one.can_be_nnpack for one in chosen] == [False, True, True, True, False]


@needs_nnpack
def test_tiles_take_it_too(avx2):
    torch.manual_seed(0)
    network, picture = Residual().eval(), torch.rand(1, 3, 150, 140)
    whole = Runner(network, RunOptions(device="cpu", precision="exact"))(picture)
    parts = Runner(network, RunOptions(device="cpu", precision="exact", tile=64))(picture)
    with torch.inference_mode():
        torch.testing.assert_close(whole, network(picture), atol=1e-4, rtol=0)
    torch.testing.assert_close(parts, whole, atol=1e-4, rtol=0)


def test_small_pictures_and_bfloat16_stay_with_onednn(avx2):
    prepared = prepare(Residual().eval(), CPU, "exact")
    convolution = next(one for one in prepared.modules() if isinstance(one, PackedConvolution) and one.can_be_nnpack)
    assert not winograd.fits(convolution.weights.weight, (1, 1), (1, 64, 24, 24))
    assert not winograd.fits(torch.zeros(64, 64, 3, 3, dtype=torch.bfloat16), (1, 1), (1, 64, 64, 64))
    assert not winograd.fits(torch.zeros(64, 64, 5, 5), (1, 1), (1, 64, 64, 64))
