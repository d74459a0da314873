"""Pairs for super-resolution: shapes, ranges, and that both halves show the same place."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from limner.data.degrade import low_resolution
from limner.data.enlargement import EnlargementPatches
from limner.data.photo_faults import PHOTO_FAULTS
from limner.errors import LimnerError


def rng(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def smooth(height: int, width: int) -> np.ndarray:
    """A picture of slow waves that looks different everywhere and in every orientation."""
    y, x = np.mgrid[:height, :width].astype(float)
    waves = [np.sin(x / 9 + y / 23), np.cos(y / 11 - x / 31), np.sin((x + 2 * y) / 17)]
    return np.stack([(127.5 + 100 * wave).round() for wave in waves], -1).astype(np.uint8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    Image.fromarray(smooth(101, 83)).save(folder / "a.png")
    (folder / "sub").mkdir()
    Image.fromarray(smooth(70, 131)[::-1]).save(folder / "sub" / "b.png")
    Image.fromarray(smooth(20, 200)).save(folder / "too-small.png")
    return folder


def luminance_patches(folder: Path, scales: tuple[int, ...] = (2, 3, 4)) -> EnlargementPatches:
    return EnlargementPatches(folder, scales=scales, patch=48, kind="luminance")


def rgb_patches(folder: Path, scale: int = 4, patch: int = 48) -> EnlargementPatches:
    return EnlargementPatches(folder, scales=(scale,), patch=patch, kind="rgb")


def inner(image: Tensor, border: int) -> Tensor:
    return image[..., border:-border, border:-border]


def test_luminance_pairs(folder: Path):
    patches = luminance_patches(folder)
    for seed in range(20):
        source, target = patches.draw(seed % len(patches), rng(seed))
        assert source.shape == target.shape == (1, 48, 48)
        assert source.dtype == target.dtype == torch.float32
        assert 16 / 255 <= target.min() <= target.max() <= 235 / 255
        assert 0 <= source.min() <= source.max() <= 1
        assert not torch.equal(source, target)
        assert (source - target).abs().mean() < 0.01  # of a smooth picture, little is lost: so they show the same place


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_rgb_pairs(folder: Path, scale: int):
    patches = rgb_patches(folder, scale)
    for seed in range(20):
        source, target = patches.draw(seed % len(patches), rng(seed))
        assert source.shape == (3, 48 // scale, 48 // scale)
        assert target.shape == (3, 48, 48)
        assert source.dtype == target.dtype == torch.float32
        for image in (source, target):
            torch.testing.assert_close(image * 255, (image * 255).round(), rtol=0, atol=1e-4)
            assert 0 <= image.min() <= image.max() <= 1
            assert image.max() > 0.5


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_the_rgb_target_downscaled_again_is_the_source(folder: Path, scale: int):
    patches = rgb_patches(folder, scale, patch=60 // scale * scale)
    for seed in range(30):
        source, target = patches.draw(seed % len(patches), rng(seed))
        again = low_resolution(target, scale)
        assert (inner(again, 2) - inner(source, 2)).abs().max() < 1.6 / 255  # the published one is rounded twice


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_the_luminance_source_is_the_enlarged_low_resolution_of_the_target(folder: Path, scale: int):
    # Downscaling and bicubic enlargement leave a smooth picture nearly as it is; a shift of one pixel does not.
    patches = luminance_patches(folder, (scale,))
    for seed in range(30):
        source, target = patches.draw(seed % len(patches), rng(seed))
        error = (inner(source, 4) - inner(target, 4)).abs().mean()
        for axis in (-1, -2):
            for shift in (-1, 1):
                shifted = inner(source.roll(shift, axis), 4)
                assert error < (shifted - inner(target, 4)).abs().mean() / 3


def test_scales_are_mixed(folder: Path):
    def blur(scales: tuple[int, ...]) -> Tensor:
        patches = luminance_patches(folder, scales)
        pairs = [patches.draw(0, rng(seed)) for seed in range(40)]
        return torch.stack([(source - target).abs().mean() for source, target in pairs])

    assert blur((2,)).mean() < blur((2, 3, 4)).mean() < blur((4,)).mean()
    assert blur((2,)).max() < blur((2, 3, 4)).max()


def test_every_orientation_occurs_about_as_often(tmp_path: Path):
    corner = np.zeros((50, 50, 3), np.uint8)
    corner[:25, :25], corner[:25, 25:], corner[25:, :25] = 250, 150, 50  # four quarters, four values
    Image.fromarray(corner).save(tmp_path / "corner.png")
    patches = EnlargementPatches(tmp_path, scales=(2,), patch=48, kind="rgb")
    seen: dict[tuple[int, ...], int] = {}
    for seed in range(800):
        target = patches.draw(0, rng(seed)).target[0]
        corners = tuple(int((target[y, x] * 255).round()) for y in (0, -1) for x in (0, -1))
        seen[corners] = seen.get(corners, 0) + 1
    assert len(seen) == 8
    assert all(60 < count < 140 for count in seen.values())


def test_source_and_target_are_turned_alike(folder: Path):
    patches = rgb_patches(folder)
    pairs = [patches.draw(0, rng(seed)) for seed in range(20)]
    for one in pairs:
        small = low_resolution(one.target, 4)
        distances = [(small - other.source).abs().mean().item() for other in pairs]
        assert min(distances) == (small - one.source).abs().mean().item()


def test_a_draw_hangs_on_its_random_numbers_alone(folder: Path):
    patches = luminance_patches(folder)
    state = torch.get_rng_state()
    first = patches.draw(3, rng(5))
    other = patches.draw(3, rng(6))
    again = luminance_patches(folder).draw(3, rng(5))
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not torch.equal(first.target, other.target)
    assert torch.equal(torch.get_rng_state(), state)


def test_crops_reach_every_border(folder: Path):
    patches = rgb_patches(folder, 4, patch=76)  # 7 x 2 places
    picture = patches._pairs(patches._pictures[0])[1].float() / 255
    assert picture.shape == (3, 100, 80)  # a multiple of the scale
    corners = {(y, x): picture[:, y, x] for y in (0, -1) for x in (0, -1)}
    found = set()
    for seed in range(200):
        target = patches.draw(0, rng(seed)).target
        for where, color in corners.items():
            if any(torch.allclose(target[:, y, x], color, atol=1e-6) for y in (0, -1) for x in (0, -1)):
                found.add(where)
    assert found == set(corners)


def test_large_pictures_come_more_often_and_small_ones_not_at_all(folder: Path):
    assert len(luminance_patches(folder)) == 101 * 83 // 48**2 + 70 * 131 // 48**2
    repeated = EnlargementPatches(folder, scales=(2,), patch=48, kind="rgb", repeat=5)
    assert len(repeated) == 5 * len(luminance_patches(folder))


@pytest.mark.parametrize(("scales", "patch"), [((2, 3), 48), ((4,), 50)])
def test_rgb_takes_one_scale_that_divides_the_patch(folder: Path, scales: tuple[int, ...], patch: int):
    with pytest.raises(LimnerError, match="one scale that divides the patch"):
        EnlargementPatches(folder, scales=scales, patch=patch, kind="rgb")


def test_no_picture_is_large_enough(folder: Path):
    with pytest.raises(LimnerError, match="holds no picture of at least 204 pixels a side: add larger ones"):
        EnlargementPatches(folder, scales=(4,), patch=200, kind="rgb")


@pytest.mark.parametrize("kind", ["rgb", "luminance"])
def test_a_blur_comes_before_shrinking_and_leaves_the_target(tmp_path: Path, kind: str):
    """A wave of 12 pixels loses exp(-(2 pi deviation / 12)^2 / 2) of its height, and more than that of no blur."""
    wave = 127.5 + 100 * np.sin(2 * np.pi * np.arange(72) / 12)
    Image.fromarray(np.tile(wave.round().astype(np.uint8)[None, :, None], (72, 1, 3))).save(tmp_path / "wave.png")
    sharp, blurred = (
        EnlargementPatches(tmp_path, scales=(2,), patch=64, kind=kind, blur=blur).draw(0, rng(0)) for blur in (0.0, 2.0)
    )
    assert torch.equal(sharp.target, blurred.target)
    height = inner(blurred.source, 8).std() / inner(sharp.source, 8).std()
    assert height.item() == pytest.approx(np.exp(-((2 * np.pi * 2 / 12) ** 2) / 2), rel=0.02)


def test_pictures_at_several_sizes(folder: Path):
    """Of a picture of stripes of four pixels, half its size has stripes of two, and both are drawn."""
    stripes = np.tile(np.repeat(np.array([40, 200], np.uint8), 4), (96, 12))
    alone = folder / "stripes"
    alone.mkdir()
    Image.fromarray(stripes).convert("RGB").save(alone / "a.png")
    both = EnlargementPatches(alone, scales=(2,), patch=24, kind="rgb", sizes=(1.0, 0.5))
    one = EnlargementPatches(alone, scales=(2,), patch=24, kind="rgb")
    assert len(both) == len(one) + len(one) // 4
    changes = set()
    for index in range(len(both)):
        _, target = both.draw(index, rng(index))
        line = target[0, 12] if target[0, 12].std() > 0.1 else target[0, :, 12]  # turned by a quarter or not
        changes.add(int(((line[1:] > 0.5) != (line[:-1] > 0.5)).sum()))
    assert changes <= {5, 6, 11, 12}
    assert changes & {5, 6}
    assert changes & {11, 12}


@pytest.fixture
def waves(tmp_path: Path) -> Path:
    """Pictures of slow waves alone."""
    Image.fromarray(smooth(101, 83)).save(tmp_path / "a.png")
    Image.fromarray(smooth(70, 131)[::-1]).save(tmp_path / "b.png")
    return tmp_path


@pytest.mark.parametrize("scale", [2, 4])
def test_faulty_pairs_show_the_same_place_and_the_seed_decides_them(waves: Path, scale: int):
    patches = EnlargementPatches(waves, scales=(scale,), patch=48, kind="rgb", faults=PHOTO_FAULTS)
    clean = rgb_patches(waves, scale)
    assert len(patches) == len(clean)
    for seed in range(30):
        source, target = patches.draw(seed % len(patches), rng(seed))
        again = patches.draw(seed % len(patches), rng(seed))
        assert torch.equal(source, again.source) and torch.equal(target, again.target)
        assert (source.shape, target.shape) == ((3, 48 // scale, 48 // scale), (3, 48, 48))
        assert (inner(source, 1) - inner(low_resolution(target, scale), 1)).abs().mean() < 0.06


def test_one_crop_has_many_faults(waves: Path):
    patches = EnlargementPatches(waves, scales=(2,), patch=64, kind="rgb", faults=PHOTO_FAULTS)
    errors = [
        (source - low_resolution(target, 2)).abs().mean().item()
        for source, target in (patches.draw(0, rng(seed)) for seed in range(30))
    ]
    assert max(errors) > 5 * min(errors)


def test_faults_are_for_rgb(folder: Path):
    with pytest.raises(LimnerError, match="faults are for rgb patches"):
        EnlargementPatches(folder, scales=(2,), patch=48, kind="luminance", faults=PHOTO_FAULTS)


@pytest.mark.parametrize("kind", ["luminance", "rgb"])
def test_hidden_colours_take_no_part(tmp_path: Path, kind: str):
    alpha = np.full((40, 40, 1), 255, np.uint8)
    alpha[10:30, 10:30] = 0
    drawn = []
    for name, hidden in (("white", 255), ("black", 0)):
        (tmp_path / name).mkdir()
        pixels = np.where(alpha > 0, smooth(40, 40), np.uint8(hidden))
        Image.fromarray(np.concatenate([pixels, alpha], -1)).save(tmp_path / name / "a.png")
        patches = EnlargementPatches(tmp_path / name, scales=[2], patch=32, kind=kind)
        drawn.append(patches.draw(0, rng(0)))
    torch.testing.assert_close(drawn[0], drawn[1], rtol=0, atol=0)
