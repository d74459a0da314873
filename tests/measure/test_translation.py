import pytest
import torch
from torch import Tensor, nn

from limner.data.pairs import Pair
from limner.measure.translation import translation_report
from limner.ports import PHOTO


class Darker(nn.Module):
    inputs = outputs = (PHOTO,)

    def __init__(self) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(0.5))

    def forward(self, photo: Tensor) -> Tensor:
        return self.factor * photo


def test_figures_stand_beside_those_of_the_source() -> None:
    """From 0.8, half is 0.4, and 0.5 is wanted: an error of 0.1, which is 20 dB, beside 0.3."""
    pairs = [Pair(torch.full((3, 6, 6), 0.8), torch.full((3, 6, 6), 0.5))] * 2
    ((case, figures),) = translation_report(Darker(), pairs, side=4).metrics["held-out pairs"].items()
    assert case == "2 pairs at 4"
    assert figures == {
        "l1": pytest.approx(0.1), "psnr": pytest.approx(20.0),
        "source_l1": pytest.approx(0.3), "source_psnr": pytest.approx(10.458),
    }  # fmt: skip
