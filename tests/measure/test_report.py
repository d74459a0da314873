import json
import math
from dataclasses import replace

from limner.measure.report import Method, Report, Row
from limner.metrics.protocols import RGB, SR_Y_SHAVE
from limner.metrics.published import Figure
from limner.processor import Machine

MACHINE = Machine("A CPU", 2, "none", "2.13.0", "2026-01-02 03:04 UTC", "AVX2")
ROW = Row("sr-y-shave", "Set5", 2, "VDSR", 5, 37.5, 0.95871, 0.1234, Figure(37.53, 0.9587))
REPORT = Report(
    MACHINE,
    (SR_Y_SHAVE, RGB),
    (Method("VDSR", "float32", "sha256:ab"), Method("a|b")),
    (ROW, Row("rgb", "Set5", 4, "a|b", 5, math.inf, 1.0, 2.0, note="why")),
)


def test_markdown() -> None:
    head = (
        "| set | scale | method | PSNR (dB) | paper PSNR | difference "
        "| SSIM | paper SSIM | difference | seconds / image | note |\n"
        "|---|---|---|---|---|---|---|---|---|---|---|\n"
    )
    assert REPORT.to_markdown() == (
        "# Super-resolution on benchmark sets\n\n"
        "- date: 2026-01-02 03:04 UTC\n"
        "- processor: AVX2, 2 threads\n"
        "- torch: 2.13.0\n"
        "- VDSR: float32, weights sha256:ab\n"
        "- a\\|b: float32\n\n"
        f"## sr-y-shave\n\n{SR_Y_SHAVE.description}\n\n{head}"
        "| Set5 (5) | x2 | VDSR | 37.500 | 37.53 | -0.030 | 0.9587 | 0.9587 | +0.0000 | 0.123 |  |\n\n"
        f"## rgb\n\n{RGB.description}\n\n{head}"
        "| Set5 (5) | x4 | a\\|b | inf |  |  | 1.0000 |  |  | 2 | why |\n"
    )


def test_a_figure_without_ssim() -> None:
    row = Row("sr-y-shave", "Set5", 4, "bicubic", 5, 28.44, 0.8, 0.1, Figure(28.43, None))
    assert (
        "| 28.440 | 28.43 | +0.010 | 0.8000 |  |  | 0.1 |" in Report(MACHINE, (SR_Y_SHAVE,), (), (row,)).to_markdown()
    )


def test_a_distance_has_its_column() -> None:
    rows = (replace(ROW, distance=0.12345), replace(ROW, method="other"))
    lines = Report(MACHINE, (SR_Y_SHAVE,), (), rows).to_markdown().splitlines()
    assert "| SSIM | paper SSIM | difference | VGG distance | seconds / image | note |" in lines[-4]
    assert lines[-4].count("|") == lines[-3].count("|") == lines[-2].count("|") == lines[-1].count("|")
    assert lines[-2].endswith("| +0.0000 | 0.1235 | 0.123 |  |")
    assert lines[-1].endswith("| +0.0000 |  | 0.123 |  |")


def test_json_holds_everything_and_is_valid() -> None:
    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is not JSON")

    told = json.loads(REPORT.to_json(), parse_constant=refuse)
    assert told["machine"]["threads"] == 2
    assert told["protocols"][0]["name"] == "sr-y-shave"
    assert told["rows"][0]["psnr"] == 37.5
    assert told["rows"][1]["psnr"] == "inf"
    assert told["rows"][0]["published"] == [37.53, 0.9587]
