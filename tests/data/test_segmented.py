"""Pairs that are found, and samples whose mask can be read off their picture."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as PillowImage

from limner.data.segmented import BORDER, SegmentedConfig, SegmentedPictures
from limner.errors import LimnerError
from limner.ops.border_weights import border_weights, cores_of, separated

Saver = Callable[..., None]


def save(path: Path, values: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    PillowImage.fromarray(values if values.dtype == np.uint16 else values.astype(np.uint8)).save(path)
    return path


HALVES = np.array([[0] * 10 + [255] * 10] * 16)
"""A picture that is its own mask."""


def pair(place: Path, name: str, *, images: str = "images", masks: str = "labels", values: np.ndarray = HALVES) -> None:
    save(place / images / f"{name}.png", values)
    save(place / masks / f"{name}.png", values)


def found(config: SegmentedConfig, place: Path) -> list[tuple[str, str]]:
    return [
        (one.relative_to(place).as_posix(), other.relative_to(place).as_posix()) for one, other in config.pairs(place)
    ]


@pytest.mark.parametrize("folder", ["labels", "masks", "instances", "annotations", "segmentations"])
def test_masks_are_found_in_the_usual_folders(tmp_path: Path, folder: str) -> None:
    pair(tmp_path, "a", masks=folder)
    assert found(SegmentedConfig(), tmp_path) == [("images/a.png", f"{folder}/a.png")]


def test_masks_of_another_suffix_and_folder(tmp_path: Path) -> None:
    save(tmp_path / "val" / "a.b.jpg", HALVES)
    save(tmp_path / "val_labels" / "a.b.tif", HALVES)
    config = SegmentedConfig(images="val", masks="val_labels")
    assert found(config, tmp_path) == [("val/a.b.jpg", "val_labels/a.b.tif")]


@pytest.mark.parametrize("name", ["cell [1]", "a?", "1"])
def test_names_are_no_patterns(tmp_path: Path, name: str) -> None:
    """And 1.5.png is not the mask of 1.png."""
    pair(tmp_path, name)
    pair(tmp_path, "1.5")
    assert (f"images/{name}.png", f"labels/{name}.png") in found(SegmentedConfig(), tmp_path)


def test_folders_below_are_told_apart(tmp_path: Path) -> None:
    for town in ("bonn", "cologne"):
        pair(tmp_path, f"{town}/1")
    expected = [(f"images/{town}/1.png", f"labels/{town}/1.png") for town in ("bonn", "cologne")]
    assert found(SegmentedConfig(), tmp_path) == expected


def test_patterns_share_their_star(tmp_path: Path) -> None:
    for name in ("cat", "a dog"):
        save(tmp_path / f"{name}_photo.jpg", HALVES)
        save(tmp_path / f"{name}_mask.png", HALVES)
    save(tmp_path / "._cat_photo.jpg", HALVES)  # what a Mac leaves behind
    config = SegmentedConfig(images="*_photo.jpg", masks="*_mask.png")
    assert found(config, tmp_path) == [("a dog_photo.jpg", "a dog_mask.png"), ("cat_photo.jpg", "cat_mask.png")]
    assert found(config.model_copy(update={"masks": "*_mask.*"}), tmp_path) == found(config, tmp_path)
    (tmp_path / "masks").mkdir()
    (tmp_path / "cat_mask.png").rename(tmp_path / "masks" / "cat.png")
    (tmp_path / "a dog_mask.png").rename(tmp_path / "masks" / "a dog.png")
    config = SegmentedConfig(images="*_photo.jpg")
    assert found(config, tmp_path) == [("a dog_photo.jpg", "masks/a dog.png"), ("cat_photo.jpg", "masks/cat.png")]


def test_a_folder_of_pictures_and_a_pattern_of_masks(tmp_path: Path) -> None:
    save(tmp_path / "images" / "a.png", HALVES)
    save(tmp_path / "labels" / "a_L.png", HALVES)
    assert found(SegmentedConfig(masks="labels/*_L.png"), tmp_path) == [("images/a.png", "labels/a_L.png")]


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(LimnerError, match="images is not a folder"):
        SegmentedConfig().pairs(tmp_path)
    save(tmp_path / "images" / "a.png", HALVES)
    with pytest.raises(
        LimnerError, match=r"one folder of masks of labels, .*, got none of them: pass --set data.masks="
    ):
        SegmentedConfig().pairs(tmp_path)
    pair(tmp_path, "b")
    with pytest.raises(LimnerError, match=r"images/a.png has no mask .*labels/a\.\*: add it, or take the picture away"):
        SegmentedConfig().pairs(tmp_path)
    pair(tmp_path, "a")
    save(tmp_path / "labels" / "a.tif", HALVES)
    with pytest.raises(LimnerError, match=r"a.png must have one mask, got .*labels/a.png and .*labels/a.tif: take"):
        SegmentedConfig().pairs(tmp_path)
    with pytest.raises(LimnerError, match=r"no picture of the pattern \*.gif: check data.images"):
        SegmentedConfig(images="*.gif").pairs(tmp_path)
    with pytest.raises(LimnerError, match="one \\* at most"):
        SegmentedConfig(images="*/*.png").pairs(tmp_path)
    save(tmp_path / "masks" / "a.png", HALVES)
    with pytest.raises(LimnerError, match="got labels, masks: pass"):
        SegmentedConfig().pairs(tmp_path)


def test_sizes_that_disagree_are_refused(tmp_path: Path) -> None:
    pair(tmp_path, "a")
    save(tmp_path / "labels" / "a.png", HALVES.T)
    with pytest.raises(LimnerError, match=r"a.png has 20x16 pixels and its mask .*labels/a.png 16x20: they must be"):
        SegmentedConfig().load(tmp_path)


def test_the_last_are_held_out(tmp_path: Path) -> None:
    for number in range(5):
        pair(tmp_path, str(number), values=np.where(HALVES, 255 - number, 0))
    config = SegmentedConfig(held_out=0.4, ignore=(251, 252, 253, 254))
    learnt, kept = config.load(tmp_path), config.model_copy(update={"part": "held out"}).load(tmp_path)
    assert [int(one.image.max()) for one in learnt.marked] == [255, 254, 253]
    assert [int(one.image.max()) for one in kept.marked] == [252, 251]
    assert [int(one.image.max()) for one in config.unseen(tmp_path)] == [252, 251]
    assert [one.name for one in config.pictures(tmp_path)] == ["0.png", "1.png", "2.png"]
    assert len(SegmentedConfig(ignore=config.ignore).unseen(tmp_path)) == 5
    with pytest.raises(LimnerError, match=r"a held-out share of 0\.95 must leave pictures .*, got 5 and none left"):
        config.model_copy(update={"held_out": 0.95}).load(tmp_path)


def test_the_data_tell_the_network_what_it_is_given(tmp_path: Path) -> None:
    pair(tmp_path, "a")
    facts = SegmentedConfig(names=("off", "on")).facts(tmp_path)
    assert facts == {
        "num_classes": 2, "class_names": ["off", "on"], "class_colors": [[0, 0, 0], [230, 159, 0]], "in_channels": 1,
        "border": 0,
    }  # fmt: skip
    pair(tmp_path, "b")
    save(tmp_path / "images" / "b.png", np.stack([HALVES] * 3, -1))
    assert SegmentedConfig().facts(tmp_path)["in_channels"] == 3
    (tmp_path / "classes.toml").write_text(
        "[[classes]]\nname='x'\ncolor=[1,2,3]\nvalue=255\n[[classes]]\nname='y'\ncolor=[4,5,6]\nvalue=0\n"
    )
    assert SegmentedConfig().facts(tmp_path)["class_names"] == ["x", "y"]
    assert set(SegmentedConfig().files(tmp_path)) == {
        tmp_path / folder / f"{name}.png" for folder in ("images", "labels") for name in "ab"
    }


def test_all_pictures_have_the_channels_that_were_told(tmp_path: Path) -> None:
    """Also where the only coloured one is held out."""
    pair(tmp_path, "a")
    pair(tmp_path, "b")
    save(tmp_path / "images" / "b.png", np.stack([HALVES] * 3, -1))
    config = SegmentedConfig(held_out=0.5, patch=16)
    assert config.facts(tmp_path)["in_channels"] == 3
    assert config.load(tmp_path).draw(0, torch.Generator()).image.shape[0] == 3
    assert [len(one.image) for one in SegmentedConfig().unseen(tmp_path)] == [3, 3]


def test_hidden_colours_are_not_learnt_from(tmp_path: Path) -> None:
    pixels = np.full((16, 20, 4), 200, np.uint8)
    pixels[..., 3], pixels[:, 10:, 0], pixels[:, 10:, 3] = 255, 0, 0
    save(tmp_path / "images" / "a.png", pixels)
    save(tmp_path / "labels" / "a.png", HALVES)
    (one,) = SegmentedConfig().unseen(tmp_path)
    assert one.image.unique().tolist() == [200]


def smooth(height: int, width: int) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    return 127 + 60 * np.sin(x / 20) + 60 * np.cos(y / 15 + x / 40)


@pytest.mark.parametrize(
    "change",
    [
        {"elastic": 0, "rotate": 0, "mirror": False},
        {"elastic": 0, "rotate": 0},
        {"elastic": 0, "mirror": False},
        {"elastic": 10, "rotate": 0, "mirror": False},
        {"elastic": 10, "scale": 0.5},
    ],
)
def test_picture_and_mask_are_bent_turned_and_mirrored_alike(tmp_path: Path, change: dict) -> None:
    """The mask is where the picture is bright: so it stays, but for pixels on the very threshold."""
    gray = smooth(60, 80)
    save(tmp_path / "images" / "a.png", gray)
    save(tmp_path / "labels" / "a.png", (gray.astype(np.uint8) > 127) * 255)
    samples = SegmentedConfig.parse({"gray": 0, "patch": 40} | change).load(tmp_path)
    rng = torch.Generator().manual_seed(0)
    drawn = [samples.draw(0, rng) for _ in range(6)]
    for one in drawn:
        sure = (one.image - 127.5 / 255).abs() > 6 / 255  # a pixel is half a pixel away at most, which is 5 here
        assert sure.float().mean() > 0.6
        assert torch.equal(one.label[sure], (one.image > 127.5 / 255).long()[sure])
        assert one.weight.unique().tolist() == [1]
    assert not torch.equal(drawn[0].image, drawn[1].image)


def test_a_sample_that_is_not_changed_is_a_crop(tmp_path: Path) -> None:
    values = np.arange(20 * 30).reshape(20, 30) % 251
    save(tmp_path / "images" / "a.png", values)
    save(tmp_path / "labels" / "a.png", values % 3)
    config = SegmentedConfig(patch=16, elastic=0, rotate=0, gray=0, mirror=False)
    samples, rng = config.load(tmp_path), torch.Generator().manual_seed(0)
    crops = torch.from_numpy(values / 255).float()
    one = samples.draw(0, rng)
    assert torch.equal((one.image * 255).round().long() % 3, one.label) or (one.image * 255 % 1).max() > 1e-3
    assert crops.min() <= one.image.min()
    starts = {round(float(samples._places(20, 30, rng)[0, 0, 0]), 3) for _ in range(200)}
    assert min(starts) >= 0
    assert max(starts) <= 14
    assert max(starts) - min(starts) > 12  # all places of the picture are seen


def test_mirrored_in_half_of_the_cases(tmp_path: Path) -> None:
    pair(tmp_path, "a")
    samples = SegmentedConfig(patch=16, elastic=0, rotate=0, gray=0).load(tmp_path)
    rng = torch.Generator().manual_seed(0)
    left = [bool(one.label[0, :, 0].any()) for one in (samples.draw(0, rng) for _ in range(60))]
    assert 20 < sum(left) < 40


def test_light_is_changed_of_the_picture_alone(tmp_path: Path) -> None:
    save(tmp_path / "images" / "a.png", smooth(40, 40))
    save(tmp_path / "labels" / "a.png", (smooth(40, 40) > 127) * 255)
    config = SegmentedConfig(patch=40, elastic=0, rotate=0, gray=0.1, mirror=False)
    samples, plain = (
        config.load(tmp_path),
        config.model_copy(update={"gray": 0}).load(tmp_path).draw(0, torch.Generator()),
    )
    rng = torch.Generator().manual_seed(0)
    lit = [samples.draw(0, rng) for _ in range(200)]
    means = torch.stack([one.image.mean() for one in lit])
    assert means.std().item() == pytest.approx(0.1, rel=0.2)
    assert all(torch.equal(one.label, plain.label) for one in lit)
    contrasts = torch.stack([one.image.std() / plain.image.std() for one in lit if one.image.max() < 1])
    assert contrasts.log().std().item() == pytest.approx(0.1, rel=0.3)
    assert all(one.image.min() >= 0 and one.image.max() <= 1 for one in lit)


def test_exposure_is_one_factor_of_all_gray_values(tmp_path: Path) -> None:
    save(tmp_path / "images" / "a.png", np.tile([0, 40, 80, 120], (16, 4)))
    save(tmp_path / "labels" / "a.png", HALVES[:, :16])
    config = SegmentedConfig(patch=16, elastic=0, rotate=0, gray=0, mirror=False, exposure=0.5)
    samples, rng = config.load(tmp_path), torch.Generator().manual_seed(0)
    lit = torch.stack([samples.draw(0, rng).image[0, 0, :4] for _ in range(300)])
    assert not lit[:, 0].any()
    whole = lit[lit.max(1).values < 1]
    torch.testing.assert_close(whole[:, 2], 2 * whole[:, 1])
    assert (lit[:, 1] / (40 / 255)).log().std().item() == pytest.approx(0.5, rel=0.15)
    assert lit.max() == 1  # what is too bright is white


def test_gamma_is_one_power_of_all_gray_values(tmp_path: Path) -> None:
    values = np.tile(np.linspace(20, 240, 16, dtype=np.uint8), (16, 1))
    pair(tmp_path, "a", values=values)
    config = SegmentedConfig(patch=16, elastic=0, rotate=0, gray=0, mirror=False, gamma=0.5)
    samples, plain = config.load(tmp_path), torch.from_numpy(values / 255).float()
    powers = []
    for seed in range(3):
        found = samples.draw(0, torch.Generator().manual_seed(seed)).image[0]
        power = found.log() / plain.log()
        assert float(power.std()) < 1e-3
        powers.append(float(power.mean()))
    assert len({round(one, 3) for one in powers}) == 3


def test_noise_is_of_the_picture_alone_and_at_most_so_strong(tmp_path: Path) -> None:
    save(tmp_path / "images" / "a.png", np.full((16, 16), 128))
    save(tmp_path / "labels" / "a.png", HALVES[:, :16])
    config = SegmentedConfig(patch=16, elastic=0, rotate=0, gray=0, mirror=False, noise=0.1)
    samples = config.load(tmp_path)
    found = [samples.draw(0, torch.Generator().manual_seed(seed)) for seed in range(20)]
    deviations = [float((one.image - 128 / 255).std()) for one in found]
    assert 0 < min(deviations) < 0.04 and 0.06 < max(deviations) < 0.12
    assert all(torch.equal(one.label, found[0].label) for one in found)


def test_the_ground_between_parts_of_a_class_counts_more_too(tmp_path: Path) -> None:
    """Two cells of the value 255, three pixels apart: in the middle d1 = d2 = 2."""
    mask = np.full((16, 16), 255)
    mask[:, 6:9] = 0
    pair(tmp_path, "a", values=mask)
    config = SegmentedConfig(patch=16, border_weight=10, border_deviation=5)
    weight = config.load(tmp_path).marked[0].weight[0, 8]
    assert weight[:6].unique().tolist() == [1]
    assert weight[7].item() == pytest.approx(1 + 10 * np.exp(-(4**2) / 50))
    assert weight[6].item() == pytest.approx(1 + 10 * np.exp(-((1 + 3) ** 2) / 50))


def test_what_is_ignored_has_no_weight(tmp_path: Path) -> None:
    save(tmp_path / "images" / "a.png", HALVES)
    mask = HALVES.copy()
    mask[:4] = 9
    save(tmp_path / "labels" / "a.png", mask)
    config = SegmentedConfig(patch=16, ignore=(9,), elastic=0, rotate=0, gray=0, mirror=False, class_weights=True)
    one = config.load(tmp_path)
    assert one.marked[0].label[0, :4].unique().tolist() == [-1]
    drawn = one.draw(0, torch.Generator())
    assert not drawn.weight[0, :4].any()
    assert (drawn.weight[0, 4:] > 0).all()
    assert drawn.label.min() == 0


def test_class_weights_let_each_class_count_alike(tmp_path: Path) -> None:
    """Of 64 pixels 16 are of class 1: 64 / (2 * 48) and 64 / (2 * 16)."""
    mask = np.zeros((8, 8))
    mask[:2] = 255
    pair(tmp_path, "a", values=mask)
    config = SegmentedConfig(patch=16, elastic=0, rotate=0, gray=0, mirror=False, class_weights=True)
    one = config.load(tmp_path).draw(0, torch.Generator())
    assert one.weight[one.label == 0].unique().tolist() == [pytest.approx(64 / 96)]
    assert one.weight[one.label == 1].unique().tolist() == [2]


def objects() -> np.ndarray:
    made = np.zeros((16, 20), np.uint16)
    made[2:8, 2:8], made[2:8, 8:14], made[10:15, 3:9], made[10:15, 12:18] = 1, 2, 300, 65_535
    return made


def test_instances_become_background_where_they_touch_and_weigh_between(tmp_path: Path) -> None:
    save(tmp_path / "images" / "a.png", HALVES)
    save(tmp_path / "labels" / "a.png", objects())
    config = SegmentedConfig(meaning="instances", border_weight=10, ignore=(65_535,))
    (one,) = config.unseen(tmp_path)
    told = objects().astype(np.int64)
    told[told == 65_535] = 0
    apart = separated(told)
    assert apart[4, 7] == apart[4, 8] == 0
    assert torch.equal(one.label[0] == 1, torch.from_numpy(apart > 0))
    ignored = torch.from_numpy(objects() == 65_535)
    assert torch.equal(one.label[0] == -1, ignored)
    expected = torch.where(ignored, 0, 1 + torch.from_numpy(border_weights(apart)))
    torch.testing.assert_close(one.weight[0], expected)
    plain = config.model_copy(update={"border_weight": 0.0}).unseen(tmp_path)[0]
    assert plain.weight.unique().tolist() == [0, 1]


def test_a_border_is_a_class_of_its_own_along_the_outlines_of_objects(tmp_path: Path) -> None:
    """Which the network is told of and learns, and which belongs to the objects where it is measured."""
    save(tmp_path / "images" / "a.png", HALVES)
    save(tmp_path / "labels" / "a.png", objects())
    config = SegmentedConfig(meaning="instances", border=2, border_weight=10, ignore=(65_535,), patch=16)
    facts = config.facts(tmp_path)
    assert facts["num_classes"] == 3
    assert facts["class_names"] == ["background", "object", "border"]
    assert len(facts["class_colors"]) == 3
    assert facts["border"] == 2
    told, ignored = objects().astype(np.int64), objects() == 65_535
    told[ignored] = 0
    cores = cores_of(told, 2)
    expected = np.where(ignored, -1, np.where(cores > 0, 1, np.where(told > 0, 2, 0)))
    learnt = config.load(tmp_path).marked[0]
    assert np.array_equal(learnt.label[0], expected)
    assert {-1, 0, 1, 2} == set(np.unique(expected))
    torch.testing.assert_close(learnt.weight[0], torch.from_numpy((1 + border_weights(cores)) * ~ignored))
    (measured,) = config.unseen(tmp_path)
    assert np.array_equal(measured.label[0], np.where(ignored, -1, told > 0))
    plain = config.model_copy(update={"border": 0})
    assert (plain.facts(tmp_path)["num_classes"], plain.facts(tmp_path)["border"]) == (2, 0)


def test_a_sample_with_borders_is_shown_in_their_colour_and_counts_them(tmp_path: Path) -> None:
    save(tmp_path / "images" / "a.png", HALVES)
    save(tmp_path / "labels" / "a.png", objects())
    config = SegmentedConfig(meaning="instances", border=2, class_weights=True, patch=16, elastic=0, rotate=0)
    samples = config.load(tmp_path)
    sheet = samples.sheet(lambda image: torch.nn.functional.one_hot(torch.full((1, 16, 16), 2), 3).permute(0, 3, 1, 2))
    blue = torch.tensor(BORDER.color)[:, None, None] / 255
    assert torch.allclose(sheet[0, :, :16, 16:32], blue.expand(3, 16, 16))
    whole = samples.marked[0].label
    for kind in range(3):
        drawn = [samples.draw(0, torch.Generator().manual_seed(seed)) for seed in range(20)]
        weights = torch.cat([one.weight[one.label == kind] for one in drawn]).unique().tolist()
        share = (whole == kind).sum() / (whole >= 0).sum()
        assert max(weights) == pytest.approx(float(1 / (3 * share)))


def test_a_border_is_of_objects_by_number(tmp_path: Path) -> None:
    pair(tmp_path, "a")
    with pytest.raises(LimnerError, match=r"data\.border is of objects by number, got data\.meaning=values"):
        SegmentedConfig(border=3).facts(tmp_path)


def test_an_epoch_has_so_many_crops_of_each(tmp_path: Path) -> None:
    pair(tmp_path, "a")
    pair(tmp_path, "b", values=np.where(HALVES, 255, 0)[::-1])
    samples = SegmentedConfig(patch=16, crops=3).load(tmp_path)
    assert isinstance(samples, SegmentedPictures)
    assert len(samples) == 6
    one, again = (samples.draw(4, torch.Generator().manual_seed(1)) for _ in range(2))
    assert torch.equal(one.image, again.image)
    assert one.image.shape == one.label.shape == one.weight.shape == (1, 16, 16)


def test_the_sheet_shows_picture_found_and_true_classes_side_by_side(tmp_path: Path) -> None:
    pair(tmp_path, "a")
    samples = SegmentedConfig(patch=16, gray=0, elastic=0).load(tmp_path)
    sheet = samples.sheet(lambda image: torch.cat([image < 0.5, image >= 0.5], 1).float())
    assert sheet.shape == (1, 3, 64, 48)
    _, made, true = sheet.chunk(3, 3)
    colors = {tuple(one) for one in (true * 255).round().int()[0].flatten(1).T.tolist()}
    assert colors == {(0, 0, 0), (230, 159, 0)}
    assert (made == true).float().mean() > 0.9


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
def test_as_many_channels_as_the_pictures_have_at_their_depth(tmp_path: Path, count: int, kind: type) -> None:
    tifffile = pytest.importorskip("tifffile")
    pytest.importorskip("pyvips")
    most = np.iinfo(kind).max
    values = np.random.default_rng(0).integers(0, most, (16, 20, count), dtype=kind)
    options = {"photometric": "rgb" if count == 3 else "minisblack", "planarconfig": "contig" if count > 1 else None}
    save(tmp_path / "labels" / "a.png", HALVES)
    (tmp_path / "images").mkdir()
    tifffile.imwrite(tmp_path / "images" / "a.tif", values if count > 1 else values[..., 0], **options)
    config = SegmentedConfig(patch=16, elastic=0, rotate=0, gray=0, mirror=False)
    assert config.facts(tmp_path)["in_channels"] == count
    samples = config.load(tmp_path)
    (one,) = samples.marked
    expected = values.transpose(2, 0, 1) / most
    np.testing.assert_allclose(one.picture.numpy(), expected, atol=1e-7)
    drawn = samples.draw(0, torch.Generator()).image
    assert drawn.shape == (count, 16, 16)
    assert drawn.dtype == torch.float32
    assert samples.sheet(lambda image: torch.zeros(1, 2, *image.shape[-2:])).shape == (1, 3, 64, 48)


def test_sixteen_bits_are_not_lost(tmp_path: Path) -> None:
    deep = np.arange(16 * 20, dtype=np.uint16).reshape(16, 20)  # all of it within two steps of 8 bits
    save(tmp_path / "images" / "a.png", deep)
    save(tmp_path / "labels" / "a.png", HALVES)
    (one,) = SegmentedConfig(patch=16).load(tmp_path).marked
    assert len(one.picture.unique()) == 16 * 20


def test_gray_and_colour_go_together_and_other_bands_do_not(tmp_path: Path) -> None:
    tifffile = pytest.importorskip("tifffile")
    pair(tmp_path, "a")
    save(tmp_path / "images" / "b.png", np.stack([HALVES] * 3, -1))
    save(tmp_path / "labels" / "b.png", HALVES)
    assert SegmentedConfig().facts(tmp_path)["in_channels"] == 3
    save(tmp_path / "labels" / "c.png", HALVES)
    tifffile.imwrite(tmp_path / "images" / "c.tif", np.zeros((16, 20, 5), np.uint8), photometric="minisblack",
                     planarconfig="contig")  # fmt: skip
    with pytest.raises(LimnerError, match=r"as many channels each, got 1 in .*a.png and 5 in .*c.tif"):
        SegmentedConfig().facts(tmp_path)
