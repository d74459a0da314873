"""What is matched is what the papers say, and a picture comes out that the layer takes for the photo."""

import pytest
import torch

from limner.cli.work.demo import PHOTO
from limner.errors import LimnerError
from limner.features.vgg16 import VGG
from limner.files.image import read_image, to_tensor
from limner.loops.optimize import OptimizeConfig
from limner.ops.resample import imresize
from limner.systems.optimize.inversion import (
    InversionConfig,
    InversionObjective,
    inversion_of,
    invert,
    matched_layers,
    relative_distance,
)


def photo(side=48):
    return imresize(to_tensor(read_image(PHOTO))[..., 60:316, 130:386], size=(side, side)).clamp(0, 1)


def short(config, steps=30, rate=0.1):
    return config.model_copy(update={"optimize": OptimizeConfig(steps=steps, learning_rate=rate)})


@pytest.mark.parametrize(
    ("layer", "style", "layers"),
    [
        ("relu4_1", False, ("relu4_1",)),
        ("relu1_1", True, ("relu1_1",)),
        ("relu3_1", True, ("relu1_1", "relu2_1", "relu3_1")),
        ("conv3_3", True, ("relu1_1", "relu2_1", "conv3_3")),
        ("pool2", True, ("relu1_1", "pool2")),
    ],
)
def test_a_style_takes_the_first_layers_of_the_blocks_before(layer, style, layers):
    assert matched_layers(InversionConfig(layer=layer, style=style)) == layers


def test_nothing_has_a_distance_of_one_and_the_photo_none():
    target = torch.randn(1, 4, 3, 3)
    assert relative_distance(torch.zeros_like(target), target).item() == pytest.approx(1)
    assert relative_distance(target, target).item() == 0
    by_hand = sum((0.5 * x) ** 2 for x in target.flatten().tolist()) / sum(x**2 for x in target.flatten().tolist())
    assert relative_distance(1.5 * target, target).item() == pytest.approx(by_hand, rel=1e-5)


@pytest.mark.parametrize("power", [1.0, 2.0, 3.0])
def test_the_power_of_total_variation_is_the_configuration_s(power):
    """Section 2.2, pixel by pixel."""
    config, image = InversionConfig(layer="relu1_1", tv_weight=3.0, tv_power=power), torch.rand(1, 3, 6, 6)
    found = InversionObjective(VGG(["relu1_1"]), photo(6), config)(image)["variation"]
    terms = [
        ((image[0, c, y, x + 1] - image[0, c, y, x]) ** 2 + (image[0, c, y + 1, x] - image[0, c, y, x]) ** 2).item()
        ** (power / 2)
        for c in range(3)
        for y in range(5)
        for x in range(5)
    ]
    assert found.item() == pytest.approx(3 * sum(terms) / len(terms), rel=1e-4)


@pytest.mark.parametrize("style", [False, True])
def test_the_losses_are_those_of_a_plain_formula(style):
    source, image = photo(24), torch.rand(1, 3, 24, 24)
    config = InversionConfig(layer="relu2_1", style=style, tv_weight=3.0)
    vgg = VGG(matched_layers(config))
    losses = InversionObjective(vgg, source, config)(image)
    expected = []
    for one, other in zip(vgg(source).values(), vgg(image).values(), strict=True):
        a, b = one[0].flatten(1), other[0].flatten(1)
        if style:
            a, b = a @ a.T / a.shape[1], b @ b.T / b.shape[1]
        expected.append((a - b).pow(2).sum() / a.pow(2).sum())
    name = "style" if style else "content"
    torch.testing.assert_close(losses[name], sum(expected) / len(expected), rtol=1e-4, atol=0)
    across, down = image.diff(dim=-1)[..., :-1, :], image.diff(dim=-2)[..., :-1]
    torch.testing.assert_close(losses["variation"], 3 * (across**2 + down**2).mean())


def test_the_network_that_paints_needs_no_other_prior():
    objective = InversionObjective(VGG(["relu1_1"]), photo(16), InversionConfig(layer="relu1_1", prior="dip"))
    assert set(objective(torch.rand(1, 3, 16, 16))) == {"content"}


def test_an_early_layer_gives_the_photo_back():
    source = photo()
    result = invert(source, short(inversion_of("relu1_1"), 60))
    assert (result.image - source).square().mean() < 10**-3.5  # 35 dB
    assert result.totals[-1] < 0.02 * result.totals[0]


def test_a_style_keeps_the_colours_and_not_the_places():
    source = photo()
    image = invert(source, short(inversion_of("relu2_1", style=True), 30)).image
    torch.testing.assert_close(image.mean((2, 3)), source.mean((2, 3)), atol=0.05, rtol=0)
    assert (image - source).square().mean() > 10**-2  # below 20 dB


def test_a_network_paints_the_photo():
    small = {"down_channels": (8, 8), "up_channels": (8, 8), "skip_channels": (4, 4)}
    network = InversionConfig().network.model_copy(update={**small, "down_kernels": (3, 3), "up_kernels": (3, 3)})
    config = short(InversionConfig(layer="relu2_1", prior="dip", network=network), 30, 0.02)
    totals = invert(photo(24), config).totals
    assert totals[-1] < 0.6 * totals[0]


def test_one_seed_gives_one_picture():
    source, config = photo(24), short(inversion_of("relu2_1"), 3)
    first, again, other = (invert(source, config, seed=seed).image for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_the_deeper_the_layer_the_more_is_left_to_the_prior():
    weights = [inversion_of(f"relu{block}_1").tv_weight for block in range(1, 6)]
    assert weights == sorted(weights)


def test_what_cannot_be_inverted_is_refused():
    with pytest.raises(LimnerError, match="got 'relu9_1'"):
        invert(photo(16), inversion_of("relu9_1"))
    with pytest.raises(LimnerError, match="got 'relu9_1'"):
        invert(photo(16), inversion_of("relu9_1", style=True))
    with pytest.raises(LimnerError, match="a picture must have 8 pixels a side or more"):
        invert(torch.rand(1, 3, 6, 20), inversion_of("relu4_1"))


@pytest.mark.slow
def test_a_deep_layer_still_shows_the_photo():
    source = photo(128)
    image = invert(source, inversion_of("relu4_1")).image
    flat, found = (x.mean(1).flatten() - x.mean() for x in (source, image))
    assert torch.dot(flat, found) / (flat.norm() * found.norm()) > 0.8
