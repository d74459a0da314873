import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from limner.runtime.tiling import run_tiled, spans
from limner.systems.feedforward.srresnet import SRResNet, SRResNetConfig
from limner.systems.feedforward.vdsr import VDSR, VDSRConfig


@given(st.integers(1, 300), st.integers(1, 100), st.integers(0, 40), st.sampled_from([1, 2, 3, 4]))
def test_spans_cover_the_axis_once_with_halos_inside(length, tile, halo, stride):
    cuts = list(spans(length, tile, halo, stride))
    assert [position for cut in cuts for position in range(cut.start, cut.stop)] == list(range(length))
    for cut in cuts:
        assert cut.stop - cut.start <= max(tile, stride)
        assert cut.start % stride == 0
        assert cut.read_start % stride == 0
        assert cut.read_start == 0 or cut.start - cut.read_start >= halo
        assert cut.read_stop == length or cut.read_stop - cut.stop >= halo


@given(
    height=st.integers(9, 40),
    width=st.integers(9, 40),
    tile=st.integers(3, 24),
    layers=st.integers(2, 5),
    fold=st.sampled_from([1, 2, 3]),
)
def test_tiled_vdsr_equals_untiled(height, width, tile, layers, fold):
    system = VDSR(VDSRConfig(num_layers=layers, channels=4, fold=fold)).double()
    image = torch.rand(1, 1, height, width, dtype=torch.float64)
    with torch.inference_mode():
        whole = system(image)
        parts = run_tiled(system, image, scale=1, halo=system.halo, stride=system.stride, tile=tile)
    torch.testing.assert_close(parts, whole, atol=1e-12, rtol=0)


@given(
    height=st.integers(5, 24),
    width=st.integers(5, 24),
    tile=st.integers(2, 16),
    blocks=st.integers(0, 2),
    scale=st.sampled_from([2, 3, 4, 8]),
)
def test_tiled_srresnet_equals_untiled(height, width, tile, blocks, scale):
    system = SRResNet(SRResNetConfig(num_blocks=blocks, channels=4, scale=scale)).double().eval()
    image = torch.rand(1, 3, height, width, dtype=torch.float64)
    with torch.inference_mode():
        whole = system(image)
        parts = run_tiled(system, image, scale=scale, halo=system.halo, stride=1, tile=tile)
    torch.testing.assert_close(parts, whole, atol=1e-12, rtol=0)


@pytest.mark.parametrize(
    ("system", "scale"), [(VDSR(VDSRConfig(num_layers=3, channels=4)), 1), (SRResNet(SRResNetConfig(num_blocks=1)), 4)]
)
def test_the_declared_halo_is_no_larger_than_needed(system, scale):
    """A pixel `halo` away from the last one changes the result there; one that is a step further away does not."""
    system = system.eval()
    for module in system.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.constant_(module.weight, 1e-2)
    channels = 1 if isinstance(system, VDSR) else 3
    image = torch.rand(1, channels, 1, 4 * system.halo, dtype=torch.float32)
    at, beyond = image.clone(), image.clone()
    at[..., -system.halo - 1] += 1
    beyond[..., -system.halo - 2] += 1
    crop = slice((4 * system.halo - 1) * scale, None)
    with torch.inference_mode():
        reference = system(image)[..., crop]
        assert not torch.equal(system(at)[..., crop], reference) or scale > 1  # ceil() may add less than a pixel
        assert torch.equal(system(beyond)[..., crop], reference)


def test_progress_counts_tiles():
    told = []
    image = torch.zeros(1, 1, 10, 7)
    run_tiled(lambda x: x, image, scale=1, halo=0, stride=1, tile=5, on_tile=lambda *done: told.append(done))
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]
