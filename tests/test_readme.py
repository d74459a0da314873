"""The figures in the documents are those of the cards."""

import figures

from limner.files.cards import read_card

ROOT = figures.ROOT


def test_the_table_is_that_of_the_cards():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert figures.block() in readme, "the cards have changed: run `python docs/figures.py`"


def test_the_page_is_that_of_the_cards():
    assert figures.PAGE.read_text(encoding="utf-8") == "\n".join(figures.page()) + "\n", "run `python docs/figures.py`"


def test_every_embedded_model_has_a_card_and_a_row():
    weights = sorted(path.stem for path in figures.WEIGHTS.glob("*.safetensors"))
    assert weights == sorted(read_card(path).model for path in figures.WEIGHTS.glob("*.toml"))
    table = list(figures.rows())
    assert all(any(f"`{name}`" in row for row in table) for name in weights)
