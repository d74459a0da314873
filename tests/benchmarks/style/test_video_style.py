"""The report on painted frames, on made-up figures."""

from benchmarks.style import video_style


def test_the_report_has_every_figure():
    row = {"pair": "A", "style_picture": "b", "way": "c", "error": 1.25, "style": 0.1, "content": 0.2, "steps": 3}
    flow = dict.fromkeys(("mean", "median", "mean_in_sight", "trusted", "frames_themselves"), 0.5)
    found = {"machine": "one", "command": "make it", "rows": [{**row, "seconds": 4.0}], "flow": {"A": flow}}
    page = video_style.report(found)
    assert "| A | b | c | **1.2** | 0.100 | 0.200 | 3 | 4 |" in page
    assert "| A | 0.50 | 0.500 | 0.50 | 50% | 0.5 |" in page
