from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image as PillowImage
from torch import nn

from limner import stylize
from limner.errors import LimnerError
from limner.files.weights import Header, save_weights
from limner.ops.noise import noise_at
from limner.ports import PHOTO, Port
from limner.runtime.run_options import RunOptions
from limner.systems.feedforward.many_styles import RELEASED_SLIM, ManyStyles
from limner.systems.feedforward.texture_network import TextureNetwork, TextureNetworkConfig
from limner.verbs.stylize import network_painter as painter
from limner.verbs.stylize.named_styles import named_styles, style_picture
from limner.verbs.stylize.network_painter import Painter, known_styles, one_pass

EXACT = RunOptions(precision="exact")


class Darker(nn.Module):
    """Half the light."""

    inputs = (Port("image", "photo", multiple=4),)
    outputs = (PHOTO,)

    def forward(self, image):
        assert image.shape[-1] % 4 == image.shape[-2] % 4 == 0
        return 0.5 * image


def test_a_photo_of_any_size_is_painted_at_its_own():
    image = torch.rand(1, 3, 9, 14)
    torch.testing.assert_close(Painter(Darker(), options=EXACT).paint(image), 0.5 * image)


def test_noise_is_added_the_same_to_each_photo():
    network = Darker()
    network.inputs = (Port("image", "photo", multiple=4, noise=0.1),)
    image = torch.full((1, 3, 64, 64), 0.5)
    one, again = (Painter(network, options=EXACT).paint(image) for _ in range(2))
    assert torch.equal(one, again)
    assert one.std().item() == pytest.approx(0.5 * 0.1, rel=0.05)


def test_noise_is_that_of_its_seed():
    network = Darker()
    network.inputs = (Port("image", "photo", multiple=4, noise=0.1),)
    image = torch.full((2, 3, 64, 64), 0.5)
    one, again, other = (Painter(network, seed=seed, options=EXACT).paint(image) for seed in (1, 1, 2))
    assert torch.equal(one, again) and torch.equal(one[0], one[1])
    assert not torch.equal(one, other)


TEXTURE = TextureNetworkConfig(num_scales=3, channels=4, norm="instance", content_weight=1.0)


def save_texture(folder: Path, config: TextureNetworkConfig = TEXTURE) -> str:
    path = folder / "texture.safetensors"
    header = Header(system="texture-network", config=config.model_dump(mode="json"))
    save_weights(path, TextureNetwork(config).state_dict(), header)
    return str(path)


def test_a_texture_network_paints_a_photo_of_any_size(tmp_path):
    """What its forward pass makes of the photo and of noise of its seed, which is uniform at each scale."""
    model = save_texture(tmp_path)
    assert known_styles(model) == ("style",)
    network, image = one_pass({}, model).eval(), torch.rand(1, 3, 21, 32)
    padded = F.pad(image, (0, 0, 0, 3), mode="replicate")
    noise = [noise_at(0, 0, 24 >> k, 32 >> k, kind="uniform", seed=3 * 7 + k) for k in range(3)]
    with torch.no_grad():
        expected = network(padded, *noise)[..., :21, :].clamp(0, 1)
    painted = Painter(network, seed=7, options=EXACT).paint(image)
    torch.testing.assert_close(painted, expected, atol=1e-4, rtol=0)
    assert not torch.allclose(Painter(network, seed=8, options=EXACT).paint(image), painted, atol=1e-3)
    assert Painter(network).paint(image[..., :3, :2]).shape == (1, 3, 3, 2)


def test_a_texture_network_knows_one_style(tmp_path):
    with pytest.raises(LimnerError, match=r"texture\.safetensors paints style, got 'mosaic'"):
        one_pass({"mosaic": 1.0}, save_texture(tmp_path))


def test_a_texture_network_runs_on_torch(tmp_path):
    network = one_pass({}, save_texture(tmp_path))
    Painter(network, options=RunOptions(backend="torch"))
    with pytest.raises(LimnerError, match="several scales, which torch alone does, got openvino: pass --backend torch"):
        Painter(network, options=RunOptions(backend="openvino"))


def test_a_network_of_textures_alone_is_refused(tmp_path):
    model = save_texture(tmp_path, TEXTURE.model_copy(update={"content_weight": 0.0}))
    for ask in (known_styles, lambda model: one_pass({}, model)):
        with pytest.raises(LimnerError, match=r"makes textures and paints no photos: draw them with .* --preset style"):
            ask(model)


def test_strength_lies_between_photo_and_painting():
    image = torch.rand(1, 3, 8, 8)
    torch.testing.assert_close(Painter(Darker(), strength=0.5, options=EXACT).paint(image), 0.75 * image)
    with pytest.raises(LimnerError, match=r"strength must be between 0, the photo, and 1, the painting, got 1\.5"):
        Painter(Darker(), strength=1.5)


def test_colours_can_be_kept():
    image = torch.tensor([0.2, 0.5, 0.4])[None, :, None, None].expand(1, 3, 8, 8)
    painted = Painter(Darker(), keep_colors=True, options=EXACT).paint(image)
    light = torch.tensor([0.299, 0.587, 0.114])
    assert (light @ painted[0, :, 0, 0]).item() == pytest.approx(0.5 * (light @ image[0, :, 0, 0]).item(), abs=1e-4)
    difference = image[0, :, 0, 0] - painted[0, :, 0, 0]  # of colour nothing is lost: all channels are as much darker
    assert difference.max() - difference.min() < 1e-4


def test_the_longer_side_can_be_chosen():
    assert Painter(Darker(), size=10).paint(torch.rand(1, 3, 40, 20)).shape == (1, 3, 10, 5)


def test_every_named_style_is_a_picture_of_that_name():
    styles = named_styles()
    assert len(styles) >= 8
    for name, path in styles.items():
        assert style_picture(name) == path
        with PillowImage.open(path) as picture:
            assert min(picture.size) >= 256
    with pytest.raises(LimnerError, match=r"style must be a picture or one of .*, got 'nobody'"):
        style_picture("nobody")


def test_ones_own_file_goes_before_a_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mosaic").write_bytes(b"")
    assert str(style_picture("mosaic")) == "mosaic"


def test_without_its_own_network_limner_says_what_paints_in_one_pass(monkeypatch):
    monkeypatch.setattr(painter, "EMBEDDED", "none")
    with pytest.raises(
        LimnerError, match=r"^no network for the styles of limner stylize --list comes with this Limner: name as"
    ):
        painter.one_pass({"mosaic": 1.0}, "none")


def test_a_style_that_is_pixels_cannot_be_painted_in_one_pass():
    with pytest.raises(LimnerError, match="is given by its name: pass method='any-style' or 'gatys'"):
        stylize(torch.rand(3, 8, 8), np.zeros((8, 8, 3), np.uint8), method="fast")


def test_a_photo_of_a_few_pixels_is_painted_by_what_reflects_more() -> None:
    image = torch.rand(1, 3, 3, 5)
    network = ManyStyles(RELEASED_SLIM.model_copy(update={"channels": (4, 4, 4), "num_blocks": 1})).eval()
    assert Painter(network).paint(image).shape == image.shape


def test_a_style_is_given_by_name_or_by_number(tmp_path: Path) -> None:
    config = RELEASED_SLIM.model_copy(update={"channels": (4, 4, 4), "num_blocks": 0, "styles": ("red", "3", "blue")})
    network = ManyStyles(config)
    with torch.no_grad():
        network.get_parameter("last.norm.bias").copy_(torch.tensor([[5.0, -5, -5], [-5, 5, -5], [-5, -5, 5]]))
        network.get_parameter("last.norm.weight").zero_()
    path = str(tmp_path / "three.safetensors")
    save_weights(Path(path), network.state_dict(), Header(system="many-styles", config=config.model_dump(mode="json")))
    image = torch.rand(1, 3, 8, 8)
    for given, brightest in (({"blue": 1.0}, 2), ({"2": 1.0}, 2), ({"3": 1.0}, 1), ({}, 0), ({"0": 1.0, "2": 9.0}, 2)):
        assert Painter(one_pass(given, path)).paint(image).mean((0, 2, 3)).argmax() == brightest
    with pytest.raises(LimnerError, match="paints red, 3, blue, got '4'"):
        one_pass({"4": 1.0}, path)
