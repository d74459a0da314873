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
from limner.media.outputs import plan_outputs
from limner.runtime.run_options import RunOptions
from limner.verbs.stylize.methods import one_pass_painter
from limner.verbs.stylize.style import parse_style
from limner.verbs.stylize.stylize_many import PaintWorker


@pytest.fixture
def two_threads():
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(1)


def painter(method: str, **how):
    options = RunOptions(device="cpu", backend="torch")
    return one_pass_painter(method, [parse_style("starry-night")], options=options, **how)


@pytest.mark.parametrize("method", ["fast", "any-style"])
def test_photos_at_once_are_painted_as_each_is_alone(
    method: str, place: Path, drawn: Callable, two_threads: None
) -> None:
    names = [drawn(Path(f"{number}.png"), 384, 48 + 4 * (number % 3)) for number in range(4)]
    planned = plan_outputs(find_pictures(names), Naming("{stem}_painted"), output="out/", suffix=None).jobs
    worker = PaintWorker(painter(method))
    assert all(map(worker.is_light, planned))
    work_through(planned, worker, Mock(spec=Observer))
    for job in planned:
        alone = painter(method).paint_picture(read_image(job.source))
        assert np.array_equal(read_image(job.target).pixels, alone.pixels)


def test_what_is_light_is_painted_by_one_network_as_large_as_it_is(two_threads: None) -> None:
    for method in ("fast", "any-style"):
        assert painter(method).is_light(384, 384)
        assert not painter(method, size=256).is_light(384, 384)
        assert not painter(method, stroke=2.0).is_light(384, 384)
    assert not painter("any-style", keep_colors=True).is_light(384, 384)
    assert not painter("any-style").is_light(
        100, 120
    )  # its style is shown smaller, as one network for that size has it
