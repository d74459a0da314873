import pytest
import torch

from limner.features.vgg_encoder import activations
from limner.measure import stylize_like as style_evaluation
from limner.measure.stylize_like import Losses, StylePair, compare, gatys, losses, means
from limner.ops.resample import imresize
from limner.systems.feedforward.adain import STYLE_LAYERS, AdaIN, AdaINConfig


@pytest.fixture(scope="module")
def system() -> AdaIN:
    torch.manual_seed(0)
    return AdaIN(AdaINConfig(channels=(8, 4, 4))).eval()


@pytest.fixture
def pair() -> StylePair:
    content, style = (imresize(torch.rand(1, 3, 8, 8), 4).clamp(0, 1) for _ in range(2))
    return StylePair("c", "s", content, style)


def test_losses_by_other_means(system, pair):
    image = torch.rand(1, 3, 32, 32)
    found, content, style = (
        activations(system.encoder, one, STYLE_LAYERS) for one in (image, pair.content, pair.style)
    )
    expected = torch.zeros(())
    for layer in STYLE_LAYERS:
        one, other = (maps[layer].flatten(2) for maps in (found, style))
        expected += (one.mean(2) - other.mean(2)).square().mean()
        roots = [(maps.var(2, correction=0) + 1e-5).sqrt() for maps in (one, other)]
        expected += (roots[0] - roots[1]).square().mean()
    told = losses(image, pair)
    assert told.style == pytest.approx(expected.item(), rel=1e-4)
    assert told.content == pytest.approx((found["relu4_1"] - content["relu4_1"]).square().mean().item(), rel=1e-4)
    assert losses(pair.content, pair).content == pytest.approx(0, abs=1e-9)  # two passes may round apart
    assert losses(pair.style, pair).style == pytest.approx(0, abs=1e-9)


def test_gatys_goes_down(system, pair):
    points = gatys(pair, 2, lambda image: losses(image, pair), every=1)
    assert [point.iteration for point in points] == [0, 1, 2]
    assert points[0].losses.style > points[1].losses.style > points[2].losses.style
    assert 0 == points[0].seconds < points[1].seconds < points[2].seconds


def test_what_optimisation_came_to_is_kept(system, pair, tmp_path, monkeypatch):
    kept, told = tmp_path / "gatys.json", []
    first = compare(system, [pair], iterations=2, kept=kept, on_pair=lambda *given: told.append(given))
    assert told == [(1, 1)]
    monkeypatch.setattr(style_evaluation, "gatys", None)
    again = compare(system, [pair], iterations=2, kept=kept)
    assert again == first
    assert first[0].photo.content == 0


def test_means_are_over_pairs(system, pair):
    (one,) = compare(system, [pair], iterations=1)
    other = one.model_copy(update={"network": Losses(content=one.network.content, style=3 * one.network.style)})
    mean = means([one, other])
    assert mean.network.style == pytest.approx(2 * one.network.style)
    assert mean.gatys == one.gatys[-1].losses
    assert mean.style_ratio == pytest.approx(2 * one.network.style / one.gatys[-1].losses.style)
