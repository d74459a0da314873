import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from limner.catalog.models import load
from limner.errors import LimnerError
from limner.files.cards import read_card
from limner.files.image import Picture, write_image
from limner.files.weights import read_header, sha256
from limner.systems.feedforward.srresnet import SRResNet
from limner.training import recipe as recipe_module
from limner.training.recipe import Recipe, make
from super_resolution import measure


@pytest.fixture
def pictures(tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    y, x = np.mgrid[:48, :40]
    for number in range(2):
        wave = np.sin(x / (2 + number)) * np.cos(y / 3)
        pixels = np.repeat((127 + 100 * wave).astype(np.uint8)[..., None], 3, axis=2)
        write_image(folder / f"{number}.png", Picture(pixels))
    return folder


@pytest.fixture
def recipe(tmp_path):
    file = tmp_path / "tiny.py"
    file.write_text("a recipe")
    return Recipe(
        model="tiny",
        system="vdsr",
        preset="modern",
        data="two waves",
        data_licence="free",
        licence="CC0",
        known_failures="everything but waves",
        file=file,
        settings=("num_layers=2", "channels=4", "fit.steps=3", "fit.batch_size=2", "data.patch=24"),
    )


def make_model(recipe, *, benchmarks, protocols=("sr-y-shave",), distance=False, **options):
    return make(recipe, measure(recipe, benchmarks, protocols, distance=distance), **options)


def test_a_recipe_ends_in_weights_a_card_and_a_report(recipe, pictures, tmp_path, monkeypatch):
    monkeypatch.setattr(recipe_module, "WEIGHTS", tmp_path)
    run = tmp_path / "run"
    report = make_model(recipe, data=pictures, benchmarks=pictures, minutes=1, device="cpu", run=run, ship=True)
    card = read_card(tmp_path / "tiny.toml")
    assert card == read_card(run / "tiny.toml")
    assert (card.steps, card.samples_seen, card.seed) == (3, 6, 0)
    assert card.config == {"num_layers": 2, "channels": 4, "fold": 1}
    assert card.weights_sha256 == sha256(tmp_path / "tiny.safetensors")
    assert card.recipe_sha256 == sha256(recipe.file)
    (row,) = [row for row in report.rows if row.method == "tiny" and row.facts["scale"] == 2]
    figures = card.metrics["sr-y-shave"]["pictures x2"]
    assert figures["psnr"] == pytest.approx(row.figures["psnr"], abs=5e-4)
    assert math.isfinite(figures["bicubic_psnr"])
    assert "pictures" in (run / "tiny.md").read_text()


def test_a_card_says_what_training_began_with(recipe, pictures, tmp_path):
    given = {"data": pictures, "benchmarks": pictures, "minutes": 1, "device": "cpu"}
    begun, once = None, "tiny of 3 steps in 0 minutes"
    for number, told in enumerate([None, once, f"{once}, from {once}"]):
        run = tmp_path / str(number)
        make_model(replace(recipe, start_from=begun), run=run, **given)
        assert read_card(run / "tiny.toml").start_from == told
        begun = str(run / "tiny.safetensors")


def test_weights_may_lie_between_what_was_trained_and_what_it_began_with(recipe, pictures, tmp_path):
    given = {"data": pictures, "benchmarks": pictures, "minutes": 1, "device": "cpu"}
    make_model(recipe, run=tmp_path / "start", **given)
    begun = replace(recipe, start_from=str(tmp_path / "start" / "tiny.safetensors"))
    weights = {}
    for share in (1.0, 0.25):
        make_model(replace(begun, share=share), run=tmp_path / str(share), **given)
        weights[share] = load(str(tmp_path / str(share) / "tiny.safetensors"))[0].state_dict()
        assert read_card(tmp_path / str(share) / "tiny.toml").share == (None if share == 1 else share)
    start = load(str(begun.start_from))[0].state_dict()
    for name, between in weights[0.25].items():
        expected = 0.75 * start[name] + 0.25 * weights[1.0][name]
        torch.testing.assert_close(between, expected, rtol=0, atol=2e-3 * float(expected.abs().max()))
    assert any(not torch.equal(start[name], one) for name, one in weights[1.0].items())
    with pytest.raises(LimnerError, match="needs a model that training begins with"):
        make_model(replace(recipe, share=0.5), run=tmp_path / "none", **given)


def test_shipped_weights_are_half_precision_and_load_by_name(recipe, pictures, tmp_path, monkeypatch):
    run = tmp_path / "run"
    make_model(recipe, data=pictures, benchmarks=pictures, minutes=1, device="cpu", run=run)
    header = read_header(run / "tiny.safetensors")
    assert (header.system, header.licence) == ("vdsr", "CC0")
    system, _ = load(str(run / "tiny.safetensors"))
    weight = system.get_parameter("residual.0.weight")
    assert torch.equal(weight, weight.half().float())
    assert not torch.equal(weight, torch.zeros_like(weight))


def test_a_recipe_does_not_go_on_with_another_run(recipe, pictures, tmp_path):
    run = tmp_path / "run"
    make_model(recipe, data=pictures, benchmarks=pictures, minutes=1, device="cpu", run=run)
    other = Recipe(**{**vars(recipe), "settings": (*recipe.settings, "channels=8")})
    with pytest.raises(LimnerError, match="a run of another plan"):
        make_model(other, data=pictures, benchmarks=pictures, minutes=1, device="cpu", run=run, resume=True)


def test_a_finished_run_is_measured_again_with_resume(recipe, pictures, tmp_path):
    run = tmp_path / "run"
    first = make_model(recipe, data=pictures, benchmarks=pictures, minutes=1, device="cpu", run=run)
    again = make_model(recipe, data=pictures, benchmarks=pictures, minutes=1, device="cpu", run=run, resume=True)
    assert [row.figures["psnr"] for row in again.rows] == [row.figures["psnr"] for row in first.rows]


def test_a_recipe_may_tell_the_distance_at_the_models_own_scales(recipe, pictures, tmp_path):
    run = tmp_path / "run"
    report = make_model(
        recipe, protocols=("rgb",), distance=True, data=pictures, benchmarks=pictures, minutes=1, device="cpu", run=run
    )
    assert {row.facts["scale"] for row in report.rows} == {2, 3, 4}
    for scale in (2, 3, 4):
        figures = read_card(run / "tiny.toml").metrics["rgb"][f"pictures x{scale}"]
        rows = {row.method: row for row in report.rows if row.facts["scale"] == scale}
        assert figures["vgg_distance"] == pytest.approx(rows["tiny"].figures["vgg_distance"], abs=5e-5)
        assert figures["bicubic_vgg_distance"] == pytest.approx(rows["bicubic"].figures["vgg_distance"], abs=5e-5)
        assert figures["vgg_distance"] > 0


def test_a_recipe_of_a_game_leaves_its_generator(recipe, pictures, tmp_path):
    small = ("generator.num_blocks=0", "generator.channels=2", "crop=16", "discriminator_channels=1", "dense=2")
    settings = (*small, "content=mse", "data.patch=16", "fit.steps=1", "fit.batch_size=2")
    game = replace(recipe, system="srgan", settings=settings, start_from="none")
    report = make_model(
        game, protocols=("rgb",), data=pictures, benchmarks=pictures, minutes=1, device="cpu", run=tmp_path / "run"
    )
    system, header = load(str(tmp_path / "run" / "tiny.safetensors"))
    assert (header.system, type(system)) == ("srgan", SRResNet)
    assert {row.facts["scale"] for row in report.rows} == {4}
    assert read_card(tmp_path / "run" / "tiny.toml").config["generator"]["channels"] == 2
