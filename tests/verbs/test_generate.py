from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image as PillowImage

from limner.catalog.models import build_product, load
from limner.errors import LimnerError
from limner.files.weights import Header, save_weights
from limner.ops.latents import slerp
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
    with pytest.raises(LimnerError, match="vdsr is a vdsr, for limner upscale, not for generate: name chairs, digits-"):
        generate("vdsr")
    with pytest.raises(LimnerError, match="count must be a whole number of at least 1, got 0"):
        generate(model, count=0)


@pytest.fixture
def vae(tmp_path: Path) -> str:
    config = {"side": 8, "latent_channels": 3, "hidden_units": 9}
    torch.manual_seed(0)
    state = build_product("vae", config).state_dict()
    state["decoder.0.weight"] *= 100  # so that latents tell
    state["decoder.2.weight"] *= 100
    save_weights(tmp_path / "v.safetensors", state, Header(system="vae", config=config))
    return str(tmp_path / "v.safetensors")


def test_a_way_has_both_its_ends_and_its_middle_between(vae: str) -> None:
    way = generate(vae, interpolate=(3, 8), frames=5)
    ends = torch.cat([generate(vae, count=1, seed=seed) for seed in (3, 8)])
    torch.testing.assert_close(way[[0, 4]], ends)
    first, last = (torch.randn(3, generator=torch.Generator().manual_seed(seed)) for seed in (3, 8))
    middle = slerp(first, last, torch.tensor([0.5]))
    torch.testing.assert_close(way[2:3], load(vae)[0](middle))


def test_a_way_goes_through_each_class(model: str) -> None:
    way = generate(model, [2, 0], interpolate=(3, 8), frames=4)
    assert way.shape == (8, 1, 4, 4)
    torch.testing.assert_close(way[[0, 3]], torch.cat([generate(model, 2, count=1, seed=one) for one in (3, 8)]))
    torch.testing.assert_close(way[[4, 7]], torch.cat([generate(model, 0, count=1, seed=one) for one in (3, 8)]))


def test_a_sum_shows_its_terms_and_then_itself(vae: str) -> None:
    made = generate(vae, arithmetic="3 - 4,5 + 9")
    latents = [torch.randn(3, generator=torch.Generator().manual_seed(seed)) for seed in (3, 4, 5, 9)]
    mean = (latents[1] + latents[2]) / 2
    expected = torch.stack([latents[0], mean, latents[3], latents[0] - mean + latents[3]])
    torch.testing.assert_close(made, load(vae)[0](expected))


def test_pictures_and_folders_are_their_latents(vae: str, tmp_path: Path) -> None:
    (tmp_path / "many").mkdir()
    images = torch.rand(2, 1, 8, 8).mul(255).round() / 255
    for name, image in zip("ab", images, strict=True):
        pixels = (image[0] * 255).round().to(torch.uint8).numpy()
        PillowImage.fromarray(pixels).save(tmp_path / "many" / f"{name}.png")
    system: Any = load(vae)[0]
    mean = system.latents(images).mean(0, keepdim=True)
    made = generate(vae, interpolate=(tmp_path / "many", tmp_path / "many" / "b.png"), frames=2)
    torch.testing.assert_close(made, system(torch.cat([mean, system.latents(images[1:])])), atol=1e-4, rtol=1e-4)


def test_a_way_is_written_as_a_gif_of_all_classes(model: str, tmp_path: Path) -> None:
    generate(model, [0, 1, 2], interpolate=(0, 1), frames=3, output=tmp_path / "way.gif")
    with PillowImage.open(tmp_path / "way.gif") as way:
        assert (getattr(way, "n_frames", 1), way.size) == (3, (12, 4))


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"interpolate": (1, 2), "arithmetic": "1 + 2"}, "name one of interpolate, arithmetic, project"),
        ({"project": "a.png", "arithmetic": "1 + 2"}, "name one of interpolate, arithmetic, project"),
        ({"interpolate": ("nowhere.png", 2)}, "a latent is that of a seed, a picture or a folder of pictures, got"),
        ({"arithmetic": "3 - "}, "a term must be whole numbers|arithmetic is terms"),
        ({"arithmetic": "a + 2"}, "a term must be whole numbers as 0-3,7, got 'a'"),
        ({"frames": 3}, "knows no objects that are seen from somewhere"),
    ],
)
def test_no_way_and_no_sum_is_refused(vae: str, given: dict, error: str) -> None:
    with pytest.raises(LimnerError, match=error):
        generate(vae, **given)


def test_a_generator_without_an_encoder_takes_no_pictures(model: str, tmp_path: Path) -> None:
    PillowImage.new("L", (4, 4)).save(tmp_path / "a.png")
    with pytest.raises(
        LimnerError, match="finds no latents of pictures, a vae or a stylegan does: name seeds, or project it"
    ):
        generate(model, interpolate=(tmp_path / "a.png", 2))
