"""Strokes of another size: what the network works on, and what comes back."""

import pytest
import torch
from torch import nn

from limner.errors import LimnerError
from limner.ops.resample import imresize
from limner.ports import Port
from limner.runtime.run_options import RunOptions
from limner.systems.feedforward.many_styles import RELEASED_SLIM, ManyStyles
from limner.verbs.stylize.network_painter import Painter
from limner.verbs.stylize.strokes import check_stroke, parse_stroke, working_size


class Edges(nn.Module):
    """A stroke of two pixels at each edge of a photo."""

    inputs = (Port("image", "photo"),)
    outputs = (Port("result", "photo"),)

    def __init__(self) -> None:
        super().__init__()
        self.difference = nn.Conv2d(3, 3, (1, 3), padding=(0, 1), padding_mode="reflect", groups=3, bias=False)
        with torch.no_grad():
            self.difference.weight.copy_(torch.tensor([-1.0, 0, 1]).expand(3, 1, 1, 3))

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return self.difference(image)


@pytest.mark.parametrize(
    ("size", "stroke", "expected"),
    [
        ((300, 400), 1.0, None),
        ((300, 400), 2.0, 200),
        ((300, 400), 0.5, 800),
        ((300, 400), "auto", None),
        ((1200, 1600), "auto", 512),
        ((16, 400), 100.0, 200),  # or the shorter side would have less than 8 pixels
    ],
)
def test_the_network_works_on_a_photo_of_this_size(size: tuple, stroke: float, expected: int | None) -> None:
    assert working_size(*size, stroke, least=8) == expected


def width(painting: torch.Tensor) -> int:
    """Of the one stroke of a row, in pixels."""
    return int((painting[0, 0, 10] > 0.5).sum())


def test_strokes_are_as_many_times_as_wide() -> None:
    photo = torch.zeros(1, 3, 96, 128)
    photo[..., 64:] = 1
    painted = {
        stroke: Painter(Edges(), stroke=stroke, options=RunOptions(device="cpu")).paint(photo)
        for stroke in (1.0, 2.0, 4.0)
    }
    assert all(one.shape == photo.shape for one in painted.values())
    assert {stroke: width(one) for stroke, one in painted.items()} == {1.0: 2, 2.0: 4, 4.0: 8}


def test_the_result_is_the_small_painting_enlarged_and_does_not_depend_on_tiles() -> None:
    torch.manual_seed(0)
    network = ManyStyles(RELEASED_SLIM.model_copy(update={"channels": (4, 4, 4), "num_blocks": 1})).eval()
    photo = torch.rand(1, 3, 96, 128)
    exact = RunOptions(device="cpu", precision="exact")
    painted = Painter(network, stroke=2.0, options=exact).paint(photo)
    small = Painter(network, options=exact).paint(imresize(photo, size=(48, 64)).clamp(0, 1))
    assert torch.equal(painted, imresize(small, size=(96, 128)).clamp(0, 1))
    tiled = Painter(network, stroke=2.0, options=RunOptions(device="cpu", precision="exact", tile=16)).paint(photo)
    torch.testing.assert_close(tiled, painted, atol=1e-5, rtol=0)


def test_colours_that_are_kept_are_those_of_the_whole_photo() -> None:
    """The luminance alone comes back from the smaller painting."""
    photo = torch.zeros(1, 3, 96, 128)
    photo[:, 0, :, ::2] = 0.4  # columns of red, which a smaller photo does not show
    painted = Painter(Edges(), stroke=2.0, keep_colors=True, options=RunOptions(device="cpu")).paint(photo)
    assert (painted[0, 0, 10, ::2] - painted[0, 0, 10, 1::2]).mean() > 0.1


def test_what_is_no_stroke_is_refused() -> None:
    assert (parse_stroke("auto"), parse_stroke("2.5")) == ("auto", 2.5)
    with pytest.raises(LimnerError, match="--stroke takes a number, such as 2, or auto, got 'wide'"):
        parse_stroke("wide")
    for wrong in (0.0, -1.0, float("inf"), float("nan")):
        with pytest.raises(LimnerError, match="stroke must be auto or a number above 0"):
            check_stroke(wrong)
