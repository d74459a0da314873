from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as PillowImage

from limner.data.unpaired import UnpairedConfig
from limner.errors import LimnerError

WHOLE = ("resize=8", "patch=8", "mirror=false")


def paint(path: Path, value: int, size: tuple[int, int] = (8, 8)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    PillowImage.new("RGB", size, (value, value, value)).save(path)


def config(*assignments: str) -> UnpairedConfig:
    return UnpairedConfig().override([*WHOLE, *assignments])


def values(samples, number: int = 60) -> tuple[list[int], list[int]]:
    """The gray values that are drawn of either kind."""
    drawn = [samples.draw(n % len(samples), torch.Generator().manual_seed(n)) for n in range(number)]
    return [round(255 * one.a.mean().item()) for one in drawn], [round(255 * one.b.mean().item()) for one in drawn]


@pytest.mark.parametrize(
    ("first", "second", "settings", "names"),
    [
        ("trainA", "trainB", (), ("A", "B")),
        ("A", "B", (), ("A", "B")),
        ("photo", "monet", (), ("monet", "photo")),
        ("photo", "monet", ("a=photo", "b=monet"), ("photo", "monet")),
    ],
)
def test_folders_of_two_kinds(tmp_path: Path, first: str, second: str, settings: tuple[str, ...], names) -> None:
    for number in range(3):
        paint(tmp_path / first / f"{number}.png", 10 + number)
    paint(tmp_path / second / "deep" / "x.jpg", 200)
    if first == "trainA":
        paint(tmp_path / "testA" / "x.png", 77)
        paint(tmp_path / "testB" / "x.png", 77)
    data = config(*settings)
    a, b = values(data.load(tmp_path))
    dark, bright = (a, b) if data.facts(tmp_path)["domains"] != ("monet", "photo") else (b, a)
    assert (set(dark), set(bright)) == ({10, 11, 12}, {200})
    assert data.facts(tmp_path) == {"domains": names, "background": (255, 255, 255)}
    assert len(data.files(tmp_path)) == 4


def test_the_larger_kind_goes_by_number_and_the_other_by_chance(tmp_path: Path) -> None:
    for number in range(5):
        paint(tmp_path / "B" / f"{number}.png", 10 + number)
    paint(tmp_path / "A" / "0.png", 100)
    paint(tmp_path / "A" / "1.png", 101)
    samples = config().load(tmp_path)
    assert len(samples) == 5
    a, b = values(samples)
    assert b == [10 + n % 5 for n in range(60)]
    assert set(a[::5]) == {100, 101}  # for the same picture of B


def test_halves_are_taken_apart(tmp_path: Path) -> None:
    for number in range(4):
        left, right = np.full((8, 8, 3), 10 + number, np.uint8), np.full((8, 8, 3), 200 + number, np.uint8)
        PillowImage.fromarray(np.concatenate([left, right], 1)).save(tmp_path / f"{number}.png")
    data = config("layout=halves")
    a, b = values(data.load(tmp_path))
    assert (set(a), set(b)) == ({10, 11, 12, 13}, {200, 201, 202, 203})
    assert {one - 10 for one in a} == {one - 200 for one in b}
    assert any(one - 10 != other - 200 for one, other in zip(a, b, strict=True)), "drawn as pairs"
    assert data.facts(tmp_path)["domains"] == ("left", "right")
    paint(tmp_path / "odd.png", 1, (9, 8))
    with pytest.raises(LimnerError, match=r"odd.png: two pictures side by side have an even width, got 9: crop it"):
        data.load(tmp_path)


def test_crops_and_mirrors_are_each_kinds_own(tmp_path: Path) -> None:
    ramp = np.arange(64, dtype=np.uint8).reshape(8, 8, 1).repeat(3, 2)
    for name in "AB":
        (tmp_path / name).mkdir()
        PillowImage.fromarray(ramp).save(tmp_path / name / "x.png")
    samples = config("patch=4", "mirror=true").load(tmp_path)
    drawn = [samples.draw(0, torch.Generator().manual_seed(n)) for n in range(30)]
    assert any(not torch.equal(one.a, one.b) for one in drawn)
    assert {one.a.shape for one in drawn} == {(3, 4, 4)}
    rises = [bool(one.a[0, 0, 1] > one.a[0, 0, 0]) for one in drawn]
    assert any(rises)
    assert not all(rises)
    assert torch.equal(samples.draw(0, torch.Generator().manual_seed(3)).b, drawn[3].b)


def test_what_is_transparent_shows_the_background(tmp_path: Path) -> None:
    pixels = np.zeros((8, 8, 4), np.uint8)
    pixels[:, :4] = (200, 100, 0, 255)
    for name in "AB":
        (tmp_path / name).mkdir()
        PillowImage.fromarray(pixels).save(tmp_path / name / "x.png")
    found = config("background=[10,20,30]").load(tmp_path).draw(0, torch.Generator()).a
    assert (255 * found[:, 0, 0]).tolist() == pytest.approx([200, 100, 0])
    assert (255 * found[:, 0, 7]).tolist() == pytest.approx([10, 20, 30])


def test_a_part_is_held_out_of_either_kind(tmp_path: Path) -> None:
    for number in range(10):
        paint(tmp_path / "A" / f"{number}.png", 10 + number)
    for number in range(20):
        paint(tmp_path / "B" / f"{number}.png", 100 + number)
    rest, held = config("held_out=0.1"), config("held_out=0.1", "part=held out")
    seen, unseen = (values(one.load(tmp_path)) for one in (rest, held))
    assert [len(set(one)) for one in (*seen, *unseen)] == [9, 18, 1, 2]
    assert not set(seen[0]) & set(unseen[0])
    assert len(held.pictures(tmp_path)) == 3
    few = config("held_out=0.04", "part=held out")
    assert few.pictures(tmp_path) == []
    with pytest.raises(LimnerError, match=r"leaves no pictures of one kind to read: add some, or change data.held_out"):
        few.load(tmp_path)


@pytest.mark.parametrize(
    ("folders", "settings", "message"),
    [
        ((), (), r"must hold two folders of pictures, one for each kind, got 0: name them trainA and trainB, or pass"),
        (("x", "y", "z"), (), "must hold two folders of pictures, one for each kind, got 3"),
        (("x", "y"), ("a=x",), "data.a and data.b are given both or neither, got one: name the other folder too"),
        (("x", "y"), ("a=x", "b=z"), r"z is not a folder: name one that holds pictures"),
        (("x", "y"), ("patch=9",), "patch must be at most resize, got 9 and 8: crop less"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path: Path, folders, settings, message: str) -> None:
    for name in folders:
        paint(tmp_path / name / "a.png", 1)
    with pytest.raises(LimnerError, match=rf"^[^\n]*{message}[^\n]*$"):
        config(*settings).load(tmp_path)


def test_a_sheet_shows_both_ways(tmp_path: Path) -> None:
    paint(tmp_path / "A" / "a.png", 51)
    paint(tmp_path / "B" / "b.png", 102)
    made = config().load(tmp_path).sheet(lambda a, b: (a + 0.1, a + 0.2, b + 0.1, b + 0.2), num_rows=2)
    assert made.shape == (1, 3, 16, 48)
    columns = made[0, 0, 0, ::8].tolist()
    assert columns == pytest.approx([0.2, 0.3, 0.4, 0.4, 0.5, 0.6])
