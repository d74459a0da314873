"""What memory cannot hold is refused before the work."""

import pytest
import torch

import limner
from limner.errors import LimnerError
from limner.media.sized import resized_photo


def test_a_size_that_fits_is_the_longer_side() -> None:
    assert resized_photo(torch.rand(1, 3, 20, 40), 20).shape == (1, 3, 10, 20)
    assert resized_photo(torch.rand(1, 3, 20, 40), None).shape == (1, 3, 20, 40)


@pytest.mark.parametrize("method", ["fast", "gatys"])
def test_a_painting_larger_than_memory_is_refused(method: str) -> None:
    with pytest.raises(LimnerError, match=r"a picture of 999999x666666 pixels takes .* to make"):
        limner.stylize(torch.rand(1, 3, 24, 36), "great-wave", method=method, size=999999)


def test_a_texture_larger_than_memory_is_refused() -> None:
    with pytest.raises(LimnerError, match="a picture of 999999x888888 pixels"):
        limner.texture(torch.rand(1, 3, 64, 64), size=(888888, 999999))
