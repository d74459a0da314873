"""The recipe of `any-style`: what it begins with, and that it makes and measures a model."""

from pathlib import Path

import pytest
import torch

import any_style
from limner.catalog.models import load
from limner.files.cards import read_card
from limner.files.weights import Header, save_weights, sha256
from limner.systems.feedforward.any_style import ANY_SLIM, AnyStyle, AnyStyleConfig
from limner.systems.feedforward.many_styles import RELEASED_SLIM, ManyStyles
from limner.training import recipe as recipe_module
from limner.training.recipe import Recipe

SMALL = ("channels=[4,4,4]", "up_channels=[4,4]", "num_blocks=1", "hidden=16", "embedding=8")


@pytest.fixture
def trunk() -> ManyStyles:
    torch.manual_seed(0)
    names = ("one", "two", "three", "great-wave", "great-wave-broad", "four")
    shape = {"channels": (4, 4, 4), "up_channels": (4, 4), "num_blocks": 1}
    network = ManyStyles(RELEASED_SLIM.model_copy(update={"styles": names, **shape}))
    for norm in network.norms:
        torch.nn.init.normal_(norm.weight, 1, 0.3)
        torch.nn.init.normal_(norm.bias, 0, 0.3)
    return network.eval()


def begun(trunk: ManyStyles) -> tuple[AnyStyle, any_style.Known]:
    system = AnyStyle(AnyStyleConfig().override([*SMALL, "noise=0.01"])).eval()
    known = any_style.known_styles(trunk, 8)
    any_style.spanned(system, trunk, known)
    return system, known


def test_it_begins_with_the_known_styles_but_those_of_held_out_paintings(trunk):
    """By their numbers it paints as the trunk would that enlarges between pixels, faint directions left out."""
    system, known = begun(trunk)
    for layer in (trunk.up[0], trunk.up[1]):
        enlarging = next(part for part in layer.modules() if isinstance(part, torch.nn.Upsample))
        enlarging.mode = "bilinear"
    assert known.numbers.shape == (4, 3)
    torch.testing.assert_close(known.numbers.square().mean(0), torch.ones(3), rtol=1e-3, atol=1e-3)
    photo = torch.rand(1, 3, 32, 32)
    for row, place in enumerate((0, 1, 2, 5)):
        for name in ("weight", "bias"):
            system.network.norms[-1].get_parameter(name).data[7:] = 0
        mixture = known.mixture(known.numbers[row : row + 1], known.colors[row : row + 1], 8)
        expected = trunk.paint(photo, torch.nn.functional.one_hot(torch.tensor([place]), 6).float())
        torch.testing.assert_close(system.network.paint(photo, mixture), expected, rtol=1e-3, atol=1e-4)


def test_its_reader_learns_to_find_the_numbers_again(trunk, pictures):
    system, known = begun(trunk)
    rng = torch.Generator().manual_seed(0)
    seen, wanted = any_style.painted_samples(system, known, sorted(pictures.glob("*.png")), 24, rng)
    assert seen.shape == (24, 1926) and wanted.shape == (24, 8)
    before = (system.reader.embedded(seen) - wanted).square().mean().item()
    any_style.fit_reader(system, seen, wanted, 400, rng)
    assert (system.reader.embedded(seen[3:]) - wanted[3:]).square().mean().item() < 0.2 * before


def test_a_model_is_made_and_measured(pictures, tmp_path, monkeypatch):
    monkeypatch.setattr(recipe_module, "WEIGHTS", tmp_path)
    monkeypatch.setattr(any_style, "STYLES", {"gray": (lambda rng: rng.random((40, 40, 3)), 0)})

    def start(target: Path, photos: list[Path]) -> None:
        assert {path.stem for path in photos} == {"0", "1", "3"}
        (target.parent / "painted").mkdir()
        (target.parent / "painted" / "one.png").write_bytes((pictures / "0.png").read_bytes())
        save_weights(target, AnyStyle(small).state_dict(), Header(system="any-style", config=small.model_dump()))

    small = ANY_SLIM.override(SMALL)
    monkeypatch.setattr(any_style, "begun", start)
    file = tmp_path / "tiny.py"
    file.write_text("a recipe")
    fit = ("fit.steps=2", "fit.batch_size=2", "fit.ema_decay=null")
    data = ("data.patch=16", "data.style_patch=16", "data.resize=32", 'data.without=["2","3"]')
    tiny = Recipe(
        model="tiny", system="any-style", preset="slim", data="clouds", data_licence="free", licence="CC0",
        known_failures="all", file=file, settings=(*SMALL, *fit, *data),
    )  # fmt: skip
    report = any_style.made(
        tiny, data=pictures, styles=[pictures], held_out={"2": "3"}, pictures=[pictures], minutes=1.0, device="cpu",
        run=tmp_path / "run", side=32, iterations=2, ship=True,
    )  # fmt: skip
    assert report is not None
    card = read_card(tmp_path / "tiny.toml")
    assert card.weights_sha256 == sha256(tmp_path / "tiny.safetensors")
    figures = card.metrics["held-out pairs beside Gatys"]["1 pairs at 32"]
    assert set(figures) == {"content", "style", "gatys_content", "gatys_style", "photo_style"}
    _, header = load(str(tmp_path / "run" / "tiny.safetensors"))
    assert (header.system, header.licence) == ("any-style", "CC0")
    assert sorted(path.name for path in (tmp_path / "run" / "drawn").iterdir()) == [
        f"gray_{seed}.png" for seed in range(100, 116)
    ]
