"""The figures in the documents are those of the cards."""

import figures
import pytest

from limner.files.cards import read_card

ROOT = figures.ROOT


@pytest.mark.parametrize("name", figures.PAGES)
def test_the_figures_of_a_page_are_those_of_the_cards(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert figures.between(figures.PAGES[name]()) in text, "the cards have changed: run `python docs/figures.py`"
    assert text.count(figures.START) == text.count(figures.END) == 1


def test_a_distance_has_its_columns_where_a_card_has_one():
    row = {"psnr": 30.0, "ssim": 0.8, "bicubic_psnr": 28.0}
    seen = row | {"vgg_distance": 0.25, "bicubic_vgg_distance": 0.5}
    heading, _, first, second = figures.tabled([("Set5 x4", "a", row), ("Set5 x4", "b", seen)])
    assert heading.endswith("| SSIM | bicubic's VGG distance | VGG distance |")
    assert first == "| Set5 x4 | `a` | 28.00 | **30.00** |  | 0.8000 |  |  |"
    assert second == "| Set5 x4 | `b` | 28.00 | **30.00** |  | 0.8000 | 0.5000 | 0.2500 |"
    assert next(figures.tabled([("Set5 x4", "a", row)])).endswith("| SSIM |")


def test_every_embedded_model_has_a_card_and_a_row():
    weights = sorted(path.stem for path in figures.WEIGHTS.glob("*.safetensors"))
    assert weights == sorted(read_card(path).model for path in figures.WEIGHTS.glob("*.toml"))
    table = [row for lines in figures.PAGES.values() for row in lines()]
    assert all(any(f"`{name}`" in row for row in table) for name in weights)
