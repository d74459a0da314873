"""The sheet has the source and textures that differ."""

import torch

from limner.experiments.command import opened
from limner.experiments.options import PAINTING
from limner.experiments.texture_samples import sheet


def test_textures_of_other_seeds_are_others():
    source = opened(PAINTING, 64)
    panels = sheet(source, [3, 4], steps=2)
    assert [panel.label for panel in panels] == ["source", "from noise, seed 3", "from noise, seed 4"]
    assert all(panel.image.shape == source.shape for panel in panels)
    assert not torch.equal(panels[1].image, panels[2].image)
