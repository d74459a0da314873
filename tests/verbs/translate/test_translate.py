from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as PillowImage

from limner.catalog.models import build_product
from limner.errors import LimnerError
from limner.files.weights import Header, save_weights
from limner.systems.adversarial.cyclegan import Generators
from limner.verbs.translate.translate import translate

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


def test_a_path_for_a_path(model: str, tmp_path: Path) -> None:
    PillowImage.fromarray(np.zeros((20, 30, 3), np.uint8)).save(tmp_path / "map.png")
    made = translate(tmp_path / "map.png", model)
    assert made == tmp_path / "map_a.png"
    with PillowImage.open(made) as picture:
        assert picture.size == (30, 20)


def test_an_array_keeps_its_kind_and_its_bits(model: str) -> None:
    deep = np.random.default_rng(0).integers(0, 65536, (20, 30, 3), dtype=np.uint16)
    made = translate(deep, model)
    assert (made.shape, made.dtype) == (deep.shape, deep.dtype)
    assert len(np.unique(made % 257)) > 100  # more than 8 bits


def test_parts_are_the_whole(model: str) -> None:
    photo = torch.rand(1, 3, 90, 70)
    whole, parts = (translate(photo, model, precision="exact", tile=tile) for tile in (None, 32))
    torch.testing.assert_close(parts, whole, atol=2e-5, rtol=0)


def test_a_direction_is_for_models_that_go_both_ways(model: str, tmp_path: Path) -> None:
    photo = torch.rand(1, 3, 20, 36)
    with pytest.raises(LimnerError, match="translates one way alone, got the direction 'BA': leave it out"):
        translate(photo, model, direction="BA")
    config = {"base_channels": 2, "num_blocks": 1, "domains": ["day", "night"]}
    product = build_product("cyclegan", config)
    assert isinstance(product, Generators)
    save_weights(tmp_path / "b.safetensors", product.state_dict(), Header(system="cyclegan", config=config))
    usual, there, back = (
        translate(photo, str(tmp_path / "b.safetensors"), direction=one, precision="exact")
        for one in (None, "AB", "BA")
    )
    assert torch.equal(usual, there)
    assert not torch.allclose(there, back)
    with torch.no_grad():
        torch.testing.assert_close(back, product.directions["BA"](photo), atol=1e-5, rtol=0)


def test_both_ways_are_run_in_parts_exactly(tmp_path: Path) -> None:
    config = {"base_channels": 4, "num_blocks": 2}
    product = build_product("cyclegan", config)
    save_weights(tmp_path / "b.safetensors", product.state_dict(), Header(system="cyclegan", config=config))
    photo = torch.rand(1, 3, 90, 70)
    whole, parts = (
        translate(photo, str(tmp_path / "b.safetensors"), direction="BA", precision="exact", tile=tile)
        for tile in (None, 32)
    )
    torch.testing.assert_close(parts, whole, atol=2e-5, rtol=0)


def test_what_is_transparent_is_on_the_colour_that_was_learnt(tmp_path: Path) -> None:
    config = {"base_channels": 4, "num_blocks": 1, "background": [10, 20, 30]}
    product = build_product("cyclegan", config)
    save_weights(tmp_path / "b.safetensors", product.state_dict(), Header(system="cyclegan", config=config))
    pixels = np.random.default_rng(0).integers(0, 256, (16, 16, 4), dtype=np.uint8)
    pixels[..., 3] = np.where(np.arange(16) < 8, 255, 0)
    shown = np.where(pixels[..., 3:] > 0, pixels[..., :3], np.uint8([10, 20, 30]))
    made, expected = (translate(one, str(tmp_path / "b.safetensors"), precision="exact") for one in (pixels, shown))
    assert made.shape == (16, 16, 3)
    assert np.abs(made.astype(int) - expected).max() <= 1
