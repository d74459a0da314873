"""What is shown of a segmentation, pixel by pixel."""

from pathlib import Path

import numpy as np
import torch

from limner.verbs.segment.results import Wanted, overlay


def test_the_first_class_leaves_the_photo_as_it_is() -> None:
    labels = np.zeros((5, 8), int)
    labels[:, 3:] = 1
    colors = ((0, 0, 0), (255, 0, 51))
    image = torch.full((1, 3, 5, 8), 0.6)
    shown = overlay(image, labels, colors)[0].permute(1, 2, 0)
    torch.testing.assert_close(shown[:, :3], torch.full((5, 3, 3), 0.6))
    torch.testing.assert_close(shown[:, 3], torch.tensor([1.0, 0.2, 0.2]).expand(5, 3))  # the line, never quite dark
    torch.testing.assert_close(shown[:, 4:], torch.tensor([0.8, 0.3, 0.4]).expand(5, 4, 3))


def test_all_lie_beside_the_classes_under_their_name() -> None:
    every = Wanted(overlay=True, probabilities=True, objects=True, contours="geojson")
    assert {what: path.as_posix() for what, path in every.paths(Path("out/a_classes.png")).items()} == {
        "overlay": "out/a_overlay.png",
        "probabilities": "out/a_probabilities.tif",
        "objects": "out/a_objects.png",
        "table": "out/a_objects.csv",
        "contours": "out/a_contours.geojson",
    }
    assert [path.name for path in Wanted(overlay=True).paths(Path("found.png")).values()] == ["found_overlay.png"]
    assert Wanted().paths(Path("a.png")) == {}
