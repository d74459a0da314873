import torch

from limner.ops.color import rgb_to_ycbcr
from limner.ops.luminance_alone import in_gray, like_luminance, with_colors_of


def noise(seed=0):
    return torch.rand(1, 3, 24, 32, generator=torch.Generator().manual_seed(seed))


def test_the_colours_of_a_picture_on_itself_are_itself():
    torch.testing.assert_close(with_colors_of(noise(), noise()), noise(), rtol=0, atol=1e-4)


def test_gray_has_the_luminance_and_no_colour():
    gray = in_gray(noise())
    torch.testing.assert_close(rgb_to_ycbcr(gray)[:, :1], rgb_to_ycbcr(noise())[:, :1], rtol=0, atol=1e-4)
    torch.testing.assert_close(gray[:, :1].expand(-1, 3, -1, -1), gray, rtol=0, atol=1e-4)


def test_a_style_gets_the_mean_and_the_deviation_of_the_content():
    """arXiv:1606.05897, equation 10, where nothing is cut off at black or white."""
    content, style = 0.4 + 0.2 * noise(), 0.3 + 0.1 * noise(1)
    found, wanted = like_luminance(style, content), in_gray(content)
    torch.testing.assert_close(found.mean(), wanted.mean(), rtol=0, atol=1e-5)
    torch.testing.assert_close(found.std(), wanted.std(), rtol=0, atol=1e-5)
