import pytest
import torch
from torch import nn

from limner.runtime.packed import PackedConvolution
from limner.runtime.phases import PhaseConvolution


@pytest.mark.parametrize(
    ("pad", "border"),
    [(nn.ZeroPad2d(1), "zeros"), (nn.ReplicationPad2d(1), "replicate"), (nn.ReflectionPad2d(1), "replicate")],
)
@pytest.mark.parametrize("activation", [None, nn.ReLU()])
def test_is_enlarging_padding_and_convolving(pad, border, activation):
    convolution = nn.Conv2d(5, 7, 3)
    expected = nn.Sequential(nn.Upsample(scale_factor=2), pad, convolution, activation or nn.Identity())
    image = torch.rand(2, 5, 9, 6)
    with torch.inference_mode():
        result = PhaseConvolution(convolution, border, activation, torch.float32)(image)
        torch.testing.assert_close(result, expected(image), atol=1e-5, rtol=1e-5)


def test_four_of_nine_multiplications_are_left():
    convolution = nn.Conv2d(16, 32, 3)
    left = PhaseConvolution(convolution, "zeros", None, torch.float32).operations
    assert left == pytest.approx(PackedConvolution(convolution, None, torch.float32).operations * 4 / 9)
