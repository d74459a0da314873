from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as PillowImage

from limner.data.label_maps import LabelMapsConfig, edges_between
from limner.errors import LimnerError

NUMBERS = np.kron(np.array([[0, 1, 2], [2, 0, 1]], np.uint8), np.ones((8, 8), np.uint8))
COLORS = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255]], np.uint8)
PHOTO = np.random.default_rng(0).integers(0, 256, (*NUMBERS.shape, 3), dtype=np.uint8)
WHOLE = {"height": 16, "width": 24, "jitter": 0, "mirror": False}


def save(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    PillowImage.fromarray(pixels).save(path)


@pytest.mark.parametrize("half", ["left", "right"])
def test_halves_of_a_picture(tmp_path: Path, half: str) -> None:
    both = [COLORS[NUMBERS], PHOTO]
    save(tmp_path / "a.png", np.concatenate(both if half == "left" else both[::-1], 1))
    config = LabelMapsConfig(label_half=half, **WHOLE)
    sample = config.load(tmp_path).draw(0, torch.Generator())
    blue_green_red = torch.tensor([2, 1, 0])  # the order of red, green and blue
    assert torch.equal(sample.label[0], blue_green_red[torch.from_numpy(NUMBERS).long()])
    assert torch.equal(sample.photo, torch.from_numpy(PHOTO).permute(2, 0, 1) / 255)
    assert sample.edges.shape == (0, 16, 24)
    assert [tuple(one) for one in config.facts(tmp_path)["class_colors"]] == [(0, 0, 255), (0, 255, 0), (255, 0, 0)]
    own = LabelMapsConfig(label_half=half, colors=tuple(map(tuple, COLORS.tolist())), names=("r", "g", "b"), **WHOLE)
    assert own.facts(tmp_path)["class_names"] == ["r", "g", "b"]
    assert torch.equal(own.load(tmp_path).draw(0, torch.Generator()).label[0], torch.from_numpy(NUMBERS).long())


def test_folders_with_numbers_of_classes_and_of_objects(tmp_path: Path) -> None:
    save(tmp_path / "images" / "a.png", PHOTO)
    save(tmp_path / "labels" / "a.png", NUMBERS)
    objects = np.kron(np.array([[7, 7, 9]], np.uint8), np.ones((16, 8), np.uint8))
    save(tmp_path / "objects" / "a.png", objects)
    config = LabelMapsConfig(masks="labels", instances="objects", ignore=(1,), **WHOLE)
    facts = config.facts(tmp_path)
    assert (facts["num_classes"], facts["class_names"][-1], facts["instance_edges"]) == (3, "unknown", True)
    sample = config.load(tmp_path).draw(0, torch.Generator())
    expected = torch.tensor([0, 2, 1])[torch.from_numpy(NUMBERS).long()]
    assert torch.equal(sample.label[0], expected)
    assert torch.equal(sample.edges[0].bool().any(0).nonzero().flatten(), torch.tensor([15, 16]))
    assert len(sample.inputs) == 2


def test_all_parts_are_cropped_and_mirrored_alike(tmp_path: Path) -> None:
    save(tmp_path / "images" / "a.png", NUMBERS * 100)
    save(tmp_path / "labels" / "a.png", NUMBERS)
    config = LabelMapsConfig(height=10, width=12, jitter=4, mirror=True)
    samples = config.load(tmp_path)
    drawn = [samples.draw(0, torch.Generator().manual_seed(seed)) for seed in range(20)]
    assert len({one.label.numpy().tobytes() for one in drawn}) > 5
    for one in drawn:
        nearest = (one.photo[:1] * 2.55).round().long()
        assert one.photo.shape == (3, 10, 12)
        assert (nearest == one.label).float().mean() > 0.7  # all but what borders blur


def test_edges_are_where_a_neighbour_is_another_object() -> None:
    objects = torch.zeros(1, 4, 5, dtype=torch.long)
    objects[0, 1, 2] = 3
    expected = torch.zeros(4, 5)
    for row, column in ((1, 2), (0, 2), (2, 2), (1, 1), (1, 3)):
        expected[row, column] = 1
    assert torch.equal(edges_between(objects)[0], expected)


def test_a_sheet_shows_labels_results_and_photos(tmp_path: Path) -> None:
    save(tmp_path / "a.png", np.concatenate([COLORS[NUMBERS], PHOTO], 1))
    samples = LabelMapsConfig(label_half="left", **WHOLE).load(tmp_path)
    sheet = samples.sheet(lambda label: label.float().expand(-1, 3, -1, -1) / 2)
    assert sheet.shape == (1, 3, 4 * 16, 3 * 24)
    assert torch.equal(sheet[0, :, :16, :24], torch.from_numpy(COLORS[NUMBERS]).permute(2, 0, 1) / 255)


def test_what_does_not_fit_is_named(tmp_path: Path) -> None:
    for name in "abcd":
        save(tmp_path / "images" / f"{name}.png", PHOTO)
        save(tmp_path / "labels" / f"{name}.png", NUMBERS[:, :-1])
    with pytest.raises(LimnerError, match=r"a.png \(24x16\) and .*a.png \(23x16\), .*b.* and 1 more: resize them"):
        LabelMapsConfig().load(tmp_path)
    save(tmp_path / "odd" / "a.png", PHOTO[:, :-1])
    with pytest.raises(LimnerError, match=r"have an even width, got .*a.png \(23 columns\): crop them"):
        LabelMapsConfig(label_half="left").load(tmp_path / "odd")
