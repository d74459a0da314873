"""A run that was stopped makes no sheet, and what was asked wrongly is told on one line."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
import typer

from limner import experiments
from limner.experiments.command import image_of, opened
from limner.experiments.options import PAINTING, PHOTO
from limner.loops.optimize import Optimized

EXPERIMENTS_FOLDER = Path(experiments.__file__).parent
EXPERIMENTS = sorted(path.stem for path in EXPERIMENTS_FOLDER.glob("*.py") if "__main__" in path.read_text())


def test_a_stopped_run_ends_the_program(capsys):
    image = torch.rand(1, 3, 4, 4)
    assert torch.equal(image_of(Optimized(image, 3, [1.0], "all steps")), image)
    with pytest.raises(typer.Exit) as ended:
        image_of(Optimized(image, 3, [1.0], "stopped"))
    assert ended.value.exit_code == 1
    assert capsys.readouterr().err == "stopped; no sheet is written\n"


def test_the_packaged_pictures_are_opened_at_the_size_that_is_asked_for():
    assert opened(PHOTO, 60).shape == (1, 3, 40, 60)
    assert opened(PAINTING, 300).shape == (1, 3, 300, 300)


def refused(*words: str) -> list[str]:
    done = subprocess.run([sys.executable, "-m", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 2 and done.stdout == ""
    return done.stderr.splitlines()


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_experiment_tells_errors_as_the_others_do(name: str) -> None:
    assert "    run_program(main)\n" in (EXPERIMENTS_FOLDER / f"{name}.py").read_text()


def test_data_that_cannot_be_used_are_told_on_one_line(tmp_path: Path) -> None:
    lines = refused("limner.experiments.redirections", "--data", str(tmp_path), "--output", str(tmp_path / "a.svg"))
    assert len(lines) == 1 and lines[0].startswith(f"error: {tmp_path} must hold meta.json")
    missing = str(tmp_path / "nowhere")
    lines = refused("limner.experiments.distorted_digits", "--digits", missing, "--held-out", missing)
    assert len(lines) == 1 and lines[0].startswith(f"error: {missing}")
