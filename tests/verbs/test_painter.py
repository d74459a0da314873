import numpy as np
import pytest
import torch
from PIL import Image as PillowImage
from torch import nn

from limner import stylize
from limner.errors import LimnerError
from limner.verbs import painter
from limner.verbs.named_styles import named_styles, style_picture
from limner.verbs.painter import Painter


class Darker(nn.Module):
    """Half the light."""

    in_channels, size_multiple, input_noise = 3, 4, 0.0

    def forward(self, image):
        assert image.shape[-1] % 4 == image.shape[-2] % 4 == 0
        return 0.5 * image


def test_a_photo_of_any_size_is_painted_at_its_own():
    image = torch.rand(1, 3, 9, 14)
    torch.testing.assert_close(Painter(Darker(), precision="exact").paint(image), 0.5 * image)


def test_noise_is_added_the_same_to_each_photo():
    network = Darker()
    network.input_noise = 0.1
    image = torch.full((1, 3, 64, 64), 0.5)
    one, again = (Painter(network, precision="exact").paint(image) for _ in range(2))
    assert torch.equal(one, again)
    assert one.std().item() == pytest.approx(0.5 * 0.1, rel=0.05)


def test_strength_lies_between_photo_and_painting():
    image = torch.rand(1, 3, 8, 8)
    torch.testing.assert_close(Painter(Darker(), strength=0.5, precision="exact").paint(image), 0.75 * image)
    with pytest.raises(LimnerError, match=r"strength must be between 0, the photo, and 1, the painting, got 1\.5"):
        Painter(Darker(), strength=1.5)


def test_colours_can_be_kept():
    image = torch.tensor([0.2, 0.5, 0.4])[None, :, None, None].expand(1, 3, 8, 8)
    painted = Painter(Darker(), keep_colors=True, precision="exact").paint(image)
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
    with pytest.raises(LimnerError, match=r"^no network for the styles of --list comes with this Limner: pass --model"):
        painter.one_pass({"mosaic": 1.0}, "none")


def test_a_style_that_is_pixels_cannot_be_painted_in_one_pass():
    with pytest.raises(LimnerError, match="is given by its name: pass method='adain' or 'gatys'"):
        stylize(torch.rand(3, 8, 8), np.zeros((8, 8, 3), np.uint8), method="fast")
