from collections.abc import Callable
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
import torch

from limner.files.image import read_image
from limner.media.inputs import find_pictures
from limner.media.many_files import Observer, work_through
from limner.media.names import Naming
from limner.media.outputs import Job, plan_outputs
from limner.runtime.run_options import RunOptions
from limner.verbs.upscale.upscale import Upscaler
from limner.verbs.upscale.upscale_many import UpscaleWorker


def jobs(*names: Path, compare: bool = False) -> list[Job]:
    return plan_outputs(find_pictures(names), Naming("{stem}_x2"), output="out/", suffix=None, compare=compare).jobs


@pytest.fixture
def two_threads():
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(1)


def test_photos_at_once_are_enlarged_as_each_is_alone(place: Path, drawn: Callable, two_threads: None) -> None:
    planned = jobs(*(drawn(Path(f"{number}.png"), 24 + number % 3) for number in range(6)))
    worker = UpscaleWorker(Upscaler("edsr-x2", 2, RunOptions(device="cpu", backend="torch")))
    assert all(map(worker.is_light, planned))
    work_through(planned, worker, Mock(spec=Observer))
    for job in planned:
        alone = Upscaler("edsr-x2", 2, RunOptions(device="cpu", backend="torch")).enlarge_picture(
            read_image(job.source)
        )
        assert np.array_equal(read_image(job.target).pixels, alone.pixels)


def test_what_is_compared_or_verified_is_enlarged_one_by_one(place: Path, drawn: Callable, two_threads: None) -> None:
    photo, upscaler = drawn(Path("photo.png")), Upscaler("edsr-x2", 2, RunOptions(device="cpu", backend="torch"))
    assert UpscaleWorker(upscaler).is_light(*jobs(photo))
    assert not UpscaleWorker(upscaler).is_light(*jobs(photo, compare=True))
    assert not UpscaleWorker(upscaler, verify=True).is_light(*jobs(photo))
