"""The sheet shows the photo, then each style in the order in which they were asked for."""

import torch

import limner
from limner.experiments.one_pass import sheet


def test_each_style_has_its_panel() -> None:
    photo = torch.rand(1, 3, 48, 64, generator=torch.Generator().manual_seed(0))
    panels = sheet(photo, ["woodcut", "great-wave"])
    assert [panel.label for panel in panels] == ["the photo", "woodcut", "great-wave"]
    painted = limner.stylize(photo, "great-wave")
    torch.testing.assert_close(panels[2].image, painted, rtol=0, atol=1e-6)
