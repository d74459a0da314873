"""The sweep of steadiness: what is painted, and what the report says of it."""

import pytest
import torch
from benchmarks.style.fast_style_video import SWEEP, Remembering, Row, chart, compared, mean, report, to_and_fro
from benchmarks.style.flow_pairs import FlowPair

from benchmarks.style import fast_style_video
from limner.systems.feedforward.fast_style import SLIM, FastStyle
from limner.systems.feedforward.many_styles import RELEASED_SLIM, ManyStyles

pytest.importorskip("cv2")

TINY = SLIM.model_copy(update={"channels": (4, 6, 8), "num_blocks": 1})
MANY = RELEASED_SLIM.model_copy(update={"channels": (4, 6, 8), "num_blocks": 1})


def still(side: int = 48) -> FlowPair:
    coarse = torch.rand(1, 3, 6, 6, generator=torch.Generator().manual_seed(1))
    picture = torch.nn.functional.interpolate(coarse, size=(side, side), mode="bicubic").clamp(0, 1)
    return FlowPair(picture, picture.clone(), torch.zeros(1, 2, side, side))


def rows():
    return [
        Row(pair, "mosaic", one, error=10.0 * (1 - one) + 1, sharpness=1 - one / 2, moved=one, style=0.25)
        for pair in ("A", "B")
        for one in SWEEP
    ]


def test_without_steadiness_each_frame_is_painted_by_itself():
    painter, pair = Remembering(FastStyle(TINY)), still()
    first, second = to_and_fro(painter, pair, 0.0, 3)
    assert first is painter.paint(pair.first)
    assert second is painter.paint(pair.second)


@pytest.mark.parametrize("network", [FastStyle(TINY), ManyStyles(MANY)])
def test_a_steady_scene_is_painted_as_it_is_by_any_steadiness(network):
    still_rows = list(compared("A", "mosaic", still(), network.eval(), 2))
    assert [row.steadiness for row in still_rows] == list(SWEEP)
    for row in still_rows:
        assert row.error < 1
        assert row.moved < 1
        assert row.sharpness == pytest.approx(1, abs=0.02)
        assert row.style == pytest.approx(still_rows[0].style, rel=0.02)


def test_means_are_of_the_chosen_rows():
    assert mean(rows(), "error", pair="A", steadiness=0.5) == 6
    assert mean(rows(), "style", style_name="mosaic") == 0.25


def test_the_report_and_the_chart_have_every_steadiness():
    machine = {
        "processor": "one",
        "threads": 2,
        "accelerator": "none",
        "torch": "2",
        "date": "now",
        "processor_class": "AVX2",
    }
    told = {"machine": machine, "command": "it", "size": 64, "times": 2, "styles": ["mosaic"], "frames": {"A": 3.0}}
    text = "\n".join(report(told | {"rows": [vars(row) for row in rows()]}))
    assert "| 0.5 | **6.0** | 1.83 | 75% | 0.5 | 0.250 |" in text
    assert "| A | mosaic | 3.0 | 11.0 | 6.0 | 4.0 | 2.0 |" in text
    pairs = {row.pair for row in rows()}
    assert all(chart(rows()).count(f">{pair}</text>") == 2 for pair in pairs)  # in the legend of both charts


def test_without_the_frames_it_says_so_and_does_nothing(tmp_path, capsys):
    fast_style_video.main("styles", tmp_path, out=tmp_path)
    assert capsys.readouterr().out.startswith(f"skipped: {tmp_path / 'video_flow'} is not there")
    assert not list(tmp_path.iterdir())
