import json
import math
from dataclasses import replace

from limner.measure.report import Machine, Method, Report, Row, Table
from limner.measure.super_resolution import COLUMNS

MACHINE = Machine("A CPU", 2, "none", "2.13.0", "2026-01-02 03:04 UTC")
FACTS: dict[str, str | int] = {"benchmark": "Set5", "scale": 2, "num_images": 5}
FIGURES = {"psnr": 37.5, "paper_psnr": 37.53, "ssim": 0.95871, "paper_ssim": 0.9587, "seconds": 0.1234}
ROW = Row("Set5 x2", "VDSR", FIGURES, FACTS)
OTHER = Row("Set5 x4", "a|b", {"psnr": math.inf, "ssim": 1.0, "seconds": 2.0}, {**FACTS, "scale": 4}, "why")
REPORT = Report(
    "Super-resolution on benchmark sets",
    MACHINE,
    (Method("VDSR", "float32", "sha256:ab"), Method("a|b")),
    (Table("sr-y-shave", "One way.", COLUMNS, (ROW,)), Table("rgb", "Another.", COLUMNS, (OTHER,))),
)


def of(*rows: Row, **more: object) -> Report:
    return Report("", MACHINE, (), (Table("sr-y-shave", "", COLUMNS, rows, **more),))  # type: ignore[arg-type]


def test_markdown() -> None:
    head = (
        "| set | scale | method | PSNR (dB) | paper PSNR | difference "
        "| SSIM | paper SSIM | difference | seconds / image | note |\n"
        "|---|---|---|---|---|---|---|---|---|---|---|\n"
    )
    assert REPORT.to_markdown() == (
        "# Super-resolution on benchmark sets\n\n"
        "- date: 2026-01-02 03:04 UTC\n"
        "- processor: A CPU, 2 threads; accelerator: none\n"
        "- torch: 2.13.0\n"
        "- VDSR: float32, weights sha256:ab\n"
        "- a\\|b: float32\n\n"
        f"## sr-y-shave\n\nOne way.\n\n{head}"
        "| Set5 (5) | x2 | VDSR | 37.500 | 37.53 | -0.030 | 0.9587 | 0.9587 | +0.0000 | 0.123 |  |\n\n"
        f"## rgb\n\nAnother.\n\n{head}"
        "| Set5 (5) | x4 | a\\|b | inf |  |  | 1.0000 |  |  | 2 | why |\n"
    )


def test_a_figure_without_ssim() -> None:
    row = Row("Set5 x4", "bicubic", {"psnr": 28.44, "paper_psnr": 28.43, "ssim": 0.8, "seconds": 0.1}, FACTS)
    assert "| 28.440 | 28.43 | +0.010 | 0.8000 |  |  | 0.1 |" in of(row).to_markdown()


def test_a_distance_has_its_column() -> None:
    rows = (replace(ROW, figures={**FIGURES, "vgg_distance": 0.12345}), replace(ROW, method="other"))
    lines = of(*rows).to_markdown().splitlines()
    assert "| SSIM | paper SSIM | difference | VGG distance | seconds / image | note |" in lines[-4]
    assert lines[-4].count("|") == lines[-3].count("|") == lines[-2].count("|") == lines[-1].count("|")
    assert lines[-2].endswith("| +0.0000 | 0.1235 | 0.123 |  |")
    assert lines[-1].endswith("| +0.0000 |  | 0.123 |  |")


def test_a_card_keeps_the_models_figures_beside_the_baselines() -> None:
    baseline = Row("Set5 x2", "bicubic", {"psnr": 33.66123, "ssim": 0.93})
    report = of(baseline, ROW, in_card={"psnr": ".3f", "paper_psnr": ""}, baseline="bicubic", of_baseline=("psnr",))
    figures = {"psnr": 37.5, "paper_psnr": 37.53, "bicubic_psnr": 33.661}
    assert report.metrics == {"sr-y-shave": {"Set5 x2": figures}}
    assert REPORT.metrics == {}


def test_json_holds_everything_and_is_valid() -> None:
    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is not JSON")

    told = json.loads(REPORT.to_json(), parse_constant=refuse)
    assert told["machine"]["threads"] == 2
    assert told["protocols"][0]["name"] == told["rows"][0]["protocol"] == "sr-y-shave"
    assert told["rows"][0] | FACTS | FIGURES == told["rows"][0]
    assert told["rows"][1]["psnr"] == "inf"


def test_this_machine_has_a_name() -> None:
    machine = Machine.here()
    assert machine.processor
    assert machine.threads >= 1
    assert machine.date.endswith("UTC")
