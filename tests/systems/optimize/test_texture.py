import pytest
import torch

from limner.errors import LimnerError
from limner.features.vgg16 import VGG
from limner.files.image import read_image, to_tensor
from limner.loops.coarse_to_fine import Pass
from limner.loops.optimize import OptimizeConfig, RunControl
from limner.ops.framing import middle_square
from limner.systems.optimize.texture import (
    TEXTURE_GATYS_2015,
    TEXTURE_MODERN,
    TextureConfig,
    TextureObjective,
    synthesize,
)
from limner.verbs.stylize.named_styles import named_styles

LAYERS = {"relu1_1": 2.0, "pool1": 0.5}


def config(steps=6, method="lbfgs", **fields):
    return TextureConfig(layers=LAYERS, passes=(Pass(optimize=OptimizeConfig(method=method, steps=steps)),), **fields)


def stripes(height=24, width=32):
    rows = (torch.arange(height) // 3 % 2).float()[:, None].expand(height, width)
    return torch.stack([rows, 0.5 * rows, 1 - rows])[None]


def slow_loss(image, source):
    """Equations 3 and 4, place by place."""
    vgg = VGG(LAYERS, pooling="average")
    total = 0.0
    for layer, weight in LAYERS.items():
        grams = []
        for picture in (image, source):
            map = vgg(picture)[layer][0].double()
            places = [map[:, y, x] for y in range(map.shape[1]) for x in range(map.shape[2])]
            grams.append(torch.stack([torch.outer(place, place) for place in places]).sum(0) / len(places))
        total += weight * ((grams[0] - grams[1]) ** 2).sum().item() / (4 * map.shape[0] ** 2)
    return total


def test_the_loss_is_equation_4():
    image, source = torch.rand(1, 3, 12, 16), stripes(10, 12)
    found = TextureObjective(VGG(LAYERS, pooling="average"), source, config())(image)["texture"]
    assert found.item() == pytest.approx(slow_loss(image, source), rel=1e-4)


def test_the_source_itself_has_no_loss():
    objective = TextureObjective(VGG(LAYERS), stripes(), config())
    scale = objective(torch.rand(1, 3, 24, 32))["texture"]
    assert objective(stripes())["texture"] < 1e-9 * scale


def test_the_paper_has_five_layers_of_one_weight():
    assert list(TEXTURE_GATYS_2015.layers) == ["conv1_1", "pool1", "pool2", "pool3", "pool4"]
    assert set(TEXTURE_GATYS_2015.layers.values()) == {1.0}


@pytest.mark.parametrize("method", ["lbfgs", "adam"])
def test_every_run_lowers_the_loss_and_a_seed_gives_one_picture(method):
    one, again = (synthesize(stripes(), (16, 20), config(method=method), seed=3) for _ in range(2))
    other = synthesize(stripes(), (16, 20), config(method=method), seed=4)
    assert one.image.shape == (1, 3, 16, 20)
    assert one.totals[-1] < 0.9 * one.totals[0]
    assert torch.equal(one.image, again.image)
    assert not torch.equal(one.image, other.image)
    assert one.image.min() >= 0
    assert one.image.max() <= 1


def test_tiles_give_the_same_picture():
    parts = synthesize(stripes(), (260, 8), config(steps=2), budget=lambda: 0)
    whole = synthesize(stripes(), (260, 8), config(steps=2))
    torch.testing.assert_close(parts.image, whole.image, rtol=0, atol=1e-3)
    assert parts.totals == pytest.approx(whole.totals, rel=1e-3)


def test_a_seamless_texture_fits_itself_better_than_any_other():
    source = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    source = torch.nn.functional.avg_pool2d(torch.cat([source] * 2, 3), 5, 1, 2)[..., :32]  # blurred noise

    def seam(seamless):
        image = synthesize(source, (32, 32), config(steps=40), seamless=seamless).image
        across = (image[..., 0] - image[..., -1]).abs().mean()
        return (across / (image[..., 1:] - image[..., :-1]).abs().mean()).item()

    assert seam(True) < 1.3
    assert seam(True) < 0.8 * seam(False)


def test_variation_is_no_cheaper_across_the_border_of_a_seamless_texture():
    image = torch.rand(1, 3, 16, 20)
    objective = TextureObjective(VGG(LAYERS), stripes(), config(tv_weight=1.0), seamless=True)
    moved = objective(image.roll((4, -6), (2, 3)))["variation"]
    torch.testing.assert_close(moved, objective(image)["variation"])


def test_seamless_sides_are_rounded():
    assert synthesize(stripes(), (15, 20), config(steps=1), seamless=True).image.shape[-2:] == (16, 20)


def test_a_margin_is_cut_off_at_every_size():
    passes = tuple(Pass(scale=scale, optimize=OptimizeConfig(method="adam", steps=2)) for scale in (0.5, 1.0))
    grown = config().model_copy(update={"passes": passes, "margin": 8})
    seen = []
    done = synthesize(
        stripes(), (16, 20), grown, control=RunControl(watch=lambda progress: seen.append(tuple(progress.image.shape)))
    )
    assert done.image.shape == (1, 3, 16, 20)
    assert seen == [(1, 3, 8, 10)] * 2 + [(1, 3, 16, 20)] * 2
    stopped = synthesize(stripes(), (16, 20), grown, control=RunControl(watch=lambda progress: True))
    assert stopped.image.shape == (1, 3, 16, 20)


def test_a_seamless_texture_has_no_margin():
    one, other = (synthesize(stripes(), (16, 20), config(margin=margin), seamless=True) for margin in (0, 8))
    assert torch.equal(one.image, other.image)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_with_a_margin_the_border_is_like_the_rest(seed):
    """The colour of the outer 6 pixels is as far from that of the middle as chance has it, and not as a frame is."""
    source = middle_square(to_tensor(read_image(named_styles()["mosaic"])), 128)
    passes = tuple(
        Pass(scale=scale, optimize=OptimizeConfig(method="adam", learning_rate=0.05, steps=steps))
        for scale, steps in ((0.5, 25), (1.0, 12))
    )

    def frame(margin):
        made = TEXTURE_MODERN.model_copy(update={"passes": passes, "margin": margin})
        image = synthesize(source, (96, 96), made, seed=seed).image[0]
        border = torch.ones(96, 96, dtype=torch.bool)
        border[6:-6, 6:-6] = False
        return (image[:, border].mean(1) - image[:, 16:-16, 16:-16].flatten(1).mean(1)).abs().mean()

    assert frame(TEXTURE_MODERN.margin) < 0.5 * frame(0)


def of_a_grid(height=64, width=64, period=16):
    """Bright dots, one in each cell, where pooling to a sixteenth sees all of them alike."""
    image = torch.zeros(1, 3, height, width)
    image[..., ::period, ::period] = 1
    return image


def test_a_shift_shows_every_place_of_a_cell_to_the_network():
    """A grid that lies still gives one loss; one that is moved lies elsewhere in the cells of the pooling."""
    shifted = TextureObjective(VGG(LAYERS), stripes(64, 64), config(method="adam", shift=2), seamless=True)
    still = TextureObjective(VGG(LAYERS), stripes(64, 64), config(method="adam"), seamless=True)
    torch.manual_seed(0)
    seen = {round(shifted(of_a_grid())["texture"].item(), 9) for _ in range(24)}
    places = [of_a_grid().roll(offset, (2, 3)) for offset in [(0, 0), (-1, 0), (0, -1), (-1, -1)]]
    assert seen == {round(still(place)["texture"].item(), 9) for place in places}


def test_what_is_not_repeated_is_cut_where_it_leaves():
    """Without wrapping, what leaves at one border must not come in at the other."""
    image = torch.zeros(1, 3, 64, 64)
    image[..., :8, :] = 1
    seen = []
    vgg = VGG(LAYERS)
    objective = TextureObjective(vgg, stripes(64, 64), config(method="adam", shift=16))
    vgg.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    torch.manual_seed(0)
    for _ in range(8):
        objective(image)
    assert all((one[..., -8:, :] == 0).all() for one in seen)
    assert len({tuple(one.shape[-2:]) for one in seen}) > 1


def test_a_shift_leaves_the_network_enough_to_see():
    vgg = VGG(LAYERS)
    objective = TextureObjective(vgg, stripes(), config(method="adam", shift=16))
    assert objective(torch.rand(1, 3, vgg.least_side, vgg.least_side))["texture"] > 0


def test_a_shift_wants_adam():
    with pytest.raises(ValueError, match="shift must be 0 for lbfgs"):
        config(method="lbfgs", shift=8)


def test_flat_and_small_pictures_are_refused():
    with pytest.raises(LimnerError, match="the source is of one colour"):
        synthesize(torch.full((1, 3, 32, 32), 0.5), (32, 32), config())
    with pytest.raises(LimnerError, match="the texture must have 2 pixels a side or more for pool1, got 9x1"):
        synthesize(stripes(), (1, 9), config())
    with pytest.raises(LimnerError, match="the source must have 16 pixels a side or more for pool4, got 12x10"):
        synthesize(stripes(10, 12), (64, 64), TEXTURE_GATYS_2015)
