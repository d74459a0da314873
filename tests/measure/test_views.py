from pathlib import Path

import pytest
import torch
from tests.kit_data import rendered
from torch import Tensor, nn

from limner.data.rendered import RenderedConfig, RenderedPictures
from limner.measure.views import view_figures, views_report


def test_figures_of_one_picture() -> None:
    """Off by a tenth within the object: 20 dB; of masks of 8 and 4 pixels that share 4, a half."""
    real, mask = torch.full((3, 4, 4), 0.5), torch.zeros(4, 4)
    mask[:2] = 1
    claimed = torch.zeros(4, 4)
    claimed[0] = 1
    made = torch.where(mask[None] > 0, 0.6, 0.0)
    assert view_figures(made, claimed, real, mask) == {
        "masked_psnr": pytest.approx(20, abs=1e-3), "iou": pytest.approx(0.5),
    }  # fmt: skip


class Perfect(nn.Module):
    """Knows all pictures by heart."""

    def __init__(self, pictures: RenderedPictures) -> None:
        super().__init__()
        self.pictures, self.weight = pictures, nn.Parameter(torch.zeros(1))

    def forward(self, style: Tensor, view: Tensor, transform: Tensor) -> Tensor:
        assert not transform.any()
        known = [self.pictures.draw(index, torch.Generator()) for index in range(len(self.pictures))]
        found = []
        for one, seen in zip(style, view, strict=True):
            same = next(it for it in known if torch.equal(it.style, one) and torch.equal(it.view, seen))
            found.append(torch.cat([same.picture, same.mask]))
        return torch.stack(found)


def test_the_nearest_view_stands_beside(tmp_path: Path) -> None:
    """The objects of the sample keep their form: of the nearest view, the mask is right, the colour is not."""
    place, config = rendered(tmp_path / "a"), RenderedConfig(side=16, held_out=0.5, transformed=1.0)
    seen, held_out = (config.model_copy(update={"part": part}).load(place) for part in ("training", "held out"))
    everything = RenderedConfig(side=16).load(place)
    ((case, figures),) = views_report(Perfect(everything), held_out, seen).metrics["held-out views"].items()
    assert case == "3 pictures of 2 objects"
    assert figures["masked_psnr"] == 100
    assert figures["iou"] == figures["nearest view_iou"] == 1
    assert 5 < figures["nearest view_masked_psnr"] < 20
