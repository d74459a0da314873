"""Photos stand beside their projections, of the best class, whether there is an encoder or not."""

from pathlib import Path

import pytest
import torch
from PIL import Image as PillowImage

import limner
from limner.catalog.models import build_product, load
from limner.errors import LimnerError
from limner.files.weights import Header, save_weights

CONFIG = {"num_classes": 3, "side": 8, "class_units": 8, "joint_units": 8}


def saved(folder: Path, name: str, config: dict, factor: float = 1.0) -> str:
    torch.manual_seed(0)
    state = build_product(name, config).state_dict()
    state = {key: factor * value if key.endswith("weight") else value for key, value in state.items()}
    save_weights(folder / f"{name}.safetensors", state, Header(system=name, config=config))
    return str(folder / f"{name}.safetensors")


def photo(folder: Path, image: torch.Tensor) -> Path:
    PillowImage.fromarray((255 * image[0]).round().byte().numpy()).save(folder / "photo.png")
    return folder / "photo.png"


@pytest.mark.parametrize(
    ("name", "config", "factor"),
    [("conditional-gan", CONFIG, 5.0), ("vae", {"side": 8, "latent_channels": 3, "hidden_units": 9}, 60.0)],
)
def test_a_made_picture_is_met(tmp_path: Path, name: str, config: dict, factor: float) -> None:
    model = saved(tmp_path, name, config, factor)
    made = limner.generate(model, None if name == "vae" else 2, count=1, seed=77)
    both = limner.generate(model, project=photo(tmp_path, made[0]))
    assert both.shape == (2, 1, 8, 8)
    torch.testing.assert_close(both[:1], made, atol=0.003, rtol=0)
    others = limner.generate(model, count=12)
    assert (both[1] - both[0]).square().mean() < 0.5 * (others - both[0]).square().mean((1, 2, 3)).min()


def test_a_run_is_reproducible_and_leaves_weights_as_they_are(tmp_path: Path) -> None:
    model = saved(tmp_path, "conditional-gan", CONFIG)
    place = photo(tmp_path, torch.rand(1, 8, 8))
    one, other = (limner.generate(model, [0], project=[place], seed=3) for _ in range(2))
    assert torch.equal(one, other)
    assert not torch.equal(one[1], limner.generate(model, [0], project=[place], seed=9)[1])


def test_photos_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    model = saved(tmp_path, "conditional-gan", CONFIG)
    with pytest.raises(LimnerError, match=r"nowhere\.png"):
        limner.generate(model, project=tmp_path / "nowhere.png")
    assert load(model)
