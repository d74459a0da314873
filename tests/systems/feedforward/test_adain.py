import pytest
import torch
import torch.nn.functional as F

from limner.data.style_pairs import Styled
from limner.errors import LimnerError
from limner.features.vgg16 import VGG, mean_responses
from limner.features.vgg_encoder import activations
from limner.ops.statistics import Statistics
from limner.runtime.plan import Grid, Plan
from limner.runtime.run_options import RunOptions
from limner.runtime.runner import Runner
from limner.runtime.tiling import Tiled
from limner.systems.feedforward.adain import ADAIN_2017, ADAIN_INVERSE, STYLE_LAYERS, AdaIN, AdaINConfig
from limner.types import Progress

TINY = AdaINConfig(channels=(8, 4, 4))


@pytest.fixture(scope="module")
def system() -> AdaIN:
    torch.manual_seed(0)
    return AdaIN(TINY).eval().requires_grad_(False)


@pytest.fixture(scope="module")
def with_palette() -> AdaIN:
    torch.manual_seed(0)
    return AdaIN(TINY.override(["palette=true"])).eval().requires_grad_(False)


def slow_adain(x: torch.Tensor, y: torch.Tensor, epsilon: float = 1e-5) -> torch.Tensor:
    """Equation 8, channel after channel, of one picture; `epsilon` is added to the variance of x."""
    result = torch.empty_like(x)
    for channel in range(x.shape[1]):
        a, b = x[0, channel].double(), y[0, channel].double()
        sigma = [((one - one.mean()).square().mean() + eps).sqrt() for one, eps in ((a, epsilon), (b, 1e-5))]
        result[0, channel] = (sigma[1] * (a - a.mean()) / sigma[0] + b.mean()).float()
    return result


def test_the_papers_decoder_mirrors_the_encoder():
    """VGG-16 from relu4_1 back: 512-256, three of 256 down to 128, 128-128-64, 64-64-3, each with biases."""
    widths = [(512, 256), (256, 256), (256, 256), (256, 128), (128, 128), (128, 64), (64, 64), (64, 3)]
    expected = sum(9 * a * b + b for a, b in widths)
    system = AdaIN(ADAIN_2017)
    assert sum(one.numel() for one in system.parameters()) == expected
    assert set(system.state_dict()) == {f"decoder.{name}" for name in system.decoder.state_dict()}


def test_no_layer_of_the_decoder_normalises():
    kinds = {type(layer).__name__ for layer in AdaIN(TINY).decoder}
    assert kinds == {"Conv2d", "ReLU", "Upsample"}


@pytest.mark.parametrize("size", [(32, 48), (40, 24)])
def test_forward_is_equations_8_to_10(system, size):
    content, style = torch.rand(1, 3, *size), torch.rand(1, 3, 48, 40)
    expected = system.decoder(slow_adain(system.encoder(content), system.encoder(style)))
    assert expected.shape == content.shape
    torch.testing.assert_close(system(content, style), expected, rtol=1e-3, atol=1e-4)


def test_losses_are_equations_11_to_13(system):
    """By the activations of the VGG with the encoder's padding, layer after layer."""
    batch = Styled(torch.rand(1, 3, 32, 32), torch.rand(1, 3, 32, 32))
    (turn,) = system.turns(batch, Progress())
    target = slow_adain(system.encoder(batch.source), system.encoder(batch.style))
    result = system.decoder(target)
    content = (system.encoder(result) - target).square().mean()
    style = 0.0
    for layer in STYLE_LAYERS:
        end = [name for name, _ in system.encoder.named_children()].index(layer) + 1
        found, wanted = (system.encoder[:end](one).flatten(2) for one in (result, batch.style))
        style += (found.mean(2) - wanted.mean(2)).square().mean()
        deviations = [(one.var(2, correction=0) + 1e-5).sqrt() for one in (found, wanted)]
        style += (deviations[0] - deviations[1]).square().mean()
    assert turn.player == "decoder"
    torch.testing.assert_close(turn.losses["content"], content, rtol=1e-3, atol=1e-5)
    torch.testing.assert_close(turn.losses["style"], 10 * style, rtol=1e-3, atol=1e-4)


def test_a_palette_is_adain_of_what_is_painted(system, with_palette):
    content, style = torch.rand(1, 3, 32, 40), torch.rand(1, 3, 24, 16) * torch.tensor([1.0, 0.5, 0.1]).view(1, 3, 1, 1)
    with_palette.decoder = system.decoder
    found = with_palette(content, style)
    torch.testing.assert_close(found, slow_adain(system(content, style), style, 0.0025), rtol=1e-3, atol=1e-4)
    told = with_palette.read(style)
    torch.testing.assert_close(with_palette.stylizer(told)(content), found, rtol=1e-3, atol=1e-4)
    painted = system.stylizer(system.read(style), 0.3)(content)
    between = 0.7 * painted + 0.3 * slow_adain(painted, style, 0.0025)
    torch.testing.assert_close(with_palette.stylizer(told, 0.3)(content), between, rtol=1e-3, atol=1e-4)


def test_a_flat_picture_stays_flat_in_the_colour_of_the_style(with_palette):
    """In bfloat16, whose digits are no strokes."""
    style = torch.rand(1, 3, 32, 32) * torch.tensor([1.0, 0.5, 0.1]).view(1, 3, 1, 1)
    stylizer = with_palette.stylizer(with_palette.read(style))
    painted = Runner(stylizer, RunOptions(precision="fast"))(torch.full((1, 3, 64, 64), 0.3))
    assert (painted.mean((2, 3)) - style.mean((2, 3))).abs().max() < 0.01
    assert painted.std((2, 3)).max() < 0.01


def test_a_palette_is_learnt_through(with_palette):
    """The losses are those of the picture that `forward` paints."""
    batch = Styled(torch.rand(1, 3, 32, 32), torch.rand(1, 3, 32, 32))
    (turn,) = with_palette.turns(batch, Progress())
    found = with_palette.encoder(with_palette(batch.source, batch.style))
    target = slow_adain(with_palette.encoder(batch.source), with_palette.encoder(batch.style))
    torch.testing.assert_close(turn.losses["content"], (found - target).square().mean(), rtol=1e-3, atol=1e-5)


def test_the_grid_is_that_of_the_decoder(system):
    """The mean of all cells of eight pixels, whose variance is the loss."""
    batch = Styled(torch.rand(1, 3, 32, 48), torch.rand(1, 3, 32, 32))
    weighed = AdaIN(TINY.override(["lattice_weight=7"]))
    weighed.decoder = system.decoder
    (turn,) = weighed.turns(batch, Progress())
    painted = system(batch.source, batch.style)
    cell = sum(painted[..., top : top + 8, left : left + 8] for top in range(0, 32, 8) for left in range(0, 48, 8)) / 24
    expected = 7 * cell.var((2, 3), correction=0).mean()
    torch.testing.assert_close(turn.losses["lattice"], expected, rtol=1e-3, atol=1e-7)


def test_each_region_has_its_palette(system, with_palette):
    """By masks that are as large as the picture, blended between two of their places."""
    content, *styles = torch.rand(1, 3, 32, 64), 0.2 * torch.rand(1, 3, 32, 32), torch.rand(1, 3, 32, 32)
    masks = torch.zeros(1, 2, 4, 8)
    masks[:, 0, :, :4], masks[:, 1, :, 4:] = 1, 0.5
    with_palette.decoder = system.decoder
    painted = system.region_stylizer([system.read(style) for style in styles])(content, masks)
    expected, wide = painted.clone(), F.interpolate(masks, (32, 64), mode="bilinear")
    for channel in range(3):
        x = painted[0, channel]
        for mask, style in zip(wide[0], (style[0, channel] for style in styles), strict=True):
            mean = (mask * x).sum() / mask.sum()
            deviation = ((mask * (x - mean) ** 2).sum() / mask.sum() + 0.0025).sqrt()
            styled = (x - mean) / deviation * (style.var(correction=0) + 1e-5).sqrt() + style.mean()
            expected[0, channel] += mask * (styled - x)
    found = with_palette.region_stylizer([with_palette.read(style) for style in styles])(content, masks)
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-4)


def test_pairings_paint_each_content_in_several_styles_of_the_batch(system):
    """Two of three: each in its own and in the next one, the last in the first; losses are means."""
    contents, styles = torch.rand(3, 3, 32, 32), torch.rand(3, 3, 32, 32)
    pairs = [(number, (number + by) % 3) for by in range(2) for number in range(3)]
    alone = [next(system.turns(Styled(contents[a : a + 1], styles[b : b + 1]), Progress())).losses for a, b in pairs]
    several = AdaIN(TINY.override(["pairings=2"]))
    several.decoder = system.decoder
    (turn,) = several.turns(Styled(contents, styles), Progress())
    for name in ("content", "style"):
        expected = torch.stack([losses[name] for losses in alone]).mean()
        torch.testing.assert_close(turn.losses[name], expected, rtol=1e-3, atol=1e-5)


def test_a_first_decoder_learns_from_pictures_alone(system):
    batch = Styled(torch.rand(1, 3, 16, 16), torch.rand(1, 3, 16, 16))
    with torch.no_grad():
        away = [(system.decoder(system.encoder(one)) - one).square().mean() for one in batch]
    first = AdaIN(ADAIN_INVERSE)
    first.decoder = system.decoder
    (turn,) = first.turns(batch, Progress())
    assert set(turn.losses) == {"inversion"}
    torch.testing.assert_close(turn.losses["inversion"], 100 * sum(away) / 2, rtol=1e-4, atol=1e-5)


def test_the_encoder_sees_what_the_vgg_sees():
    """The four layers of a picture far from its border; relu4_1 sees 46 pixels beyond its own."""
    vgg, image = VGG(STYLE_LAYERS), torch.rand(1, 3, 160, 160)
    vgg.normalize(mean_responses("max"))
    found, expected = activations(AdaIN(TINY).encoder, image, STYLE_LAYERS), vgg(image)
    for layer, stride in zip(STYLE_LAYERS, (1, 2, 4, 8), strict=True):
        inside = (..., slice(56 // stride, -56 // stride), slice(56 // stride, -56 // stride))
        torch.testing.assert_close(found[layer][inside], expected[layer][inside], rtol=1e-3, atol=1e-3)


def test_a_stylizer_is_the_system_for_one_style(system):
    content, style = torch.rand(1, 3, 32, 40), torch.rand(1, 3, 48, 32)
    stylizer = system.stylizer(system.read(style))
    torch.testing.assert_close(stylizer(content), system(content, style), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("alpha", [0.0, 0.3, 1.0])
def test_alpha_is_equation_14(system, alpha):
    content, style = torch.rand(1, 3, 32, 40), torch.rand(1, 3, 48, 32)
    features = system.encoder(content)
    between = (1 - alpha) * features + alpha * slow_adain(features, system.encoder(style))
    found = system.stylizer(system.read(style), alpha)(content)
    torch.testing.assert_close(found, system.decoder(between), rtol=1e-3, atol=1e-4)


def test_mixing_statistics_is_equation_15(system):
    """g(sum_k w_k AdaIN(f(c), f(s_k))) with weights 3 to 1."""
    content, one, other = (torch.rand(1, 3, 32, 32) for _ in range(3))
    features = system.encoder(content)
    between = 0.75 * slow_adain(features, system.encoder(one)) + 0.25 * slow_adain(features, system.encoder(other))
    style = AdaIN.mixed([system.read(one), system.read(other)], [3.0, 1.0])
    torch.testing.assert_close(system.stylizer(style)(content), system.decoder(between), rtol=1e-3, atol=1e-4)


def test_regions_are_stylised_each_by_its_own_statistics(system):
    content, one, other = (torch.rand(1, 3, 32, 48) for _ in range(3))
    features, masks = system.encoder(content), torch.zeros(1, 2, 4, 6)
    masks[:, 0, :, :2], masks[:, 1, :, 4:] = 1, 1
    expected = features.clone()  # between the two regions, nothing changes
    expected[..., :2] = slow_adain(features[..., :2], system.encoder(one))
    expected[..., 4:] = slow_adain(features[..., 4:], system.encoder(other))
    stylizer = system.region_stylizer([system.read(one), system.read(other)])
    torch.testing.assert_close(stylizer(content, masks), system.decoder(expected), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", ["system", "with_palette"])
def test_one_region_everywhere_is_no_region(name, request):
    system = request.getfixturevalue(name)
    content, style = torch.rand(1, 3, 32, 48), system.read(torch.rand(1, 3, 32, 32))
    found = system.region_stylizer([style], 0.6)(content, torch.ones(1, 1, 4, 6))
    torch.testing.assert_close(found, system.stylizer(style, 0.6)(content), rtol=1e-4, atol=1e-5)


def test_a_style_mixed_with_itself_is_itself():
    style = Statistics(torch.randn(1, 64, 1, 1), torch.rand(1, 64, 1, 1))
    for one, other in zip(AdaIN.mixed([style, style], [2, 1]), style, strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize("alpha", [0.5, 1.0])
@pytest.mark.parametrize("name", ["system", "with_palette"])
def test_in_parts_equals_whole(name, alpha, request):
    system = request.getfixturevalue(name)
    content, styles = torch.rand(1, 3, 64, 48), [system.read(torch.rand(1, 3, 32, 32)) for _ in range(2)]
    runner = Runner(system.stylizer(styles[0], alpha), RunOptions(precision="exact"))
    assert runner.refusal is None
    assert runner.verify(content) < 1e-5
    masks = torch.rand(1, 2, 8, 6) / 2
    network = system.region_stylizer(styles, alpha)
    parts = Tiled(network, tuple(content.shape), tuple(masks.shape))(content, masks, plan=Plan(Grid(3, 2)))
    torch.testing.assert_close(parts, network(content, masks), rtol=1e-4, atol=1e-5)


def test_bfloat16_is_near_float32(system):
    """bfloat16 is near enough for the eye."""
    content = torch.rand(1, 3, 64, 64)
    network = system.stylizer(system.read(F.interpolate(torch.rand(1, 3, 8, 8), (64, 64))))
    exact, fast = (Runner(network, RunOptions(precision=precision))(content) for precision in ("exact", "fast"))
    assert 10 * ((exact - fast).square().mean() / exact.var()).log10() < -30


def test_what_cannot_be_is_refused(system):
    style = Statistics(torch.zeros(1, 512, 1, 1), torch.ones(1, 512, 1, 1))
    with pytest.raises(LimnerError, match=r"alpha must lie in \[0, 1\], from the content to the style, got 1.5"):
        system.stylizer(style, 1.5)
    with pytest.raises(LimnerError, match="a style must have 16 pixels a side or more, got 12x40"):
        system.read(torch.rand(1, 3, 40, 12))
    for weights in ([1.0], [0.0, 0.0], [2.0, -1.0]):
        with pytest.raises(LimnerError, match="styles need one weight each"):
            AdaIN.mixed([style, style], weights)
