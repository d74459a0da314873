"""Wide convolutions by Fourier transforms against plain ones in float64."""

import subprocess
import sys

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from limner import processor
from limner.layers import nnpack
from limner.runtime.packed import PackedConvolution
from limner.runtime.run_options import RunOptions
from limner.runtime.runner import Runner

pytestmark = pytest.mark.skipif(not nnpack.works(), reason="NNPACK is not in this torch, or not for this CPU")


@pytest.fixture(autouse=True)
def as_many_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(nnpack.threads())
    torch.manual_seed(0)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("height", [9, 31, 70, 100])
@pytest.mark.parametrize(
    ("kernel", "padding"), [((9, 9), (0, 0)), ((9, 9), (4, 4)), ((7, 9), (3, 0)), ((9, 7), (2, 3))]
)
def test_a_wide_one_is_that_of_float64_in_all_strips(kernel, padding, height, layout):
    x = torch.randn(2, 16, height, 40).contiguous(memory_format=layout)
    weight, bias = torch.randn(3, 16, *kernel) / 30, torch.randn(3)
    found = nnpack.convolve(x, weight, bias, padding, torch.relu_, layout)
    expected = F.conv2d(x.double(), weight.double(), bias.double(), padding=padding).relu()
    torch.testing.assert_close(found.double(), expected, atol=1e-5, rtol=0)
    assert found.is_contiguous(memory_format=layout)


@pytest.mark.parametrize(
    ("here", "shape", "pays"),
    [
        ("AVX2", (32, 3, 9, 9), True), ("AMX", (64, 1, 7, 7), True), ("AVX-512 BF16", (16, 3, 7, 9), True),
        ("AVX2", (8, 3, 9, 9), False), ("AVX2", (32, 8, 9, 9), False), ("AVX2", (32, 3, 5, 9), False),
        ("AVX2", (32, 3, 8, 8), False), ("SSE4", (32, 3, 9, 9), False), ("other", (32, 3, 9, 9), False),
    ],
)  # fmt: skip
def test_it_pays_where_it_was_measured_to(here, shape, pays, monkeypatch):
    monkeypatch.setattr(processor, "processor_class", lambda: here)
    assert processor.fourier_pays(*shape) is pays


@pytest.fixture
def calls(monkeypatch):
    """How often NNPACK was asked."""
    found, convolve = list[int](), nnpack.convolve

    def counted(*args):
        found.append(1)
        return convolve(*args)

    monkeypatch.setattr(processor, "processor_class", lambda: "AVX2")
    monkeypatch.setattr(nnpack, "convolve", counted)
    return found


def packed(convolution, dtype=torch.float32):
    return PackedConvolution(convolution, None, dtype)


def test_a_prepared_convolution_to_a_picture_takes_it_with_its_own_threads_alone(calls):
    convolution, x = nn.Conv2d(32, 3, 9, padding=4), torch.rand(1, 32, 50, 44)
    prepared = packed(convolution)
    with torch.inference_mode():
        torch.testing.assert_close(prepared(x), convolution(x), atol=1e-5, rtol=0)
        assert len(calls) == 1
        torch.set_num_threads(nnpack.threads() + 1)
        torch.testing.assert_close(prepared(x), convolution(x), atol=1e-5, rtol=0)
    assert len(calls) == 1


@pytest.mark.parametrize(
    "other",
    [
        packed(nn.Conv2d(32, 3, 9, padding=4), torch.bfloat16), packed(nn.Conv2d(32, 3, 9, stride=2)),
        packed(nn.Conv2d(32, 3, 9, padding=6)), packed(nn.Conv2d(32, 32, 9)), packed(nn.Conv2d(32, 2, 9, groups=2)),
    ],
)  # fmt: skip
def test_all_others_stay_with_onednn(other, calls):
    assert not other.can_be_nnpack
    if other.dtype == torch.float32:  # by AVX2 oneDNN has no bfloat16
        with torch.inference_mode():
            other(torch.rand(1, 32, 50, 44))
    assert not calls


def test_tiles_take_it_too(calls):
    head = nn.Conv2d(3, 16, 3, padding=1)
    network = nn.Sequential(head, nn.ReLU(), nn.Conv2d(16, 3, 9, padding=4)).eval()
    picture = torch.rand(1, 3, 150, 140)
    parts = Runner(network, RunOptions(device="cpu", precision="exact", tile=64))(picture)
    assert len(calls) > 1
    with torch.inference_mode():
        torch.testing.assert_close(parts, network(picture), atol=1e-5, rtol=0)


ROOM = """
from pathlib import Path
import torch
from limner.layers import nnpack

def waiting():
    return len(list(Path("/proc/self/task").iterdir()))

torch.set_num_threads(3)
assert nnpack.works()
x, weight = torch.rand(1, 8, 64, 64), torch.rand(3, 8, 9, 9)
torch.rand(2**20).exp()
begun = waiting()
assert nnpack.end_openmp_threads()
assert waiting() == begun - 2
assert torch.get_num_threads() == 3
torch.rand(2**20).exp()
assert waiting() == begun
nnpack.convolve(x, weight, None, (4, 4))
assert waiting() == begun - 2, "none waits while it computes"
torch.set_num_threads(1)
assert not nnpack.end_openmp_threads(), "there are none"
"""


@pytest.mark.skipif(nnpack._pause() is None, reason="torch has another OpenMP than GNU's here")
def test_openmp_makes_room_and_keeps_its_settings():
    done = subprocess.run([sys.executable, "-c", ROOM], capture_output=True, text=True)  # no other threads come and go
    assert done.returncode == 0, done.stderr
