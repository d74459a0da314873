"""A run that was stopped makes no sheet."""

import pytest
import torch
import typer

from limner.experiments.command import image_of, opened
from limner.experiments.options import PAINTING, PHOTO
from limner.loops.optimize import Optimized


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
