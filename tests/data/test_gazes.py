"""Pairs of eyes whose points, turn and pictures are known."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as PillowImage

from limner.data.gazes import GazesConfig
from limner.errors import LimnerError

POINTS = [[22, 30], [28, 25], [34, 25], [40, 30], [34, 34], [28, 34], [31, 29]]
PLAIN = GazesConfig(augment=False, least_share=0.5, most_share=0.5)


def eye(place: Path, name: str, dot: tuple[int, int]) -> None:
    """Gray, with a white pixel."""
    pixels = np.full((60, 80, 3), 100, np.uint8)
    pixels[dot[1] - 1 : dot[1] + 2, dot[0] - 1 : dot[0] + 2] = 255
    PillowImage.fromarray(pixels).save(place / name)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    rows = []
    for subject in range(4):
        for number, (yaw, pitch) in enumerate([(0.0, 0.0), (10.0, -6.0), (-20.0, 9.0)]):
            name = f"{subject}_{number}.png"
            eye(tmp_path, name, (31, 29))
            told = {"gaze_yaw": yaw, "gaze_pitch": pitch, "landmarks": POINTS}
            rows.append({"file": name, "subject": subject, **told})
    (tmp_path / "meta.json").write_text(json.dumps(rows))
    return tmp_path


def test_the_eye_lies_in_the_middle_with_the_width_that_is_asked_for(place: Path) -> None:
    pair = PLAIN.load(place).draw(0, torch.Generator())
    points = pair.points.view(7, 2) * torch.tensor([64, 48])
    assert (points[3] - points[0]).tolist() == pytest.approx([32, 0], abs=1e-3)
    assert ((points[0] + points[3]) / 2).tolist() == pytest.approx([32, 24], abs=1e-3)


def test_the_points_stay_on_what_they_mark(place: Path) -> None:
    """The pupil is white: its point must find white wherever the eye is moved, turned or mirrored."""
    samples = GazesConfig(light=0, blur=0, noise=0).load(place)
    rng = torch.Generator().manual_seed(0)
    for _ in range(20):
        pair = samples.draw(0, rng)
        x, y = (pair.points.view(7, 2)[6] * torch.tensor([64, 48]) - 0.5).round().int().tolist()
        assert pair.image[:, y, x].min() > 0.8
        corners = pair.points.view(7, 2)[[0, 3], 0]
        assert corners[0] < corners[1]  # of a mirrored eye, too, the first corner is the left one


def test_the_turn_is_that_between_the_two_gazes(place: Path) -> None:
    samples, rng = PLAIN.load(place), torch.Generator().manual_seed(0)
    turns = {tuple(round(math.degrees(one), 3) for one in samples.draw(0, rng).angle.tolist()) for _ in range(30)}
    assert turns == {(10.0, -6.0), (-20.0, 9.0)}
    from_second = {tuple(round(math.degrees(one)) for one in samples.draw(1, rng).angle.tolist()) for _ in range(30)}
    assert from_second == {(-10, 6), (-30, 15)}


def test_a_mirrored_eye_turns_the_other_way(place: Path) -> None:
    samples, rng = GazesConfig().load(place), torch.Generator().manual_seed(0)
    yaws = {round(math.degrees(samples.draw(0, rng).angle[0].item())) for _ in range(60)}
    assert yaws == {10, -10, 20, -20}


def test_held_out_are_people(place: Path) -> None:
    config = GazesConfig(held_out=0.25)
    assert len(config.load(place).people) == 3
    assert len(config.model_copy(update={"part": "held out"}).load(place).people) == 1


@pytest.mark.parametrize(
    ("text", "match"),
    [
        (None, "meta.json"),
        ("{", "is no JSON"),
        ("[" * 10_000 + "]" * 10_000, "is no JSON"),
        ('[{"file": "0_0.png"}]', "subject"),
        ('[{"file": "0_0.png", "subject": 1, "gaze_yaw": 0, "gaze_pitch": 0, "landmarks": [[1, 2]]}]', "landmarks"),
    ],
)
def test_what_is_told_wrongly_is_one_line(place: Path, text: str | None, match: str) -> None:
    (place / "meta.json").unlink() if text is None else (place / "meta.json").write_text(text)
    with pytest.raises(LimnerError, match=match) as caught:
        PLAIN.load(place)
    assert "\n" not in str(caught.value)


def test_one_picture_is_no_pair(place: Path) -> None:
    rows = json.loads((place / "meta.json").read_text())[:1]
    (place / "meta.json").write_text(json.dumps(rows))
    with pytest.raises(LimnerError, match="two pictures or more of each person"):
        PLAIN.load(place)
