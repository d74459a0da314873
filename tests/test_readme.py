"""The figures in the documents are those of the cards."""

import figures

from limner.files.cards import read_card

ROOT = figures.ROOT


def test_the_table_is_that_of_the_cards():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert figures.block() in readme, "the cards have changed: run `python docs/figures.py`"


def test_the_page_is_that_of_the_cards():
    page = figures.PAGE.read_text(encoding="utf-8")
    assert figures.between(figures.page()) in page, "the cards have changed: run `python docs/figures.py`"


def test_the_page_of_styles_is_that_of_the_cards():
    page = figures.STYLE.read_text(encoding="utf-8")
    assert figures.between(figures.styles()) in page, "the cards have changed: run `python docs/figures.py`"


def test_the_page_of_segmentation_is_that_of_the_cards():
    page = figures.SEGMENTATION.read_text(encoding="utf-8")
    assert figures.between(figures.segmenters()) in page, "the cards have changed: run `python docs/figures.py`"


def test_the_page_of_gazes_is_that_of_the_cards():
    page = figures.GAZE.read_text(encoding="utf-8")
    assert figures.between(figures.gazes()) in page, "the cards have changed: run `python docs/figures.py`"


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
    table = [*figures.rows(), *figures.styles(), *figures.segmenters(), *figures.gazes()]
    assert all(any(f"`{name}`" in row for row in table) for name in weights)
