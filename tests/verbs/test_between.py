"""Ways between classes keep the latent, and pass through each class."""

from pathlib import Path

import pytest
import torch

from limner.catalog.models import build_product
from limner.errors import LimnerError
from limner.files.weights import Header, save_weights
from limner.verbs.generate import generate

CONFIG = {"num_classes": 3, "side": 32, "base_channels": 2, "latent_channels": 8, "class_channels": 4}


@pytest.fixture
def model(tmp_path: Path) -> str:
    torch.manual_seed(0)
    state = build_product("biggan", CONFIG).state_dict()
    save_weights(tmp_path / "a.safetensors", state, Header(system="biggan", config=CONFIG))
    return str(tmp_path / "a.safetensors")


def test_a_row_for_each_latent_goes_from_class_to_class(model: str) -> None:
    rows = generate(model, [2, 0, 1], frames=5, count=2, seed=6).unflatten(0, (2, 5))
    for place, label in ((0, 2), (2, 0), (4, 1)):
        torch.testing.assert_close(rows[:, place], generate(model, label, count=2, seed=6))
    assert not torch.allclose(rows[:, 1], rows[:, 0], atol=1e-4)


def test_a_way_needs_two_classes(model: str) -> None:
    for classes in (None, 1, [1]):
        with pytest.raises(LimnerError, match="knows no objects that are seen from somewhere: leave out views"):
            generate(model, classes, frames=5)
