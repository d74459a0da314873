import pytest
import torch
from torch import nn

from limner.runtime.captured import Captured

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


def test_a_recording_gives_what_the_function_gives():
    network = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 3, 3)).cuda()
    captured = Captured(network)
    with torch.inference_mode():
        for side in (16, 24, 16):
            image = torch.rand(1, 3, side, side, device="cuda")
            torch.testing.assert_close(captured(image), network(image))


def test_results_are_not_overwritten_by_the_next_call():
    captured = Captured(lambda x: x + 1)
    first = captured(torch.zeros(1, 1, 4, 4, device="cuda"))
    captured(torch.ones(1, 1, 4, 4, device="cuda"))
    assert (first == 1).all()


def test_old_sizes_are_forgotten():
    captured = Captured(lambda x: x * 2)
    for side in range(4, 12):
        captured(torch.ones(1, 1, side, side, device="cuda"))
    assert len(captured._recordings) == 4
