from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as PillowImage

from limner.catalog.models import build_product
from limner.errors import LimnerError
from limner.files.weights import Header, save_weights
from limner.systems.adversarial.cyclegan import Generators
from limner.systems.adversarial.pix2pix import Generator
from limner.verbs.translate import translate, translated, translator

CONFIG = {"base_channels": 4, "num_downs": 4}


@pytest.fixture
def model(tmp_path: Path) -> str:
    state = build_product("pix2pix", CONFIG).state_dict()
    save_weights(tmp_path / "a.safetensors", state, Header(system="pix2pix", config=CONFIG))
    return str(tmp_path / "a.safetensors")


def test_any_size_is_translated_and_a_seed_decides(model: str) -> None:
    photo = torch.rand(1, 3, 21, 35)
    one, same, other = (translate(photo, model, seed=seed) for seed in (0, 0, 1))
    assert one.shape == photo.shape
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_a_size_that_fits_is_left_as_it_is(model: str) -> None:
    system, photo = translator(model), torch.rand(1, 3, 32, 32)
    assert isinstance(system, Generator)
    rng = torch.Generator().manual_seed(0)
    noise = [torch.rand(port.shape(1, 32, 32), generator=rng) for port in system.inputs[1:]]
    with torch.no_grad():
        assert torch.equal(translated(system, photo), system(photo, *noise).clamp(0, 1))


def test_a_path_for_a_path(model: str, tmp_path: Path) -> None:
    PillowImage.fromarray(np.zeros((20, 30, 3), np.uint8)).save(tmp_path / "map.png")
    made = translate(tmp_path / "map.png", model)
    assert made == tmp_path / "map_a.png"
    with PillowImage.open(made) as picture:
        assert picture.size == (30, 20)


def test_another_system_is_refused() -> None:
    with pytest.raises(LimnerError, match="vdsr is a vdsr, for limner upscale, not for translate: none is built in"):
        translator("vdsr")


def test_a_direction_is_for_models_that_go_both_ways(model: str, tmp_path: Path) -> None:
    with pytest.raises(LimnerError, match="translates one way alone, got the direction 'BA': leave it out"):
        translator(model, "BA")
    config = {"base_channels": 2, "num_blocks": 1, "domains": ["day", "night"]}
    product = build_product("cyclegan", config)
    assert isinstance(product, Generators)
    save_weights(tmp_path / "b.safetensors", product.state_dict(), Header(system="cyclegan", config=config))
    photo = torch.rand(1, 3, 21, 35)
    usual, there, back = (
        translate(photo, str(tmp_path / "b.safetensors"), direction=one) for one in (None, "AB", "BA")
    )
    assert torch.equal(usual, there)
    assert not torch.allclose(there, back)
    with torch.no_grad():
        expected = product.directions["BA"](torch.nn.functional.pad(photo, (0, 1, 0, 3), mode="replicate"))
    torch.testing.assert_close(back, expected[..., :21, :35])
