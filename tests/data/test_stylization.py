import numpy as np
import pytest
import torch
from PIL import Image as PillowImage

from limner.data.stylization import StylizationConfig
from limner.errors import LimnerError


@pytest.fixture
def pictures(tmp_path):
    (tmp_path / "photos").mkdir()
    gradient = np.linspace(0, 255, 90).astype(np.uint8)
    photo = np.stack([np.tile(gradient, (60, 1))] * 3, -1)
    PillowImage.fromarray(photo).save(tmp_path / "photos" / "a.png")
    for name, sides in (("wide", (20, 50)), ("square", (30, 30))):
        style = np.zeros((*sides, 3), np.uint8)
        style[:, : sides[1] // 2, 0] = 255  # red on the left, black on the right
        PillowImage.fromarray(style).save(tmp_path / f"{name}.png")
    return tmp_path


def loaded(pictures, **values):
    styles = (pictures / "wide.png", pictures / "square.png")
    return StylizationConfig(styles=styles, patch=32, style_size=20, **values).load(pictures / "photos")


def test_a_draw_has_the_size_that_was_asked_for_and_the_crops_of_its_style(pictures):
    samples = loaded(pictures)
    assert len(samples) == 1
    seen: dict[int, torch.Tensor] = {}
    for seed in range(20):
        drawn = samples.draw(0, torch.Generator().manual_seed(seed))
        assert drawn.source.shape == (3, 32, 32)
        assert drawn.style_crops.shape == (2, 3, 20, 20)
        seen.setdefault(int(drawn.style), drawn.style_crops)
        assert torch.equal(seen[int(drawn.style)], drawn.style_crops)
    assert set(seen) == {0, 1}
    left, right = seen[0]
    assert left[0].mean() > 0.95  # the left end of the wide one is red, the right end black
    assert right[0].mean() < 0.05
    assert torch.equal(*seen[1])  # of a square both ends are all of it


def test_photos_come_at_several_sizes_and_mirrored(pictures):
    samples = loaded(pictures)
    slopes = []
    for seed in range(30):
        source = samples.draw(0, torch.Generator().manual_seed(seed)).source
        slopes.append((source[..., -1] - source[..., 0]).mean().item())
    assert min(slopes) < 0 < max(slopes)
    sizes = [round(abs(slope), 2) for slope in slopes]
    assert max(sizes) > 1.3 * min(sizes)


def test_the_same_generator_draws_the_same(pictures):
    one, two = (loaded(pictures).draw(0, torch.Generator().manual_seed(5)) for _ in range(2))
    assert all(torch.equal(*pair) for pair in zip(one, two, strict=True))


def test_photos_smaller_than_a_patch_are_enlarged(pictures):
    PillowImage.new("RGB", (10, 14), (10, 200, 30)).save(pictures / "photos" / "b.png")
    drawn = loaded(pictures).draw(1, torch.Generator())
    assert drawn.source.shape == (3, 32, 32)
    assert drawn.source[1].mean().item() == pytest.approx(200 / 255, abs=0.01)


def test_the_sheet_shows_the_photos_beside_what_becomes_of_them(pictures):
    sheet = loaded(pictures).sheet(lambda x: 1 - x, num_crops=2)
    assert sheet.shape == (1, 3, 64, 64)
    torch.testing.assert_close(sheet[..., :32], 1 - sheet[..., 32:])


def test_a_style_is_owed(pictures):
    with pytest.raises(LimnerError, match="training needs a style: pass --style PICTURE"):
        StylizationConfig().load(pictures / "photos")
