import pytest
import torch

from limner.errors import LimnerError
from limner.runtime import runner as runner_module
from limner.runtime.device import bfloat16_pays, choose_device
from limner.runtime.runner import Runner
from limner.runtime.tiling import Grid
from limner.systems.feedforward.srresnet import SRResNet, SRResNetConfig
from limner.systems.feedforward.vdsr import VDSR, VDSRConfig


def small_vdsr() -> VDSR:
    return VDSR(VDSRConfig(num_layers=4, channels=8)).eval()


@pytest.mark.parametrize("precision", ["fast", "exact"])
def test_same_input_same_bits(precision):
    system = small_vdsr()
    runner = Runner(system, device="cpu", precision=precision)
    image = torch.rand(1, 1, 31, 45)
    first = runner(image)
    assert torch.equal(runner(image), first)
    assert torch.equal(Runner(system, device="cpu", precision=precision)(image), first)


@pytest.mark.parametrize("tile", [8, 13, 64])
def test_tiles_do_not_show(tile):
    system = SRResNet(SRResNetConfig(num_blocks=1, channels=8)).eval()
    image = torch.rand(1, 3, 30, 41)
    with torch.inference_mode():
        expected = system(image)
    result = Runner(system, device="cpu", precision="exact", tile=tile)(image)
    torch.testing.assert_close(result, expected, atol=1e-5, rtol=0)


def test_a_large_picture_is_tiled_unasked(monkeypatch):
    system, image, told = small_vdsr(), torch.rand(1, 1, 100, 100), []
    monkeypatch.setattr(runner_module, "_PART_BYTES", 200_000)
    runner = Runner(system, device="cpu", precision="exact")
    runner.on_tile = lambda *progress: told.append(progress)
    with torch.inference_mode():
        torch.testing.assert_close(runner(image), system(image), atol=1e-5, rtol=0)
    assert told == [(number, 4) for number in range(1, 5)]
    tiled = runner._for((1, 1, 100, 100))
    assert tiled.peak_bytes(runner.grid(tiled)) <= 200_000 < tiled.peak_bytes(Grid(1, 1))


def test_device_that_is_not_there_is_refused_in_one_line():
    with pytest.raises(LimnerError, match="device must be one that this machine has"):
        choose_device("tpu")


def test_cpu_is_always_there():
    assert choose_device("cpu") == torch.device("cpu")
    assert isinstance(bfloat16_pays(torch.device("cpu")), bool)
    assert not bfloat16_pays(torch.device("meta"))
