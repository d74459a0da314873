import json
from collections.abc import Callable
from pathlib import Path

import pytest

from limner.catalog.models import embedded

ARGUMENTS = ["evaluate", "super-resolution", "--data", "sets", "--scale", "2"]


@pytest.fixture(autouse=True)
def sets(place: Path, drawn: Callable) -> None:
    for name in "abcde":
        drawn(place / "sets" / "Set5" / "HR" / f"{name}.png", 32, 28)


def test_the_table_is_printed_and_written(limner: Callable, tiny: Path) -> None:
    done = limner(*ARGUMENTS, "--model", tiny, "-o", "out")
    assert (done.code, done.err) == (0, "")
    assert done.out == Path("out/super-resolution.md").read_text()
    rows = json.loads(Path("out/super-resolution.json").read_text())["rows"]
    assert [(row["method"], "paper_psnr" not in row) for row in rows] == [("bicubic", False), (str(tiny), True)]


def test_the_distance_is_a_column_on_demand(limner: Callable, tiny: Path) -> None:
    told = limner(*ARGUMENTS, "--model", tiny, "--protocol", "rgb", "--distance")
    assert "| VGG distance |" in told.out
    rows = json.loads(Path("super-resolution.json").read_text())["rows"]
    assert all(0 < row["vgg_distance"] < 8 for row in rows)


def test_json_is_printed_on_demand(limner: Callable, tiny: Path) -> None:
    done = limner(*ARGUMENTS, "--model", tiny, "--json")
    assert done.out == Path("super-resolution.json").read_text()


def test_the_papers_network_bears_its_name_once(limner: Callable, place: Path) -> None:
    copy = place / "copy.safetensors"
    copy.write_bytes(embedded()["vdsr"].read_bytes())
    done = limner(*ARGUMENTS, "--model", f"vdsr,{copy}", "--json")
    rows = json.loads(done.out)["rows"]
    assert [row["method"] for row in rows] == ["bicubic", "VDSR", str(copy)]
    assert (rows[1]["paper_psnr"], rows[1]["paper_ssim"]) == (37.53, 0.9587)
    assert "paper_psnr" not in rows[2]


def test_a_repeated_option_adds_to_the_list(limner: Callable, place: Path) -> None:
    copy = place / "copy.safetensors"
    copy.write_bytes(embedded()["vdsr"].read_bytes())
    done = limner(*ARGUMENTS, "--model", "vdsr", "--model", copy, "--protocol", "rgb", "--protocol", "sr-y-4", "--json")
    found = [(row["protocol"], row["method"]) for row in json.loads(done.out)["rows"]]
    assert found == [(protocol, name) for protocol in ("rgb", "sr-y-4") for name in ("bicubic", "VDSR", str(copy))]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--scale", "big"], "--scale must be whole numbers"),
        (["--scale", "1"], "give a protocol and scales of at least 2"),
        (["--protocol", "mine"], "a protocol is one of sr-y-shave"),
        (["--model", "nobody"], "there is no model 'nobody': name edsr-x2"),
        (["--data", "gone"], "there is no such folder"),
        (["-o", "taken"], "taken/super-resolution.json: is already there: pass --force"),
        (["-o", "sets/Set5/HR/a.png"], "a report is written as .md or .json, got sets/Set5/HR/a.png"),
    ],
)
def test_a_wrong_option_is_an_error_of_one_line(
    limner: Callable, place: Path, options: list[str], message: str
) -> None:
    (place / "taken").mkdir()
    (place / "taken" / "super-resolution.json").write_text("precious")
    refused = limner(*ARGUMENTS, *options)
    assert refused.code == 2
    assert message in refused.error
    assert (place / "taken" / "super-resolution.json").read_text() == "precious"
