"""Restoring by a network of the photo's own: what is kept, what is given back, and what is refused."""

import numpy as np
import pytest
import torch
from PIL import Image as PillowImage

import limner
from limner.errors import LimnerError
from limner.files.image import Picture, read_image, write_image
from limner.layers.hourglass import HourglassConfig
from limner.verbs import restore as verb

SHORT = verb.settings("denoise", steps=2)
SMALL = HourglassConfig(
    down_channels=(8, 8), up_channels=(8, 8), skip_channels=(4, 4), down_kernels=(3, 3), up_kernels=(3, 3)
)


def photo(channels=3, kind=np.uint8, side=20, alpha=False):
    random = np.random.default_rng(0)
    pixels = random.integers(0, np.iinfo(kind).max, (side, side + 4, channels)).astype(kind)
    clear = random.integers(1, np.iinfo(kind).max, (side, side + 4)).astype(kind) if alpha else None
    return Picture(pixels, clear)


def holed(side=20):
    mask = np.zeros((side, side + 4), np.uint8)
    mask[5:9, 6:12] = 255
    return mask


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_a_file_keeps_its_kind_and_what_is_not_missing_bit_for_bit(tmp_path, channels, kind):
    before = photo(channels, kind, alpha=True)
    write_image(tmp_path / "photo.png", before)
    made = limner.restore(tmp_path / "photo.png", "inpaint", mask=holed(), config=SHORT)
    after, missing = read_image(made), holed() > 0
    assert made == tmp_path / "photo_inpainted.png"
    assert (after.pixels.shape, after.pixels.dtype) == (before.pixels.shape, before.pixels.dtype)
    assert np.array_equal(after.alpha, before.alpha)
    assert np.array_equal(after.pixels[~missing], before.pixels[~missing])
    assert not np.array_equal(after.pixels[missing], before.pixels[missing])


def test_what_is_missing_has_no_say():
    image, mask = torch.rand(1, 3, 20, 24), torch.zeros(1, 3, 20, 24)
    mask[..., 5:9, 6:12] = 1
    other = torch.where(mask > 0, 1 - image, image)
    first, second = (limner.restore(x, "inpaint", mask=mask, config=SHORT) for x in (image, other))
    assert torch.equal(first, second)


@pytest.mark.parametrize("scale", [2, 4, 8])
def test_enlargements_have_their_size(scale):
    assert limner.restore(np.zeros((9, 12), np.uint8), "upscale", scale=scale, config=SHORT).shape == (
        9 * scale,
        12 * scale,
    )
    assert limner.restore(torch.rand(3, 9, 12), "upscale", scale=scale, config=SHORT).shape == (
        3,
        9 * scale,
        12 * scale,
    )


def test_a_photo_as_pillow_has_it_and_a_flat_one():
    flat = PillowImage.new("RGBA", (33, 21), (90, 120, 200, 128))
    made = limner.restore(flat, "denoise", config=SHORT)
    assert (made.mode, made.size) == ("RGBA", (33, 21))
    assert made.getchannel("A").getextrema() == (128, 128)


@pytest.mark.parametrize("task", ["denoise", "upscale"])
def test_it_comes_near_the_photo(task):
    image = torch.linspace(0.2, 0.8, 24).expand(1, 3, 24, 24).contiguous()
    made = limner.restore(image, task, scale=2, config=verb.settings(task, "quick", steps=40))
    smaller = made if task == "denoise" else torch.nn.functional.avg_pool2d(made, 2)
    assert (smaller - image).abs().mean() < 0.06


def test_a_mask_of_any_kind(tmp_path):
    mask = holed()
    wanted = torch.tensor(mask > 0)[None, None].float()
    PillowImage.fromarray(mask).save(tmp_path / "mask.png")
    painted = np.full((*mask.shape, 4), 255, np.uint8)
    painted[..., 3] = mask  # white paint on glass
    for given in (
        mask,
        tmp_path / "mask.png",
        PillowImage.fromarray(mask),
        torch.tensor(mask / 255).expand(3, -1, -1),
        painted,
    ):
        assert torch.equal(verb.missing_of(given), wanted)
    assert torch.equal(verb.missing_of(255 - mask, inverted=True), wanted)


@pytest.mark.parametrize(("task", "size"), [("denoise", (24, 32)), ("inpaint", (24, 32)), ("upscale", (48, 64))])
def test_a_picture_can_be_painted_smaller_than_it_is(task, size):
    config = verb.settings(task, steps=40).model_copy(update={"most_pixels": 192, "network": SMALL})
    image, mask = torch.full((1, 3, 24, 32), 0.7), torch.zeros(1, 3, 24, 32)
    image[..., :12, :] = 0.3
    mask[..., 8:12, 10:20] = 1
    made = limner.restore(image, task, mask=mask if task == "inpaint" else None, scale=2, config=config)
    assert made.shape == (1, 3, *size)
    assert made[..., : size[0] // 3, :].mean() < 0.4 < 0.6 < made[..., -size[0] // 3 :, :].mean()
    if task == "inpaint":
        assert torch.equal(made[mask == 0], image[mask == 0])


def test_presets():
    assert verb.settings("upscale", "paper").optimize.steps == 2000
    assert verb.settings("upscale", "paper", scale=8).optimize.steps == 4000
    assert verb.settings("denoise", "paper", sigma=25).noise == pytest.approx(1 / 30)
    assert verb.settings("denoise", "paper", sigma=50).noise == pytest.approx(1 / 20)
    assert verb.settings("inpaint", steps=7, seed=3).optimize.seed == 3
    with pytest.raises(LimnerError, match=r"preset of inpaint must be one of modern, quick, text, .*, got 'paper'"):
        verb.settings("inpaint", "paper")


def test_what_does_not_fit_is_refused(tmp_path):
    image = torch.rand(1, 3, 20, 24)

    def refuses(message, *given, **options):
        with pytest.raises(LimnerError, match=message):
            limner.restore(*given, **{"config": SHORT} | options)

    refuses("pass a mask that is white there", image, "inpaint")
    refuses("the mask is 20x24, the picture 24x20", image, "inpaint", mask=holed().T)
    refuses("by the mask nothing is missing", image, "inpaint", mask=np.zeros((20, 24), np.uint8))
    refuses("by the mask all of the picture is missing", image, "inpaint", mask=np.full((20, 24), 255, np.uint8))
    refuses("sigma must be finite, got nan", image, "denoise", sigma=float("nan"), config=None)
    refuses("scale must be 2, 4 or 8, got 3", image, "upscale", scale=3, config=None)
    refuses("must have 3 pixels a side or more, got 24x2", image[..., :2, :], "denoise")
    refuses("one photo is restored at a time, got 2", torch.rand(2, 3, 20, 24), "denoise")
    refuses(r"takes about .* may be used", torch.rand(1, 3, 400, 400), "denoise", memory=1)


def test_the_memory_that_is_foreseen_grows_with_the_network():
    paper, ours = (verb.PRESETS["denoise"][name].network.values_per_pixel for name in ("paper", "modern"))
    assert 1200 < paper < 2400
    assert ours < 0.35 * paper
