import numpy as np
import pytest
import torch

from limner.errors import LimnerError
from limner.features.vgg16 import VGG, mean_responses
from limner.loops.coarse_to_fine import Pass
from limner.loops.optimize import OptimizeConfig, RunControl
from limner.ops.color import rgb_to_ycbcr
from limner.systems.optimize.style import (
    STYLE_GATYS_2016,
    STYLE_GATYS_RELEASED_CODE,
    Reference,
    StyleConfig,
    StyleObjective,
    style_network,
    stylize,
)

CONTENT, STYLE = {"relu2_1": 1.0}, {"relu1_1": 0.25, "relu2_1": 0.75}


def config(steps=6, method="lbfgs", **fields):
    passes = (Pass(optimize=OptimizeConfig(method=method, steps=steps)),)
    return StyleConfig(**{"content_layers": CONTENT, "style_layers": STYLE, "passes": passes, **fields})


def noise(height=24, width=32, seed=0):
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(seed))


def vgg(pooling="average"):
    return VGG([*STYLE, *CONTENT], pooling=pooling)


def slow_style(image, style, *, relative=False):
    """Equations 3 to 5, place by place; if relative, over what a blank picture has."""
    total = 0.0
    for layer, weight in STYLE.items():
        grams = []
        for picture in (image, style):
            map = vgg()(picture)[layer][0].double()
            places = [map[:, y, x] for y in range(map.shape[1]) for x in range(map.shape[2])]
            grams.append(torch.stack([torch.outer(place, place) for place in places]).sum(0) / len(places))
        whole = (grams[1] ** 2).sum().item() if relative else 4 * map.shape[0] ** 2
        total += weight * ((grams[0] - grams[1]) ** 2).sum().item() / whole
    return total


def test_the_losses_are_equations_1_5_and_7():
    image, content, style = noise(12, 16), noise(12, 16, 1), noise(10, 12, 2)
    losses = StyleObjective(vgg(), content, [Reference(style)], config(content_weight=3.0, style_weight=2.0))(image)
    assert losses["style"].item() == pytest.approx(2 * slow_style(image, style), rel=1e-4)
    difference = vgg()(image)["relu2_1"] - vgg()(content)["relu2_1"]
    assert losses["content"].item() == pytest.approx(3 * difference.square().sum().item() / 2, rel=1e-5)
    assert set(losses) == {"style", "content"}
    mean = StyleObjective(vgg(), content, [Reference(style)], config(content_weight=3.0, mean_content=True))(image)
    assert mean["content"].item() == pytest.approx(3 * difference.square().mean().item() / 2, rel=1e-5)


@pytest.mark.parametrize("size", [(32, 32), (48, 80)])
def test_the_paper_s_configuration_weighs_as_its_sums_do_at_any_size(size):
    """Equations 1, 4, 5 and 7 as they stand, over numpy, with G the sum over places: alpha 1e-3, beta 1, w_l 1/5."""
    image, content, style = (noise(size[0], size[1], seed) for seed in range(3))
    layers = ["relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"]
    network = VGG([*layers, "relu4_2"], pooling="average")
    network.normalize(mean_responses("average"))
    maps = [
        {layer: map[0].flatten(1).double().numpy() for layer, map in network(one).items()}
        for one in (image, content, style)
    ]
    x, p, a = maps
    wanted = {"content": 1e-3 * np.square(x["relu4_2"] - p["relu4_2"]).sum() / 2, "style": 0.0}
    for layer in layers:
        channels, places = x[layer].shape
        grams = [np.einsum("ik,jk->ij", map[layer], map[layer]) for map in (x, a)]
        wanted["style"] += 0.2 * np.square(grams[0] - grams[1]).sum() / (4 * channels**2 * places**2)
    found = StyleObjective(network, content, [Reference(style)], STYLE_GATYS_2016)(image)
    assert {name: loss.item() for name, loss in found.items()} == pytest.approx(wanted, rel=1e-4)


def test_soft_masks_count_places_by_the_squares_of_their_guides():
    """G = (T F)^T (T F) with sum T^2 = 1: arXiv:1611.07865, section 4; at full size, where no mask is shrunk."""
    image, style = noise(10, 12), noise(10, 12, 2)
    mask = torch.linspace(0.1, 0.9, 12).expand(1, 1, 10, 12)
    one_layer = config(content_weight=0, style_layers={"relu1_1": 1.0})
    network = VGG(["relu1_1"], pooling="average")
    found = StyleObjective(network, image, [Reference(style, mask=mask)], one_layer)(image)["style"].item()
    guide = mask[0, 0].double() / mask.double().square().sum().sqrt()
    places = [guide[y, x] * network(image)["relu1_1"][0, :, y, x].double() for y in range(10) for x in range(12)]
    gram = torch.stack([torch.outer(place, place) for place in places]).sum(0)
    source = network(style)["relu1_1"][0].flatten(1).double()
    distance = (gram - source @ source.T / 120).square().sum().item() / (4 * 64**2)
    assert found == pytest.approx(mask.mean().item() * distance, rel=1e-4)


def test_weights_mix_the_gram_matrices():
    image, one, other = noise(), noise(seed=1), noise(seed=2).square()
    references = [Reference(one, 3.0), Reference(other, 1.0)]
    objective = StyleObjective(vgg(), noise(), references, config(content_weight=0))
    singles = [
        StyleObjective(vgg(), noise(), [Reference(style)], config()).regions[0].targets for style in (one, other)
    ]
    for layer in STYLE:
        expected = 0.75 * singles[0][layer] + 0.25 * singles[1][layer]
        torch.testing.assert_close(objective.regions[0].targets[layer], expected)
    twice = StyleObjective(vgg(), noise(), [Reference(one, 0.2), Reference(one, 5.0)], config(content_weight=0))
    alone = StyleObjective(vgg(), noise(), [Reference(one)], config(content_weight=0))
    torch.testing.assert_close(twice(image)["style"], alone(image)["style"])


def left(height=24, width=32):
    mask = torch.zeros(1, 1, height, width)
    mask[..., : width // 2] = 1
    return mask


def test_a_mask_bounds_its_style():
    image = noise().requires_grad_()
    masked = Reference(noise(seed=1).square(), mask=left())
    StyleObjective(vgg(), noise(), [masked], config(content_weight=0))(image)["style"].backward()
    strength = image.grad.abs().sum((0, 1, 2))
    reach = vgg().reach
    assert strength[: 16 - reach].min() > 0
    assert strength[16 + reach + 2 :].max() == 0  # 2: the stride of the deepest layer


def test_two_halves_of_one_style_are_judged_apart():
    """Where every half has the style by itself, nothing is left to lower; a picture half flat is not there yet."""
    tile = noise(24, 16, 5)
    both = torch.cat([tile, tile], 3)
    references = [Reference(both, mask=left()), Reference(both)]
    objective = StyleObjective(vgg(), both, references, config(content_weight=0))
    flat = both.clone()
    flat[..., 16:] = 0.5
    assert objective(both)["style"] < 0.05 * objective(flat)["style"]
    assert [region.share for region in objective.regions] == [0.5, 0.5]


@pytest.mark.parametrize("masked", [False, True])
def test_tiles_have_the_losses_and_the_gradient_of_the_whole(masked):
    image, content = noise(76, 92), noise(76, 92, 1)
    references = [Reference(noise(60, 50, 2).square())]
    if masked:
        references.append(Reference(noise(40, 44, 3), mask=left(76, 92)))
    found = []
    for tile in (None, 24):
        start = image.clone().requires_grad_()
        losses = StyleObjective(vgg(), content, references, config(content_weight=1.0, tv_weight=0.1), tile=tile)(start)
        torch.stack(list(losses.values())).sum().backward()
        found.append((losses, start.grad))
    (losses, gradient), (in_tiles, gradient_in_tiles) = found
    for name, loss in losses.items():
        torch.testing.assert_close(in_tiles[name], loss, rtol=1e-4, atol=0)
    assert (gradient_in_tiles - gradient).norm() <= 1e-5 * gradient.norm()


@pytest.mark.parametrize("start", ["content", "noise"])
def test_l_bfgs_lowers_the_loss(start):
    done = stylize(
        noise(seed=1), [Reference(noise(seed=2).square())], config(start=start, tv_weight=1e-3, mean_content=True)
    )
    assert done.totals[-1] < 0.5 * done.totals[0]
    assert done.image.shape == (1, 3, 24, 32)


def test_colours_are_kept():
    content, style = noise(seed=1), noise(seed=2).square()
    done = stylize(content, [Reference(style)], config(start="content", mean_content=True), keep_colors=True)
    inside = (done.image > 0.02).all(1) & (done.image < 0.98).all(1)  # of the cube of colours, where nothing was cut
    assert inside.float().mean() > 0.1
    before, after = (rgb_to_ycbcr(one)[:, 1:].movedim(1, -1)[inside] for one in (content, done.image))
    torch.testing.assert_close(after, before, rtol=0, atol=1e-3)
    assert (rgb_to_ycbcr(done.image) - rgb_to_ycbcr(content))[:, 0].abs().mean() > 0.01


def test_previews_have_the_colours_that_are_kept():
    seen = []
    done = stylize(
        noise(seed=1),
        [Reference(noise())],
        config(2),
        keep_colors=True,
        control=RunControl(watch=lambda p: seen.append(p.image)),
    )
    assert torch.equal(seen[-1], done.image)


def test_flat_pictures_give_finite_ones():
    flat = torch.full((1, 3, 24, 32), 0.5)
    for content, style in [(flat, noise()), (noise(), flat), (flat, torch.zeros_like(flat))]:
        for method in ("lbfgs", "adam"):
            assert stylize(content, [Reference(style)], config(3, method, start="content")).image.isfinite().all()


@pytest.mark.parametrize(
    ("content", "references", "message"),
    [
        (noise(), [], "styles must be one picture or more, got none"),
        (noise(), [Reference(noise(), 0.0)], "the weight of a style must be above 0 and finite, got 0"),
        (noise(), [Reference(noise(), mask=left(24, 30))], "a mask must be as large as the content, 32x24, got 30x24"),
        (noise(), [Reference(noise(1, 40))], "a style must have 2 pixels a side or more for relu2_1, got 40x1"),
        (noise(1, 9), [Reference(noise())], "the content must have 2 pixels a side or more for relu2_1, got 9x1"),
    ],
)
def test_what_does_not_fit_is_refused(content, references, message):
    with pytest.raises(LimnerError, match=message):
        stylize(content, references, config())


def test_relative_losses_are_those_of_a_blank_picture_at_1():
    """Whatever the picture's size and the strength of its layers."""
    content, style = noise(12, 16, 1), noise(20, 24, 2)
    relative = config(relative=True, content_weight=1.0)
    objective = StyleObjective(vgg(), content, [Reference(style)], relative)
    plain = StyleObjective(vgg(), content, [Reference(style)], config(content_weight=1.0, mean_content=True))
    image = noise(12, 16, 3)
    assert objective(image)["style"].item() == pytest.approx(slow_style(image, style, relative=True), rel=1e-4)
    mean_square = vgg()(content)["relu2_1"].square().mean()
    torch.testing.assert_close(objective(image)["content"], plain(image)["content"] / mean_square)


@pytest.mark.parametrize("size", [(32, 32), (48, 80)])
def test_the_released_code_s_configuration_weighs_as_that_code_does(size):
    """Means of squares over numpy, of unscaled filters: 1 at relu4_2, 1e3 / n^2 of G over places at five layers."""
    image, content, style = (noise(size[0], size[1], seed) for seed in range(3))
    widths = {"relu1_1": 64, "relu2_1": 128, "relu3_1": 256, "relu4_1": 512, "relu5_1": 512}
    plain = VGG([*widths, "relu4_2"])
    x, p, a = (
        {layer: map[0].flatten(1).double().numpy() for layer, map in plain(one).items()}
        for one in (image, content, style)
    )
    wanted = {"content": np.square(x["relu4_2"] - p["relu4_2"]).mean(), "style": 0.0}
    for layer, width in widths.items():
        grams = [np.einsum("ik,jk->ij", map[layer], map[layer]) / map[layer].shape[1] for map in (x, a)]
        wanted["style"] += 1e3 / width**2 * np.square(grams[0] - grams[1]).mean()
    references = [Reference(style)]
    network = style_network(STYLE_GATYS_RELEASED_CODE, content, references)
    found = StyleObjective(network, content, references, STYLE_GATYS_RELEASED_CODE)(image)
    assert {name: loss.item() for name, loss in found.items()} == pytest.approx(wanted, rel=1e-4)
