"""What is judged is not seen, and what is learnt from is half of the judged chairs."""

from pathlib import Path

import pytest
import torch
from tests.kit_data import rendered

from limner.data.rendered import Place, RenderedPictures
from limner.errors import LimnerError
from limner.experiments import chair_counts
from limner.experiments.chair_counts import FEW_VIEWS, judged_chairs, main, parts

CHAIRS, AZIMUTHS = 6, 8


def pictures() -> RenderedPictures:
    places = [Place(f"{chair}/{view}", chair, 0.3, 0.5 * view) for chair in range(CHAIRS) for view in range(AZIMUTHS)]
    images = torch.arange(len(places), dtype=torch.uint8)[:, None, None, None].expand(-1, 4, 8, 8)
    return RenderedPictures(places, images, CHAIRS, 0.0)


def test_views_that_are_judged_are_not_learnt_from() -> None:
    learnt, unseen = parts(pictures(), judged_chairs(CHAIRS, 2), 3)
    assert {one.style for one in unseen.places} == {0, 3}
    assert not {one.name for one in learnt.places} & {one.name for one in unseen.places}
    assert len(unseen) == 2 * (AZIMUTHS - AZIMUTHS // FEW_VIEWS)


def test_half_of_what_is_learnt_from_is_of_the_chairs_that_are_judged() -> None:
    learnt, _ = parts(pictures(), [0, 3], 4)
    own = [one for one in learnt.places if one.style in (0, 3)]
    assert 2 * len(own) == len(learnt) == 2 * 4 * AZIMUTHS
    alone, _ = parts(pictures(), [0, 3], 0)
    assert {one.name for one in alone.places} == {one.name for one in own}


def test_pictures_stay_with_their_places() -> None:
    whole = pictures()
    learnt, _ = parts(whole, [1], 2)
    numbers = {one.name: index for index, one in enumerate(whole.places)}
    assert [int(image[0, 0, 0]) for image in learnt.images] == [numbers[one.name] for one in learnt.places]


def test_more_chairs_than_there_are() -> None:
    with pytest.raises(LimnerError, match="at most 4 other chairs, got 5"):
        parts(pictures(), [0, 3], 5)


def test_a_run_writes_the_table_and_the_sheet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setattr(chair_counts, "FEW_VIEWS", 2)
    place = rendered(tmp_path / "a")
    sheet, table = tmp_path / "sheet.png", tmp_path / "table.md"
    main(place, sheet, table, counts="0,1", judged=1, steps=2, threads=1)
    assert capsys.readouterr().out == f"{table}\n{sheet}\n"
    text = table.read_text(encoding="utf-8")
    assert [line.split(" |")[0] for line in text.splitlines() if "other chairs |" in line] == [
        "| 0 other chairs",
        "| 1 other chairs",
    ]
    assert sheet.is_file()
