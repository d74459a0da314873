import tomllib
from pathlib import Path

import pytest

import limner
from limner.errors import LimnerError
from limner.files.cards import Card, read_card, write_card

WEIGHTS = Path(limner.__file__).parent / "weights"


@pytest.fixture
def card():
    return Card(
        model="m",
        system="vdsr",
        paper='Kim "2016"',
        config={"num_layers": 20, "styles": ["starry night", "größe"]},
        data="ä\\b\nc",
        data_licence="",
        licence="CC0",
        recipe="recipes/m.py",
        recipe_sha256="0" * 64,
        weights_sha256="1" * 64,
        steps=3,
        minutes=0.5,
        samples_seen=6,
        hardware="one core",
        torch="2",
        seed=0,
        fit={"optimizer": {"betas": [0.9, 0.999]}, "players": {}, "ema_decay": 0.999},
        known_failures="none",
        metrics={"sr-y-shave": {"Set5 x2": {"psnr": 30.0}, "Set5 x4": {"psnr": 28.0, "ssim": 0.5}}},
    )


def test_round_trip(card, tmp_path):
    write_card(tmp_path / "m.toml", card)
    assert read_card(tmp_path / "m.toml") == card


def test_a_card_is_plain_toml(card, tmp_path):
    write_card(tmp_path / "m.toml", card)
    values = tomllib.loads((tmp_path / "m.toml").read_text(encoding="utf-8"))
    assert values["fit"]["optimizer"]["betas"] == [0.9, 0.999]
    assert values["metrics"]["sr-y-shave"]["Set5 x4"]["ssim"] == 0.5


def test_what_is_none_is_left_out_at_any_depth(card, tmp_path):
    write_card(tmp_path / "m.toml", card.model_copy(update={"config": {"features": None, "inner": {"weights": None}}}))
    assert read_card(tmp_path / "m.toml").config == {"inner": {}}


@pytest.mark.parametrize("name", sorted(WEIGHTS.glob("*.toml")), ids=lambda path: path.stem)
def test_the_cards_of_the_embedded_models_stay_as_they_are_when_written_anew(name, tmp_path):
    write_card(tmp_path / "m.toml", read_card(name))
    assert tomllib.loads((tmp_path / "m.toml").read_text(encoding="utf-8")) == tomllib.loads(
        name.read_text(encoding="utf-8")
    )


@pytest.mark.parametrize("text", ["not toml", "", 'model = "m"\nunknown = 1\n'])
def test_what_is_no_card_is_refused_in_one_line(text, tmp_path):
    (tmp_path / "m.toml").write_text(text)
    with pytest.raises(LimnerError) as caught:
        read_card(tmp_path / "m.toml")
    assert "\n" not in str(caught.value)


def test_a_missing_card_is_refused(tmp_path):
    with pytest.raises(LimnerError, match="not a readable card"):
        read_card(tmp_path / "m.toml")
