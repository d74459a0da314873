"""Shapes of all values of a network, without its values and without torch's compiler."""

import subprocess
import sys
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn

from limner.runtime.shapes import Shapes


class Resized(nn.Module):
    """Resizes twice: by a function, and by a module of the same settings."""

    def __init__(self, settings: dict[str, Any]) -> None:
        super().__init__()
        self.settings = settings
        self.upsample = nn.Upsample(**settings)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return F.interpolate(x, **self.settings), self.upsample(x)


@pytest.mark.parametrize(
    "settings",
    [
        {"scale_factor": 2},
        {"scale_factor": 2.0, "mode": "bicubic"},
        {"scale_factor": (1.7, 0.6), "mode": "bilinear", "align_corners": False},
        {"size": 9},
        {"size": (4, 21), "mode": "bicubic", "align_corners": True},
        {"scale_factor": 0.34, "mode": "area"},
    ],
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_resized_maps_have_the_shapes_that_torch_gives(settings: dict[str, Any], dtype: torch.dtype) -> None:
    traced = fx.symbolic_trace(Resized(settings))
    shapes = Shapes(traced)
    found = shapes.run(torch.empty(2, 3, 13, 17, dtype=dtype, device="meta"))
    expected = F.interpolate(torch.rand(2, 3, 13, 17), **settings)
    assert [(one.shape, one.dtype) for one in found] == [(expected.shape, dtype)] * 2


def test_reading_a_network_that_resizes_leaves_the_compiler_alone() -> None:
    """It takes torch a second and 70 MB to import."""
    code = """
import sys
from limner.runtime.run_options import RunOptions
from limner.runtime.runner import Runner
from limner.systems.feedforward.edsr import EDSR, LIGHT
Runner(EDSR(LIGHT), RunOptions(device="cpu", backend="torch")).plan((1, 3, 32, 32))
print(*({"torch._dynamo", "sympy"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
