"""Patterns are there where they must be, at the periods of the scales."""

from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import torch
from PIL import Image as PillowImage
from tests.experiments.marked_cells import TINY, nuclei

from limner.experiments import upsampling
from limner.experiments.upsampling import OPERATORS, SMALL, Pattern, main, panels_of, pattern
from limner.layers.upsampling import Operator
from limner.systems.segmentation.hourglass import HourglassNet


def found(name: str) -> Pattern:
    torch.manual_seed(0)
    return pattern(HourglassNet(SMALL.model_copy(update={"unpooling": OPERATORS[name]})), 0.1, torch.rand(1, 1, 64, 64))


def test_all_operators_are_there() -> None:
    assert set(OPERATORS.values()) == {*get_args(Operator), "max"}


@pytest.mark.parametrize("name", ["nearest", "bilinear", "resize-convolution"])
def test_what_fills_all_pixels_alike_leaves_no_pattern(name: str) -> None:
    assert found(name).strength < 1e-4


@pytest.mark.parametrize("name", ["bed of nails", "max unpooling", "transposed", "sub-pixel"])
def test_what_fills_them_by_turns_leaves_one_at_the_periods_of_the_scales(name: str) -> None:
    left = found(name)
    assert left.strength > 1e-3
    peaks = left.power.clone()
    peaks[::8, ::8] = 0  # periods of eight pixels, and their harmonics: of four, of two
    assert peaks.sum() < 1e-6 * left.power.sum()
    assert left.power.sum().sqrt().item() == pytest.approx(left.strength)


def test_the_panels_of_a_checkerboard() -> None:
    board = torch.tensor([[1.0, -1], [-1, 1]]).repeat(32, 32) / 100
    power = torch.zeros(64, 64)
    power[0, 0] = 1e-4  # which is that of half the pixels, across and down
    values, spectrum = panels_of(Pattern(board, power), "checks", "fresh")
    assert (values.label, spectrum.label) == ("checks, fresh", "1.0 %")
    assert values.image[0, 0, :4, :4].tolist() == [[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 1], [0, 0, 1, 1]]
    assert spectrum.image[0, 0, 0, 0].item() == pytest.approx(0.5)
    assert spectrum.image[0, 0, 2:].max() == 0


def test_a_run_writes_the_sheet_and_the_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setattr(upsampling, "NUCLEI", TINY)
    monkeypatch.setattr(upsampling, "SMALL", SMALL.model_copy(update={"channels": 2}))
    sheet, table = tmp_path / "sheet.png", tmp_path / "table.md"
    main(nuclei(tmp_path), sheet, table, steps=2, batch=1)
    assert capsys.readouterr().out == f"{table}\n{sheet}\n"
    names = [line.split(" | ")[0] for line in table.read_text().splitlines() if line.startswith("| ")][1:]
    assert names == [f"| {name}" for name in OPERATORS]
    with PillowImage.open(sheet) as picture:
        assert np.array(picture).std() > 10
