"""Colour under transparency takes part in nothing that shows; gray stays gray."""

import numpy as np
import pytest
import torch
from PIL import Image

import limner
from limner.errors import LimnerError
from limner.files.image import Picture, read_image, write_image
from limner.ports import PHOTO, Port
from limner.runtime.run_options import RunOptions
from limner.systems.feedforward.adain import AdaIN, AdaINConfig
from limner.systems.optimize.style import StyleConfig
from limner.verbs.stylize.any_painter import AnyPainter
from limner.verbs.stylize.network_painter import Painter
from limner.verbs.stylize.style import Style
from limner.verbs.stylize.stylize import PRESETS, optimize_style
from limner.verbs.stylize.stylize_file import paint_file
from limner.verbs.texture import PRESETS as TEXTURES
from limner.verbs.texture import synthesize_texture
from limner.verbs.upscale.upscale import Upscaler
from limner.verbs.upscale.upscale_file import TORCH_BYTES, enlarge_file

EXACT = RunOptions(device="cpu", precision="exact")


def scene(height=48, width=64, seed=0):
    """Smooth colours with some noise."""
    coarse = np.random.default_rng(seed).integers(0, 256, (5, 6, 3), dtype=np.uint8)
    smooth = np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)).astype(int)
    return (smooth + np.random.default_rng(seed).integers(-20, 20, smooth.shape)).clip(0, 255).astype(np.uint8)


def oval(height=48, width=64, soft=True):
    rows, columns = np.mgrid[:height, :width]
    inside = 1 - ((rows / height - 0.5) ** 2 + (columns / width - 0.5) ** 2) / 0.16
    return ((12 * inside if soft else 1e6 * inside).clip(0, 1) * 255).astype(np.uint8)


def hidden_as(colour, height=48, width=64, **options):
    """The same visible picture over a colour that nobody sees."""
    pixels, alpha = scene(height, width), oval(height, width, **options)
    pixels[alpha == 0] = colour
    return Picture(pixels, alpha)


COLOURS = [(0, 0, 0), (0, 255, 0), (255, 255, 255)]


def shown(picture, background):
    """Over a colour, by Porter and Duff's over."""
    share = picture.alpha[..., None] / 255
    return picture.pixels * share + np.array(background) * (1 - share)


def assert_same_to_the_eye(results):
    first = results[0]
    for other in results[1:]:
        assert np.array_equal(first.alpha, other.alpha)
        assert np.abs(shown(first, (9, 99, 199)) - shown(other, (9, 99, 199))).max() < 1e-6


@pytest.fixture(scope="module")
def upscaler():
    return Upscaler("vdsr-fast", 2, EXACT)


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("soft", [True, False])
def test_a_cutout_of_one_colour_has_no_ring(upscaler, colour, soft):
    alpha = oval(soft=soft)
    pixels = np.where(alpha[..., None] > 0, (200, 180, 40), colour).astype(np.uint8)
    result = upscaler.enlarge_picture(Picture(pixels, alpha))
    assert np.abs(result.pixels[result.alpha > 0].astype(int) - (200, 180, 40)).max() <= 2


@pytest.mark.parametrize("background", [(255, 255, 255), (0, 0, 0), (255, 0, 255)])
@pytest.mark.parametrize("colour", COLOURS)
def test_a_soft_cutout_is_as_pillow_enlarges_it_premultiplied(upscaler, background, colour):
    rows, columns = np.mgrid[:48, :64]
    alpha = (255 * np.exp(-((rows - 24) ** 2 + (columns - 32) ** 2) / 120)).astype(np.uint8)  # nothing overshoots
    pixels = np.where(alpha[..., None] > 0, (200, 180, 40), colour).astype(np.uint8)
    image = Image.fromarray(np.dstack([pixels, alpha]))
    pillow = np.asarray(image.resize((128, 96), Image.Resampling.BICUBIC))
    expected = shown(Picture(pillow[..., :3], pillow[..., 3]), background)
    assert np.abs(shown(upscaler.enlarge_picture(Picture(pixels, alpha)), background) - expected).max() < 3


def test_enlarged_cutouts_are_the_same_whatever_is_hidden(upscaler):
    assert_same_to_the_eye([upscaler.enlarge_picture(hidden_as(colour)) for colour in COLOURS])
    noise = hidden_as((0, 0, 0))
    hidden = np.random.default_rng(3).integers(0, 256, noise.pixels.shape, dtype=np.uint8)
    noise = Picture(np.where(noise.alpha[..., None] > 0, noise.pixels, hidden), noise.alpha)
    assert_same_to_the_eye([upscaler.enlarge_picture(one) for one in (hidden_as((0, 0, 0)), noise)])


@pytest.mark.parametrize("colour", COLOURS)
def test_a_cutout_in_strips_is_that_of_the_whole(upscaler, tmp_path, colour):
    write_image(tmp_path / "a.png", hidden_as(colour, 120, 90))
    told = []
    enlarge_file(upscaler, tmp_path / "a.png", tmp_path / "b.png", memory=TORCH_BYTES + 9_000_000,
                 on_progress=lambda done, total: told.append(total))  # fmt: skip
    assert len(told) > 5
    whole, strips = upscaler.enlarge_picture(hidden_as(colour, 120, 90)), read_image(tmp_path / "b.png")
    assert np.array_equal(whole.alpha, strips.alpha)
    assert np.abs(whole.pixels.astype(int) - strips.pixels).max() <= 1


class Squares(torch.nn.Module):
    """A network with statistics of the whole picture, like the painters'."""

    inputs, outputs = (PHOTO,), (Port("result", "photo"),)

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.first, self.norm = torch.nn.Conv2d(3, 6, 3, padding=1), torch.nn.InstanceNorm2d(6)
        self.last = torch.nn.Conv2d(6, 3, 3, padding=1)

    def forward(self, image):
        return torch.sigmoid(self.last(self.norm(self.first(image))))


@pytest.fixture(scope="module")
def painters():
    torch.manual_seed(0)
    system = AdaIN(AdaINConfig(channels=(8, 4, 4))).eval().requires_grad_(False)

    def adain(style, **options):
        return AnyPainter(system, [Style(style)], options=EXACT, **options)

    return adain


@pytest.mark.parametrize("keep_colors", [False, True])
def test_painted_cutouts_are_the_same_whatever_is_hidden(painters, keep_colors):
    cutouts = [hidden_as(colour) for colour in COLOURS]
    network = Painter(Squares().eval(), keep_colors=keep_colors, options=EXACT)
    assert_same_to_the_eye([network.paint_picture(one) for one in cutouts])
    adain = painters(scene(seed=1), keep_colors=keep_colors)
    assert_same_to_the_eye([adain.paint_picture(one) for one in cutouts])


@pytest.mark.parametrize("keep_colors", [False, True])
def test_a_cutout_painted_in_parts_is_that_of_the_whole(tmp_path, keep_colors):
    options = RunOptions(device="cpu", precision="exact", tile=32)
    network = Painter(Squares().eval(), keep_colors=keep_colors, options=options)
    results = []
    for number, colour in enumerate(COLOURS):
        write_image(tmp_path / f"{number}.png", hidden_as(colour))
        paint_file(network, tmp_path / f"{number}.png", tmp_path / f"{number}_b.png")
        results.append(read_image(tmp_path / f"{number}_b.png"))
    assert_same_to_the_eye(results)
    whole = network.paint_picture(hidden_as(COLOURS[0]))
    assert np.abs(shown(whole, (0, 0, 0)) - shown(results[0], (0, 0, 0))).max() <= 1.01


def rgba(picture):
    return np.dstack([picture.pixels, picture.alpha])


def test_cutouts_by_optimisation_are_the_same_whatever_is_hidden():
    def stylized(colour):
        array = rgba(hidden_as(colour))
        config = PRESETS["quick"]
        return limner.stylize(array, scene(seed=1), method="gatys", config=_short(config), size=64, device="cpu")

    results = [Picture(one[..., :3], one[..., 3]) for one in map(stylized, COLOURS[:2])]
    assert_same_to_the_eye(results)


def _short(config: StyleConfig):
    one = config.passes[-1]
    return config.model_copy(
        update={"passes": (one.model_copy(update={"optimize": one.optimize.model_copy(update={"steps": 2})}),)}
    )


def test_the_style_of_a_cutout_is_of_what_it_shows(painters):
    content = torch.rand(1, 3, 48, 64)
    made = [painters(rgba(hidden_as(colour))).paint(content) for colour in COLOURS]
    assert torch.equal(made[0], made[1])
    assert torch.equal(made[0], made[2])


def test_a_style_half_of_which_is_hidden_paints_about_like_the_other_half(painters):
    """Its statistics are those of what is visible: closer than those of the picture with its hidden half."""
    style = np.dstack([scene(128, 128, seed=4), np.zeros((128, 128), np.uint8)])
    style[:, :64, :3] = 0
    style[:, 64:, 3] = 255
    content = torch.rand(1, 3, 128, 128)
    hidden, half, whole = (painters(one).paint(content) for one in (style, style[:, 64:, :3], style[..., :3]))
    assert (hidden - half).abs().mean() < 0.5 * (whole - half).abs().mean()


def test_the_texture_of_a_cutout_is_of_what_it_shows():
    def made(colour):
        array = np.dstack([scene(64, 64), np.full((64, 64), 255, np.uint8)])
        array[:, :32] = (*colour, 0)
        return limner.texture(array, 64, config=_short_texture(), device="cpu")

    first, second = made((255, 0, 0)), made((0, 0, 255))
    assert np.array_equal(first, second)
    assert first.shape == (64, 64, 3)  # what hid something in the source hides nothing here


def _short_texture():
    config = TEXTURES["quick"]
    one = config.passes[-1]
    return config.model_copy(
        update={"passes": (one.model_copy(update={"optimize": one.optimize.model_copy(update={"steps": 2})}),)}
    )


@pytest.mark.parametrize("use", ["style", "texture"])
def test_a_source_that_shows_nothing_is_refused(tmp_path, use):
    write_image(tmp_path / "a.png", Picture(scene(), np.zeros((48, 64), np.uint8)))
    with pytest.raises(LimnerError, match="all of it is transparent, so it has no style and no texture"):
        if use == "style":
            limner.stylize(torch.rand(1, 3, 48, 64), tmp_path / "a.png", method="gatys", device="cpu")
        else:
            limner.texture(tmp_path / "a.png", 64, device="cpu", output=tmp_path / "b.png")


# Gray


def gray(seed=0):
    return scene(64, 64, seed=seed)[..., :1].repeat(3, axis=2)


def tensor(pixels):
    return torch.from_numpy(pixels.astype(np.float32) / 255).permute(2, 0, 1)[None]


def is_gray(image):
    return torch.equal(image, image[:, :1].expand_as(image))


@pytest.mark.parametrize(
    ("content", "style", "keep_colors", "stays"),
    [
        (gray(), gray(1), False, True),
        (gray(), scene(64, 64, 1), True, True),
        (gray(), gray(1), True, True),
        (gray(), scene(64, 64, 1), False, False),
        (scene(64, 64), gray(1), False, False),
    ],
)
def test_gray_in_a_style_without_colour_stays_gray(painters, content, style, keep_colors, stays):
    adain = painters(style, keep_colors=keep_colors).paint(tensor(content))
    assert is_gray(adain) == stays
    by_steps = optimize_style(
        tensor(content), [Style(style)], _short(PRESETS["quick"]), size=64, keep_colors=keep_colors, options=EXACT
    )
    assert is_gray(by_steps.image) == stays


@pytest.mark.parametrize("channels", [1, 3])
def test_a_large_gray_photo_stays_gray(painters, tmp_path, channels):
    write_image(tmp_path / "a.png", Picture(gray()[..., :channels]))
    painter = painters(gray(1)).for_size(64, 64)
    paint_file(painter, tmp_path / "a.png", tmp_path / "b.png")
    assert read_image(tmp_path / "b.png").is_gray == (channels == 1)


def test_a_texture_of_gray_is_gray():
    for source, stays in ((gray(), True), (scene(64, 64), False)):
        made = synthesize_texture(tensor(source), (64, 64), _short_texture(), options=EXACT)
        assert is_gray(made.image) == stays


def test_gray_files_become_gray_files(tmp_path):
    write_image(tmp_path / "a.png", Picture(gray()[..., :1]))
    write_image(tmp_path / "s.png", Picture(gray(1)[..., :1]))
    made = limner.stylize(tmp_path / "a.png", tmp_path / "s.png", method="gatys", config=_short(PRESETS["quick"]),
                          size=64, device="cpu")  # fmt: skip
    assert read_image(made).is_gray
    assert read_image(limner.texture(tmp_path / "a.png", 64, config=_short_texture(), device="cpu")).is_gray
