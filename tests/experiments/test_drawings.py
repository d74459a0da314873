"""Drawings by rectangles and arcs, and what translators make of them."""

import torch

from limner.experiments.drawings import FACADE, drawn_facade, drawn_face, sheet

COLORS = {name: (25 * number, 255 - 20 * number, 7 * number) for number, name in enumerate(
    ("background", *dict.fromkeys(part for part, *_ in FACADE)))}  # fmt: skip


def test_a_facade_has_the_colours_of_its_classes_alone() -> None:
    drawn = (255 * drawn_facade(COLORS, 128)).round().to(torch.uint8)
    assert {tuple(color.tolist()) for color in drawn[0].flatten(1).T} == set(COLORS.values())


def test_windows_stand_in_rows_on_their_sills() -> None:
    drawn = (255 * drawn_facade(COLORS, 100)).round()[0]
    is_part = {
        name: (drawn == torch.tensor(COLORS[name]).view(3, 1, 1)).all(0) for name in ("window", "sill", "balcony")
    }
    below = is_part["window"][:-1] & ~is_part["window"][1:]
    assert int((below[:, 1:] & ~below[:, :-1]).sum()) == 15
    assert (is_part["sill"] | is_part["balcony"])[1:][below].all()


def test_a_face_is_dark_lines_on_white_and_stands_in_the_middle() -> None:
    drawn = drawn_face(128)
    assert drawn.shape == (1, 3, 128, 128)
    assert drawn.min() == 0
    assert 0.8 < drawn.mean() < 0.97
    inside = drawn[0, 0, 54:78, 45:83]
    assert 0.6 < inside.mean() < 1
    assert torch.equal(drawn[:, :, :, :12], torch.ones(1, 3, 128, 12))


def test_each_drawing_stands_before_what_becomes_of_it() -> None:
    panels = sheet(0)
    assert [panel.label for panel in panels] == ["labels", "facades", "facades-spade", "lines", "faces"]
    labels, pix2pix, spade, lines, face = (panel.image for panel in panels)
    for drawn, made in ((labels, pix2pix), (labels, spade), (lines, face)):
        assert drawn.shape == made.shape == (1, 3, 256, 256)
        assert 0 <= made.min() < made.max() <= 1
        assert not torch.equal(drawn, made)
    assert not torch.equal(pix2pix, spade)
