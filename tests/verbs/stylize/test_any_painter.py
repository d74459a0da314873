from collections.abc import Callable

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from tests.predictors import predictor

from limner.catalog.models import find
from limner.errors import LimnerError
from limner.files.image import Picture, alpha_tensor, from_tensor
from limner.files.weights import Header, save_weights
from limner.ops.color import match_colors
from limner.ops.palette import NUMBERS, with_palette
from limner.ops.resample import imresize
from limner.ops.statistics import Statistics
from limner.runtime.run_options import RunOptions
from limner.systems.feedforward.adain import AdaIN, AdaINConfig
from limner.systems.feedforward.any_style import ANY_SLIM, AnyStyle
from limner.tasks.stylize import STYLIZE_LIKE
from limner.verbs.stylize import any_painter
from limner.verbs.stylize.any_painter import AnyPainter, load_adain
from limner.verbs.stylize.style import Style

CONFIG = AdaINConfig(channels=(8, 4, 4))
PREDICTED = ANY_SLIM.model_copy(
    update={"channels": (4, 4, 4), "num_blocks": 1, "hidden": 8, "embedding": 3, "noise": 0.0}
)


@pytest.fixture(scope="module")
def system() -> AdaIN:
    torch.manual_seed(0)
    return AdaIN(CONFIG).eval().requires_grad_(False)


@pytest.fixture(scope="module")
def predicting() -> AnyStyle:
    return predictor(PREDICTED)


@pytest.fixture(params=["adain", "any-style"])
def either(request, system, predicting) -> AdaIN | AnyStyle:
    return system if request.param == "adain" else predicting


@pytest.fixture
def encodings(system, monkeypatch) -> list[tuple[int, int]]:
    """The sizes of the style pictures that are encoded."""
    seen: list[tuple[int, int]] = []
    read = system.read

    def noted(style: torch.Tensor, reader: Callable | None = None) -> Statistics:
        seen.append((style.shape[-2], style.shape[-1]))
        return read(style, reader)

    monkeypatch.setattr(system, "read", noted)
    return seen


def painter(system, *styles, tile=None, backend="auto", **options) -> AnyPainter:
    wanted = [style if isinstance(style, Style) else Style(style) for style in styles]
    run = RunOptions(device="cpu", precision="exact", tile=tile, backend=backend)
    return AnyPainter(system, wanted, options=run, **options)


def close(found: torch.Tensor, expected: torch.Tensor) -> None:
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_a_saved_model_paints_the_same(system, tmp_path):
    path = tmp_path / "a.safetensors"
    save_weights(path, system.state_dict(), Header(system="adain", config=CONFIG.model_dump(mode="json")))
    content, style = torch.rand(1, 3, 32, 40), torch.rand(1, 3, 40, 32)
    close(painter(load_adain(str(path)), style).paint(content), system(content, style).clamp(0, 1))
    with pytest.raises(LimnerError, match="vdsr is a vdsr, for limner upscale, not for stylize: name adain"):
        load_adain("vdsr")


def test_without_its_own_network_limner_says_what_paints_any_style(monkeypatch):
    monkeypatch.setattr(any_painter, "embedded", dict)
    with pytest.raises(LimnerError, match=r"^no network for any style comes with this Limner: name as the model one"):
        load_adain()


def test_any_size_comes_out_as_it_went_in(either):
    content, style = torch.rand(1, 3, 37, 45), torch.rand(1, 3, 45, 45)
    padded = F.pad(content, (0, 3, 0, 3), mode="replicate")
    close(painter(either, style).paint(content), either(padded, style)[..., :37, :45].clamp(0, 1))


def test_many_pictures_are_painted_each_by_itself(either):
    contents, style = torch.rand(2, 3, 32, 40), torch.rand(1, 3, 40, 32)
    for options in ({}, {"keep_colors": True}):
        ready = painter(either, style, **options)
        close(ready.paint(contents), torch.cat([ready.paint(contents[:1]), ready.paint(contents[1:])]))


def test_in_tiles_it_is_the_same(either):
    content, mask = torch.rand(1, 3, 70, 90), torch.zeros(1, 3, 70, 90)
    mask[..., :40] = 1
    one, other = Style(torch.rand(3, 90, 90), mask=mask), Style(torch.rand(3, 80, 90))
    told: list[tuple[int, int]] = []
    for styles in ((one, other), (other,)):
        whole = painter(either, *styles).paint(content)
        parts = painter(either, *styles, tile=32).paint(content, lambda done, total: told.append((done, total)))
        close(parts, whole)
        assert told[-1][0] == told[-1][1] > 6


def test_a_mask_everywhere_is_none(either):
    content, style, other = (torch.rand(1, 3, 32, 40) for _ in range(3))
    alone, everywhere = painter(either, style).paint(content), torch.ones(1, 3, 32, 40)
    masked = Style(style, mask=everywhere)
    close(painter(either, masked, other).paint(content), alone)
    close(painter(either, masked, masked).paint(content), alone)  # they share every place


def test_a_style_is_seen_where_its_mask_is_white(system):
    content, mask = torch.rand(1, 3, 64, 320), torch.zeros(1, 3, 64, 320)
    mask[..., :160] = 1
    one, other, third = (torch.rand(3, 320, 320) for _ in range(3))
    first, second = (painter(system, Style(style, mask=mask), third).paint(content) for style in (one, other))
    change = (first - second).abs().mean((0, 1, 2))
    assert change[:100].min() > 0
    assert change[220:].max() < 1e-6  # the decoder sees no farther than that
    smaller = painter(system, Style(one, mask=mask), third, size=160).paint(content)
    assert smaller.shape == (1, 3, 32, 160)


def test_styles_are_mixed_by_their_weights(system):
    content, one, other = (torch.rand(1, 3, 32, 40) for _ in range(3))
    features = system.encoder(content)
    means, deviations = zip(*(system.read(style) for style in (one, other)), strict=True)
    own = system.read(content)
    styled = (features - own.mean) / own.deviation
    between = sum(
        share * (styled * deviation + mean)
        for share, mean, deviation in zip((0.75, 0.25), means, deviations, strict=True)
    )
    close(painter(system, Style(one, 3.0), Style(other)).paint(content), system.decoder(between).clamp(0, 1))


def test_strength_is_that_of_the_features(system):
    content, style = torch.rand(1, 3, 32, 40), torch.rand(1, 3, 32, 40)
    kept = system.decoder(system.encoder(content)).clamp(0, 1)
    close(painter(system, style, strength=0).paint(content), kept)
    assert (painter(system, style, strength=0.5).paint(content) - kept).abs().mean() > 1e-3


def test_a_predicted_style_is_blended_with_the_photo(predicting):
    content, style = torch.rand(1, 3, 32, 40), torch.rand(1, 3, 32, 40)
    whole, half, none = (painter(predicting, style, strength=share).paint(content) for share in (1, 0.5, 0))
    close(none, content)
    close(half, (content + whole) / 2)


def test_predicted_styles_are_mixed_by_their_weights(predicting):
    content, one, other = (torch.rand(1, 3, 32, 40) for _ in range(3))
    mixture = 0.75 * predicting.reader(one) + 0.25 * predicting.reader(other)
    logits = predicting.network.logits(content, mixture[:, :-NUMBERS])
    expected = torch.sigmoid(with_palette(logits, mixture[:, -NUMBERS:]))
    close(painter(predicting, Style(one, 3.0), Style(other)).paint(content), expected)


def test_keeping_colours_recolours_the_style(either):
    content, style = torch.rand(1, 3, 32, 40) * 0.2 + 0.4, torch.rand(1, 3, 32, 40)
    recoloured = match_colors(style, content).clamp(0, 1)
    found = painter(either, style, keep_colors=True).paint(content)
    close(found, painter(either, recoloured).paint(content))


def test_frames_keep_their_colours_whatever_the_style(system):
    frame = torch.rand(1, 3, 32, 40) * 0.2 + 0.4
    painted = painter(system, torch.rand(3, 32, 40), keep_colors=True).for_frames(32, 40).paint(frame)
    light = torch.tensor([0.299, 0.587, 0.114])[:, None, None]
    chroma, expected = (one - (light * one).sum(1, keepdim=True) for one in (painted, frame))
    torch.testing.assert_close(chroma, expected, rtol=0, atol=1e-2)


def test_a_style_is_encoded_once_for_results_of_one_size(system, encodings):
    ready = painter(system, torch.rand(3, 20, 40))
    for shape in ((32, 48), (48, 32), (48, 48), (32, 48)):
        ready.paint(torch.rand(1, 3, *shape))
    assert encodings == [(24, 48)]
    ready.paint(torch.rand(1, 3, 32, 64))
    assert encodings == [(24, 48), (32, 64)]


def test_the_scale_is_beside_the_result_up_to_the_largest(system, encodings, monkeypatch):
    painter(system, Style(torch.rand(3, 20, 40), scale=2), size=32).paint(torch.rand(1, 3, 64, 64))
    assert encodings == [(32, 64)]
    monkeypatch.setattr(system, "largest_style", 48)
    large = torch.rand(1, 3, 60, 120)
    found = painter(system, large).paint(large)
    assert encodings.pop() == (24, 48)
    style = system.read(imresize(large, size=(24, 48)).clamp(0, 1))
    close(found, system.stylizer(style)(F.pad(large, (0, 0, 0, 4), mode="replicate"))[..., :60, :].clamp(0, 1))
    assert AdaIN.largest_style == 1024


def test_transparency_and_depth_stay(either):
    alpha = torch.rand(1, 1, 32, 40)
    picture = from_tensor(torch.rand(1, 3, 32, 40), like=Picture(np.zeros((32, 40, 3), np.uint16)), alpha=alpha)
    found = painter(either, torch.rand(3, 32, 40)).paint_picture(picture)
    assert found.bit_depth == 16
    torch.testing.assert_close(alpha_tensor(found), alpha_tensor(picture))


def test_what_cannot_be_painted_is_refused(system):
    content, style = torch.rand(1, 3, 32, 40), torch.rand(1, 3, 32, 40)
    with pytest.raises(LimnerError, match="a style is missing"):
        painter(system)
    with pytest.raises(LimnerError, match="strength must be between 0, the photo, and 1, the painting, got 2"):
        painter(system, style, strength=2)
    masked = Style(style, mask=torch.ones(1, 3, 40, 32))
    with pytest.raises(LimnerError, match="a mask must be as large as the content, 40x32, got 32x40"):
        painter(system, masked).paint(content)
    with pytest.raises(LimnerError, match="masks are painted by torch alone, got the backend openvino"):
        painter(system, masked, backend="openvino")
    with pytest.raises(LimnerError, match="frames are painted without masks"):
        painter(system, masked).for_frames(32, 40)
    with pytest.raises(LimnerError, match="a style must have 16 pixels a side or more, got 40x10"):
        painter(system, style[..., :8, :32]).paint(content)


@pytest.mark.parametrize("sides", [(1, 1), (1, 4), (3, 2), (9, 40)])
def test_the_smallest_photos_are_painted_with_masks_too(either, sides):
    content, style = torch.rand(1, 3, *sides), torch.rand(1, 3, 32, 40)
    assert painter(either, style).paint(content).shape == content.shape
    left = torch.zeros(1, 3, *sides)
    left[..., : max(1, sides[1] // 2)] = 1
    assert painter(either, Style(style, mask=left), style).paint(content).shape == content.shape


def test_the_catalog_names_the_verb():
    assert find("adain").tasks == (STYLIZE_LIKE,)
