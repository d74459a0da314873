from pathlib import Path

import pytest
import torch

from limner.errors import LimnerError
from limner.files.weights import Header, save_weights
from limner.runtime.run_options import RunOptions
from limner.systems.feedforward.texture_network import TextureNetwork, TextureNetworkConfig
from limner.verbs.texture import draw_texture, load_network

CONFIG = TextureNetworkConfig(num_scales=3, channels=4, norm="instance")


@pytest.fixture
def model(tmp_path: Path) -> str:
    torch.manual_seed(0)
    path = tmp_path / "bark.safetensors"
    header = Header(system="texture-network", config=CONFIG.model_dump(mode="json"))
    save_weights(path, TextureNetwork(CONFIG).state_dict(), header)
    return str(path)


def test_a_sample_is_the_networks_own(model):
    found = draw_texture(model, (20, 33), seed=4, options=RunOptions(precision="exact", device="cpu"))
    torch.testing.assert_close(found, load_network(model).sample((20, 33), 4))
    fast = draw_texture(model, (20, 33), seed=4, options=RunOptions(device="cpu"))
    assert (fast - found).square().mean().sqrt() < 0.02


def test_seamless_sides_are_multiples(model):
    found = draw_texture(model, (21, 39), seamless=True, options=RunOptions(device="cpu"))
    assert found.shape == (1, 3, 20, 40)


def test_what_does_not_fit_is_refused(model):
    with pytest.raises(LimnerError, match="vdsr is a vdsr, for limner upscale, not for texture"):
        draw_texture("vdsr", 32)
    with pytest.raises(LimnerError, match="temperature must be finite, got inf"):
        draw_texture(model, 32, temperature=float("inf"))
    with pytest.raises(LimnerError, match=r"a texture of 40000x40000 needs about 614.4 GB of memory"):
        draw_texture(model, 40000, options=RunOptions(device="cpu", memory=10**9))
