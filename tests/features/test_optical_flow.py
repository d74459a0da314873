"""Flow by OpenCV: shifts of a drawn picture, the ground truth of data sets, and what is said where it is missing."""

import sys

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image as PillowImage

from limner.errors import LimnerError
from limner.features.optical_flow import both_ways, optical_flow

pytest.importorskip("cv2")


def drawn(height=64, width=80):
    """Smooth noise at two scales, in colour."""
    coarse, fine = torch.rand(1, 3, 8, 10), torch.rand(1, 3, 24, 30)
    shares = [F.interpolate(noise, (height, width), mode="bicubic") for noise in (coarse, fine)]
    return (0.7 * shares[0] + 0.3 * shares[1]).clamp(0, 1)


@pytest.mark.parametrize("shift", [(0, 0), (3, 0), (-2, 4)])
def test_a_shift_is_found_both_ways(shift):
    picture, (u, v) = drawn(), shift
    first, second = picture[..., 8:56, 8:72], picture[..., 8 - v : 56 - v, 8 - u : 72 - u]
    forward, backward = both_ways(first, second)
    assert forward.shape == (1, 2, 48, 64)
    expected = torch.tensor([float(u), float(v)]).view(1, 2, 1, 1)
    assert (forward - expected)[..., 8:-8, 8:-8].abs().max() < 0.25
    assert (backward + expected)[..., 8:-8, 8:-8].abs().max() < 0.25
    assert torch.equal(optical_flow(first, second), forward)


def test_what_it_cannot_take_is_refused():
    with pytest.raises(LimnerError, match="of one size, 16 pixels a side or more, got 80x64 and 40x64: resize them"):
        optical_flow(drawn(), drawn(width=40))
    with pytest.raises(LimnerError, match="got 20x10 and 20x10"):
        optical_flow(drawn(10, 20), drawn(10, 20))


def test_without_opencv_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(LimnerError, match=r"needs the video extra: pip install '\.\[video\]' in the folder of Limner"):
        optical_flow(drawn(), drawn())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "names", "most"),
    [
        ("rubberwhale", ("rubberwhale1.png", "rubberwhale2.png"), 0.13),
        ("flyingchairs0", ("img0.png", "img1.png"), 1.9),
        ("flyingchairs1", ("img0.png", "img1.png"), 1.3),
    ],
)
def test_the_end_point_error_against_ground_truth(shared_data, name, names, most):
    folder = shared_data(f"video_flow/{name}")
    first, second = (
        torch.from_numpy(np.asarray(PillowImage.open(folder / one).convert("RGB")) / np.float32(255)).permute(2, 0, 1)
        for one in names
    )
    truth = np.load(folder / "flow_gt.npz")["flow"].astype(np.float32)
    found = optical_flow(first[None], second[None])[0].permute(1, 2, 0).numpy()
    known = (np.abs(truth) < 1e8).all(-1)
    error = np.sqrt(((found - truth) ** 2).sum(-1))[known]
    assert error.mean() < most
    assert np.median(error) < 0.1
