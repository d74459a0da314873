from pathlib import Path

import pytest
import torch

from limner.catalog.models import build_product
from limner.errors import LimnerError
from limner.files.weights import Header, save_weights
from limner.verbs.generate import generate

CONFIG = {"num_classes": 3, "side": 4, "class_units": 8, "joint_units": 8}


@pytest.fixture
def model(tmp_path: Path) -> str:
    state = build_product("conditional-gan", CONFIG).state_dict()
    save_weights(tmp_path / "a.safetensors", state, Header(system="conditional-gan", config=CONFIG))
    return str(tmp_path / "a.safetensors")


def test_a_picture_is_that_of_its_seed_and_class(model: str) -> None:
    four = generate(model, 1, count=4, seed=5)
    assert four.shape == (4, 1, 4, 4)
    torch.testing.assert_close(four[2:], generate(model, 1, count=2, seed=7))
    assert not torch.allclose(four[0], four[1])
    assert not torch.allclose(four, generate(model, 2, count=4, seed=5))


def test_without_a_class_all_come_in_turn(model: str) -> None:
    torch.testing.assert_close(generate(model, count=5), generate(model, [0, 1, 2], count=5))
    torch.testing.assert_close(generate(model, count=5)[4:], generate(model, 1, count=1, seed=4))


def test_what_cannot_be_is_refused(model: str) -> None:
    with pytest.raises(LimnerError, match="a class must be a whole number from 0 to 2, got 3"):
        generate(model, 3)
    with pytest.raises(LimnerError, match="vdsr is a vdsr, for limner upscale, not for generate: none is built in"):
        generate("vdsr")
    with pytest.raises(LimnerError, match="count must be a whole number of at least 1, got 0"):
        generate(model, count=0)
