import pytest

import adain
import fast_style
import texture_network
from limner.catalog.models import load
from limner.errors import LimnerError
from limner.files.cards import read_card
from limner.files.weights import sha256
from limner.measure.stylize_like import held_out_pairs
from limner.training import recipe as recipe_module
from limner.training.recipe import Recipe
from limner.verbs.stylize.network_painter import known_styles


@pytest.fixture
def recipe(tmp_path):
    file = tmp_path / "tiny.py"
    file.write_text("a recipe")

    def of(system, *settings):
        common = ("fit.steps=2", "fit.batch_size=2", "fit.ema_decay=null")
        return Recipe(
            model="tiny", system=system, preset="modern", data="clouds", data_licence="free", licence="CC0",
            known_failures="all", file=file, settings=(*common, *settings),
        )  # fmt: skip

    return of


def test_an_adain_is_made_and_measured(recipe, pictures, tmp_path, monkeypatch):
    monkeypatch.setattr(recipe_module, "WEIGHTS", tmp_path)
    tiny = recipe("adain", "channels=[4,4,4]", "data.patch=16", "data.resize=32", 'data.without=["2","3"]')
    run = tmp_path / "run"
    options = {
        "data": pictures, "styles": [pictures], "held_out": {"2": "3"}, "pictures": [pictures], "minutes": 1.0,
        "device": "cpu", "run": run, "side": 32, "iterations": 2,
    }  # fmt: skip
    report = adain.made(tiny, ship=True, **options)
    card = read_card(tmp_path / "tiny.toml")
    assert card == read_card(run / "tiny.toml")
    assert card.weights_sha256 == sha256(tmp_path / "tiny.safetensors")
    figures = card.metrics["held-out pairs beside Gatys"]["1 pairs at 32"]
    assert set(figures) == {"content", "style", "gatys_content", "gatys_style", "photo_style"}
    assert f"| 2 | 3 | {figures['photo_style']:.3f}"[:12] in report.to_markdown()
    ratio = figures["style"] / figures["gatys_style"]
    assert f"Style loss {ratio:.2f} times" in report.summary
    _, header = load(str(run / "tiny.safetensors"))
    assert (header.system, header.licence) == ("adain", "CC0")
    assert card.start_from == "inverse"  # which has no card of its own
    assert adain.made(tiny, resume=True, **options).tables[0].rows == report.tables[0].rows
    with pytest.raises(LimnerError, match="the folders of held-out pictures lack 9"):
        held_out_pairs({"9": "1"}, [pictures], 32)


def test_a_texture_network_is_made_and_measured(recipe, pictures, tmp_path):
    run = tmp_path / "run"
    settings = ("num_scales=2", "channels=2", 'layers={"relu1_1": 1}', "data.patch=32")
    report = texture_network.made(
        recipe("texture-network", *settings), picture=pictures / "0.png", minutes=1.0, device="cpu", run=run, steps=5
    )
    figures = read_card(run / "tiny.toml").metrics["texture loss"]["samples at 32"]
    assert figures["optimised_loss"] < figures["noise_loss"]
    assert f"| samples at 32 | {figures['loss']:.4g} |" in report.to_markdown()


def test_a_network_of_many_styles_is_made_and_each_is_measured(recipe, pictures, tmp_path, monkeypatch):
    monkeypatch.setattr(recipe_module, "WEIGHTS", tmp_path)
    small = recipe("fast-style", "channels=[4,4,4]", "num_blocks=0", "data.patch=16", "data.style_size=32")
    report = fast_style.made(
        small,
        data=pictures,
        styles=["mosaic", "woodcut"],
        photos=[pictures / "0.png"],
        minutes=5.0,
        device="cpu",
        run=tmp_path / "run",
        ship=True,
        side=32,
    )
    assert report is not None
    assert "| mosaic |" in report.to_markdown()
    assert "| woodcut |" in report.to_markdown()
    assert known_styles(str(tmp_path / "tiny.safetensors")) == ("mosaic", "woodcut")
    header = load(str(tmp_path / "tiny.safetensors"))[1]
    assert header.licence == "CC0"
    card = read_card(tmp_path / "tiny.toml")
    (figures,) = card.metrics.values()
    assert set(figures) == {"mosaic", "woodcut"}
    assert all(one["content"] > 0 and one["photo_style"] > 0 for one in figures.values())
    assert card.weights_sha256 == sha256(tmp_path / "tiny.safetensors")
