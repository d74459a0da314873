from collections.abc import Callable

import pytest
import torch

from limner.catalog import find
from limner.errors import LimnerError
from limner.files.weights import Header, save_weights
from limner.ops.color import match_colors
from limner.systems.feedforward.adain import AdaIN, AdaINConfig
from limner.systems.optimize.style import Reference
from limner.verbs.adaptive_style import load_adain, paint

CONFIG = AdaINConfig(channels=(8, 4, 4))


@pytest.fixture(scope="module")
def system() -> AdaIN:
    torch.manual_seed(0)
    return AdaIN(CONFIG).eval()


def test_a_saved_model_paints_the_same(system, tmp_path):
    path = tmp_path / "a.safetensors"
    save_weights(path, system.state_dict(), Header(system="adain", config=CONFIG.model_dump(mode="json")))
    content, style = torch.rand(1, 3, 32, 40), torch.rand(1, 3, 32, 32)
    found = paint(load_adain(str(path)), content, [Reference(style)], precision="exact")
    torch.testing.assert_close(found, system(content, style).clamp(0, 1).detach(), rtol=1e-4, atol=1e-5)
    with pytest.raises(LimnerError, match="vdsr is of vdsr, not of adain"):
        load_adain("vdsr")


def test_any_size_comes_out_as_it_went_in(system):
    content = torch.rand(1, 3, 37, 45)
    padded = torch.nn.functional.pad(content, (0, 3, 0, 3), mode="replicate")
    style = torch.rand(1, 3, 32, 32)
    found = paint(system, content, [Reference(style)], precision="exact")
    expected = system(padded, style)[..., :37, :45].clamp(0, 1).detach()
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def noted(told: list[tuple[int, int]]) -> Callable[[int, int], None]:
    return lambda done, total: told.append((done, total))


def test_in_tiles_it_is_the_same(system):
    content, mask = torch.rand(1, 3, 70, 90), torch.zeros(1, 1, 70, 90)
    mask[..., :40] = 1
    references = [Reference(torch.rand(1, 3, 32, 32), mask=mask), Reference(torch.rand(1, 3, 32, 32))]
    for ones in (references, references[1:]):
        told: list[tuple[int, int]] = []
        whole = paint(system, content, ones, precision="exact")
        parts = paint(system, content, ones, precision="exact", tile=32, on_tile=noted(told))
        torch.testing.assert_close(parts, whole, rtol=1e-4, atol=1e-5)
        assert told[-1][0] == told[-1][1] > 6


def test_a_mask_everywhere_is_none(system):
    content, style, other = (torch.rand(1, 3, 32, 40) for _ in range(3))
    alone = paint(system, content, [Reference(style)], precision="exact")
    everywhere = [Reference(style, mask=torch.ones(1, 1, 32, 40)), Reference(other)]
    torch.testing.assert_close(paint(system, content, everywhere, precision="exact"), alone, rtol=1e-4, atol=1e-5)
    twice = [Reference(style, mask=torch.ones(1, 1, 32, 40))] * 2  # they share every place
    torch.testing.assert_close(paint(system, content, twice, precision="exact"), alone, rtol=1e-4, atol=1e-5)


def test_styles_are_mixed_by_their_weights(system):
    content, style = torch.rand(1, 3, 32, 40), torch.rand(1, 3, 32, 40)
    alone = paint(system, content, [Reference(style)], precision="exact")
    same = paint(system, content, [Reference(style, 3.0), Reference(style, 1.0)], precision="exact")
    torch.testing.assert_close(same, alone, rtol=1e-4, atol=1e-5)


def test_keeping_colours_recolours_the_style(system):
    content, style = torch.rand(1, 3, 32, 40) * 0.2 + 0.4, torch.rand(1, 3, 32, 40)
    found = paint(system, content, [Reference(style)], keep_colors=True, precision="exact")
    recoloured = match_colors(style, content).clamp(0, 1)
    torch.testing.assert_close(found, paint(system, content, [Reference(recoloured)], precision="exact"))


def test_what_cannot_be_painted_is_refused(system):
    content, style = torch.rand(1, 3, 32, 40), torch.rand(1, 3, 32, 40)
    with pytest.raises(LimnerError, match="styles must be one picture or more"):
        paint(system, content, [])
    with pytest.raises(LimnerError, match="a mask must be as large as the content, 40x32, got 32x40"):
        paint(system, content, [Reference(style, mask=torch.ones(1, 1, 40, 32))])
    with pytest.raises(LimnerError, match="the content must have 16 pixels a side or more, got 40x8"):
        paint(system, content[..., :8, :], [Reference(style)])


def test_the_catalog_names_the_verb():
    assert find("adain").verbs == ("stylize",)
