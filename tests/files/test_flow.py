"""Middlebury's .flo files: what the format says is read, and what is damaged is refused in one line."""

import struct

import numpy as np
import pytest
import torch

from limner.errors import LimnerError
from limner.files.flow import read_flow, read_flow_size

cv2 = pytest.importorskip("cv2")

FLOW = torch.tensor([[[1.5, -2.0, 0.0], [3.0, 0.25, 100.0]], [[0.5, 7.0, -1.0], [0.0, -0.125, 2.0]]])[None]


def by_hand(flow):
    """The bytes that the format's own description asks for, one number at a time."""
    _, _, height, width = flow.shape
    pixels = [flow[0, channel, y, x].item() for y in range(height) for x in range(width) for channel in range(2)]
    return b"PIEH" + struct.pack("<ii", width, height) + b"".join(struct.pack("<f", value) for value in pixels)


def test_what_the_format_describes_and_opencv_writes_is_read(tmp_path):
    path = tmp_path / "a.flo"
    assert cv2.writeOpticalFlow(str(path), FLOW[0].permute(1, 2, 0).contiguous().numpy())
    assert path.read_bytes() == by_hand(FLOW)
    assert torch.equal(read_flow(path), FLOW)
    assert read_flow_size(path) == (3, 2)


def test_what_a_ground_truth_leaves_unknown_is_not_a_number(tmp_path):
    path, flow = tmp_path / "truth.flo", FLOW.clone()
    flow[0, :, 0, 1] = 1.666666752e9  # as the Middlebury files have it
    flow[0, 1, 1, 2] = 1e10
    path.write_bytes(by_hand(flow))
    read = read_flow(path)
    expected = torch.zeros(2, 3, dtype=torch.bool)
    expected[0, 1] = expected[1, 2] = True
    assert torch.equal(read.isnan().any(1)[0], expected)
    assert torch.equal(read.isnan().all(1)[0], expected)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda data: b"", "is no .flo file"),
        (lambda data: b"PNG " + data[4:], "is no .flo file, which begins with the number 202021.25"),
        (lambda data: data[:-4], "takes 60 bytes, got 56: it is cut short"),
        (lambda data: data + b"\0", "takes 60 bytes, got 61"),
        (
            lambda data: data[:4] + struct.pack("<ii", -3, 2) + data[12:],
            "its sides must be 1 to 99999 pixels, got -3x2",
        ),
        (lambda data: data[:4] + struct.pack("<ii", 3, 10**6) + data[12:], "got 3x1000000"),
    ],
)
def test_what_is_damaged_is_refused(tmp_path, damage, message):
    path = tmp_path / "bad.flo"
    path.write_bytes(damage(by_hand(FLOW)))
    with pytest.raises(LimnerError, match=message) as caught:
        read_flow(path)
    assert str(caught.value).startswith(f"{path}: ")


def test_what_is_not_there_is_refused(tmp_path):
    with pytest.raises(LimnerError, match="there is no such file"):
        read_flow(tmp_path / "none.flo")
    with pytest.raises(LimnerError, match="is a folder"):
        read_flow(tmp_path)


@pytest.mark.slow
def test_a_ground_truth_of_middlebury_survives_the_way_through_a_file(tmp_path, shared_data):
    flow = np.load(shared_data("video_flow/rubberwhale") / "flow_gt.npz")["flow"]
    path = tmp_path / "truth.flo"
    path.write_bytes(b"PIEH" + struct.pack("<ii", 584, 388) + flow.astype("<f4").tobytes())
    read = read_flow(path)
    assert read.shape == (1, 2, 388, 584)
    unknown = (np.abs(flow) > 1e9).any(-1)
    assert np.array_equal(read.isnan().any(1)[0].numpy(), unknown)
    assert np.array_equal(read[0].permute(1, 2, 0).numpy()[~unknown], flow[~unknown])
