import math

import pytest
import torch
import torch.nn.functional as F
from tests.predictors import predictor

from limner.data.style_pairs import Styled
from limner.errors import LimnerError
from limner.layers.style_norm import StyleNorm
from limner.loops.fit import Fit
from limner.ops.palette import NUMBERS, palette
from limner.runtime.plan import Grid, Plan
from limner.runtime.tiling import Tiled
from limner.systems.feedforward.any_style import (
    ANY_SLIM,
    CONTENT_LAYER,
    FIT_MODERN,
    GHIASI_2017,
    STYLE_LAYERS,
    AnyStyle,
    of_colors,
)
from limner.types import Progress

TINY = ANY_SLIM.model_copy(update={"channels": (4, 6, 8), "num_blocks": 1, "hidden": 8, "embedding": 5})


@pytest.fixture(scope="module")
def system() -> AnyStyle:
    return predictor(TINY)


def activations(system: AnyStyle, image: torch.Tensor) -> dict[str, torch.Tensor]:
    found, x = {}, image
    for name, layer in system.reader.encoder.named_children():
        x = found[name] = layer(x)
    return found


def test_the_papers_network_has_an_embedding_of_100_and_the_transfer_network_of_dumoulin():
    """Section 3: 100 numbers, and scales and shifts for every norm, here for each number and the colours."""
    system = AnyStyle(GHIASI_2017)
    values = [norm.get_parameter(name) for norm in system.network.norms for name in ("weight", "bias")]
    scales = sum(one.shape[1] for one in values)
    assert scales == 2 * (32 + 64 + 128 + 10 * 128 + 64 + 32 + 3)
    assert all(one.shape[0] == 1 + 6 + 100 for one in values)
    assert not [name for name in system.state_dict() if "encoder" in name]


def test_colours_are_those_before_the_sigmoid():
    style = torch.rand(1, 3, 20, 30)
    logits = (style.clamp(0.02, 0.98).double() / (1 - style.clamp(0.02, 0.98).double())).log().flatten(2)
    expected = torch.cat([logits.mean(2), logits.std(2, correction=0)], 1)
    torch.testing.assert_close(of_colors(style).double(), expected, rtol=1e-4, atol=1e-4)


def test_at_first_a_painting_has_the_colours_of_its_style():
    """Whatever the photo: the last norm's shifts and scales are the means and deviations before the sigmoid."""
    torch.manual_seed(0)
    system = AnyStyle(TINY).eval()
    for norm in system.network.norms:
        for name in ("weight", "bias"):
            norm.get_parameter(name).data[7:] = 0
    style = torch.rand(1, 3, 48, 48) * torch.tensor([0.9, 0.5, 0.2]).view(1, 3, 1, 1)
    with torch.no_grad():
        painted = system(torch.rand(1, 3, 64, 64), style)
    logits = (painted / (1 - painted)).log().flatten(2)
    torch.testing.assert_close(torch.cat([logits.mean(2), logits.std(2)], 1), of_colors(style), rtol=0.01, atol=0.01)


def test_a_mixture_is_read_off_means_and_deviations(system):
    """By hand: colours, then the logarithms of a tenth more than each layer's means and deviations, then two layers."""
    style = torch.rand(1, 3, 40, 32)
    found, read = activations(system, style), [*of_colors(style)[0].tolist()]
    for layer in STYLE_LAYERS:
        maps = found[layer][0].double().flatten(1)
        statistics = [maps.mean(1), (maps.var(1, correction=0) + 1e-5).sqrt()]
        read += [math.log(0.1 + value) for part in statistics for value in part.tolist()]
    reader = system.reader
    hidden = F.leaky_relu(torch.tensor(read) / len(read) ** 0.5 @ reader.first.weight.T + reader.first.bias, 0.2)
    embedding = hidden @ reader.last.weight.T + reader.last.bias
    expected = torch.cat([torch.tensor([1.0, *read[:6]]), embedding, palette(style)[0]])
    torch.testing.assert_close(reader(style)[0], expected, rtol=1e-3, atol=1e-4)


def test_scales_and_shifts_are_the_mixture_of_directions(system):
    style = torch.rand(2, 3, 40, 32)
    mixtures = system.read(style)
    assert mixtures[:, 0].tolist() == [1, 1]
    alone = system.stylizer(mixtures[1:]).network
    for norm, own in zip(system.network.norms, alone.norms, strict=True):
        assert isinstance(norm, StyleNorm)
        for values, found in ((norm.weight, own.weight), (norm.bias, own.bias)):
            expected = sum(share * row for share, row in zip(mixtures[1, :-NUMBERS], values, strict=True))
            torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_a_stylizer_paints_as_the_whole_system_does(system):
    content, style = torch.rand(2, 3, 32, 40), torch.rand(2, 3, 48, 40)
    whole = system(content, style)
    for number in range(2):
        one = slice(number, number + 1)
        painted = system.stylizer(system.read(style[one]))(content[one])
        torch.testing.assert_close(painted, whole[one], rtol=1e-4, atol=1e-5)


def test_the_style_between_two_is_their_weighted_mean(system):
    one, other = (system.read(torch.rand(1, 3, 32, 32)) for _ in range(2))
    torch.testing.assert_close(system.mixed([one, other], [3.0, 1.0]), 0.75 * one + 0.25 * other)
    assert torch.equal(system.mixed([one, one], [2, 1]), one)
    for weights in ([1.0], [0.0, 0.0], [2.0, -1.0]):
        with pytest.raises(LimnerError, match="styles need one weight each"):
            system.mixed([one, other], weights)


def test_regions_are_painted_each_like_its_own(system):
    photo, noisy = torch.rand(1, 3, 32, 48), torch.rand(1, 3, 32, 48)
    styles = [system.read(torch.rand(1, 3, 32, 32)) for _ in range(2)]
    painted = [system.stylizer(one)(noisy) for one in styles]
    stylizer = system.region_stylizer(styles)
    halves = torch.zeros(1, 2, 4, 6)
    halves[:, 0, :, :3], halves[:, 1, :, 3:] = 1, 1
    found = stylizer(noisy, photo, halves)
    torch.testing.assert_close(found[..., :20], painted[0][..., :20])
    torch.testing.assert_close(found[..., 28:], painted[1][..., 28:])
    assert torch.equal(stylizer(noisy, photo, torch.zeros(1, 2, 4, 6)), photo)
    whole = stylizer(noisy, photo, halves)
    parts = Tiled(stylizer, *(tuple(one.shape) for one in (noisy, photo, halves)))(
        noisy, photo, halves, plan=Plan(Grid(2, 3))
    )
    assert (parts - whole).abs().max() < 1e-5


def test_losses_are_relative_content_statistics_and_relative_gram_matrices():
    torch.manual_seed(0)
    system = AnyStyle(TINY.model_copy(update={"noise": 0.0, "tv_weight": 2.0, "lattice_weight": 7.0})).eval()
    batch = Styled(torch.rand(1, 3, 32, 32), torch.rand(1, 3, 48, 48))
    (turn,) = system.turns(batch, Progress())
    painted = system(*batch)
    found, content, style = (activations(system, image) for image in (painted, batch.source, batch.style))
    distance = (found[CONTENT_LAYER] - content[CONTENT_LAYER]).square().mean() / content[CONTENT_LAYER].square().mean()
    torch.testing.assert_close(turn.losses["content"], system.config.content_weight * distance, rtol=1e-3, atol=1e-5)
    statistics, grams = torch.zeros(()), torch.zeros(())
    for layer in STYLE_LAYERS:
        one, other = (maps[layer][0].flatten(1) for maps in (found, style))
        statistics += (one.mean(1) - other.mean(1)).square().mean()
        deviations = [(maps.var(1, correction=0) + 1e-5).sqrt() for maps in (one, other)]
        statistics += (deviations[0] - deviations[1]).square().mean()
        products = [maps @ maps.T / maps.numel() for maps in (one, other)]
        grams += (products[0] - products[1]).square().sum() / products[1].square().sum() / len(STYLE_LAYERS)
    config = system.config
    torch.testing.assert_close(turn.losses["style"], config.style_weight * statistics, rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(turn.losses["gram"], config.gram_weight * grams, rtol=1e-3, atol=1e-4)
    steps = [(painted[..., 1:, :-1] - painted[..., :-1, :-1]), (painted[..., :-1, 1:] - painted[..., :-1, :-1])]
    variation = 2 * sum(one.square() for one in steps).mean()
    torch.testing.assert_close(turn.losses["variation"], variation, rtol=1e-3, atol=1e-5)
    cell = sum(painted[..., top : top + 4, left : left + 4] for top in range(0, 32, 4) for left in range(0, 32, 4)) / 64
    torch.testing.assert_close(turn.losses["lattice"], 7 * cell.var((2, 3), correction=0).mean(), rtol=1e-3, atol=1e-6)


def test_convolutions_may_stay_as_they_are():
    torch.manual_seed(0)
    system = AnyStyle(TINY.model_copy(update={"train_convolutions": False}))
    before = {name: tensor.clone() for name, tensor in system.state_dict().items()}
    training = Fit(system, FIT_MODERN)
    training.step([Styled(torch.rand(1, 3, 32, 32), torch.rand(1, 3, 32, 32))])
    moved = {name for name, tensor in system.state_dict().items() if not torch.equal(tensor, before[name])}
    assert moved == {name for name in before if ".convolution." not in name}


def test_a_painting_that_is_too_small_is_refused(system):
    with pytest.raises(LimnerError, match="a style must have 16 pixels a side or more, got 12x40"):
        system.read(torch.rand(1, 3, 40, 12))
