"""The sheet has a row for each prior."""

import torch

from limner.experiments.natural_preimages import sheet


def test_each_row_is_of_one_prior():
    photo = torch.rand(1, 3, 24, 24)
    panels = sheet(photo, ["relu1_1"], steps=1)
    assert [panel.label for panel in panels] == [
        "photo",
        "relu1_1, total variation",
        "photo",
        "relu1_1, deep image prior",
    ]
    assert all(panel.image.shape == photo.shape for panel in panels)
