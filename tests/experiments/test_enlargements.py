"""A row shows the same part of bicubic, of each model and of the original, with figures of the whole picture."""

from pathlib import Path

import torch

from limner.data.degrade import bicubic_enlarge, published_low_resolution
from limner.experiments.enlargements import row
from limner.experiments.options import PHOTO
from limner.files.image import read_image, to_tensor
from limner.metrics.quality import psnr


def test_a_row_is_of_one_part_and_tells_what_each_loses() -> None:
    photo = to_tensor(read_image(Path(PHOTO)))[..., 100:197, 100:196]
    panels = row(photo, ["perceptual-pixel"], scale=4, part=64)
    assert all(panel.image.shape == (1, 3, 64, 64) for panel in panels)
    assert [panel.label.partition(":")[0] for panel in panels] == ["bicubic", "perceptual-pixel", "the original"]
    whole = photo[..., :96, :]
    small = published_low_resolution((whole * 255).round().to(torch.uint8), 4).float() / 255
    stored = (bicubic_enlarge(small, 4).clamp(0, 1) * 255).round() / 255
    expected = psnr(stored[..., 4:-4, 4:-4], whole[..., 4:-4, 4:-4]).item()
    told = float(panels[0].label.split()[1])
    assert abs(told - expected) < 0.01
    places = [
        (top, left)
        for top in range(33)
        for left in range(33)
        if torch.equal(whole[..., top : top + 64, left : left + 64], panels[-1].image)
    ]
    assert len(places) == 1
    top, left = places[0]
    assert (panels[0].image - stored[..., top : top + 64, left : left + 64]).abs().max() < 1.01 / 255
