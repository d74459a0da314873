"""The kit that every system of the catalog passes, in each of its presets."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image as PillowImage
from torch import Tensor, nn

from limner.catalog import (
    ENTRIES,
    WEIGHTS,
    Entry,
    Preset,
    build,
    build_product,
    embedded,
    find,
    load,
    weights_path,
)
from limner.data.sampler import batches
from limner.errors import LimnerError
from limner.files.cards import read_card
from limner.files.weights import Header, save_weights, sha256
from limner.loops.checkpoint import seed_everything
from limner.loops.fit import Fit
from limner.metrics.published import _PUBLISHED
from limner.runtime.plan import Grid, Plan
from limner.runtime.tiling import Tiled
from limner.systems.feedforward.srresnet import SRResNet
from limner.training.train import inputs

PRESETS = [(entry, preset) for entry in ENTRIES for preset in entry.presets]
each_preset = pytest.mark.parametrize(
    ("entry", "preset"),
    [(entry, entry.presets[name]) for entry, name in PRESETS],
    ids=[f"{entry.name}-{name}" for entry, name in PRESETS],
)
each_entry = pytest.mark.parametrize("entry", ENTRIES, ids=[entry.name for entry in ENTRIES])

SMALL = {"patch": 16, "crop": 16, "style_size": 32, "resize": 64}
"""Of the configurations' fields, what makes a batch or a network for it small."""
LEAST_PATCH = {"fast-style": 48, "adain": 32}  # the paper's network reflects 40 pixels; relu4_1 needs some places
STEADY = [
    "optimizer.kind=adam",
    "optimizer.learning_rate=0.001",
    "schedule.kind=constant",
    "schedule.warmup_steps=0",
    "clip.kind=norm",
    "precision=float32",
    "ema_decay=null",
]


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    coarse = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    PillowImage.fromarray(coarse).resize((80, 72), PillowImage.Resampling.LANCZOS).save(folder / "a.png")
    return folder


def small(config: Any, **others: Any) -> Any:
    wanted = {name: value for name, value in (SMALL | others).items() if name in type(config).model_fields}
    return config.override([f"{name}={json.dumps(value)}" for name, value in wanted.items()])


def first_batch(entry: Entry, preset: Preset, folder: Path) -> Any:
    scales = getattr(preset.config, "num_scales", None)
    patch = 2**scales if scales else LEAST_PATCH.get(entry.name, SMALL["patch"])
    data = small(preset.data, patch=patch, styles=[str(folder / "a.png")])
    stream: Iterator[Any] = batches(data.load(folder), 2, seed=0)
    return next(stream)


def seeded(entry: Entry, preset: Preset, seed: int = 0) -> nn.Module:
    seed_everything(seed)
    return build(entry.name, small(preset.config).model_dump(mode="json"))


@each_preset
def test_every_player_moves_in_one_step(entry: Entry, preset: Preset, pictures: Path) -> None:
    system = seeded(entry, preset)
    before = {name: parameter.clone() for name, parameter in system.named_parameters()}
    training = Fit(system, preset.fit)
    training.step([first_batch(entry, preset, pictures)] * preset.fit.accumulation)
    moved = {name for name, parameter in system.named_parameters() if not torch.equal(parameter, before[name])}
    assert moved == set(before), f"left where they were: {sorted(set(before) - moved)[:5]}"
    owned = {id(parameter) for player in training.players.values() for parameter in player.parameters()}
    assert owned == {id(parameter) for parameter in system.parameters()}, "a parameter is nobody's"


@each_preset
def test_the_same_seed_gives_the_same_weights(entry: Entry, preset: Preset) -> None:
    one, same, other = (seeded(entry, preset, seed).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(tensor, same[name]) for name, tensor in one.items())
    assert any(not torch.equal(tensor, other[name]) for name, tensor in one.items())


@each_preset
def test_a_weight_file_brings_back_the_system(entry: Entry, preset: Preset, tmp_path: Path) -> None:
    system, path = entry.product_of(seeded(entry, preset)), tmp_path / "model.safetensors"
    config = preset.config.model_dump(mode="json")
    save_weights(path, system.state_dict(), Header(system=entry.name, config=config))
    again, header = load(str(path))
    assert (header.system, header.config, type(again), again.training) == (entry.name, config, type(system), False)
    assert all(torch.equal(tensor, again.state_dict()[name]) for name, tensor in system.state_dict().items())


@each_preset
def test_one_small_batch_is_learnt_by_heart(entry: Entry, preset: Preset, pictures: Path) -> None:
    training = Fit(seeded(entry, preset), preset.fit.override(STEADY))
    batch = first_batch(entry, preset, pictures)
    losses = [_learner(training.step([batch]).losses) for _ in range(30)]
    assert min(losses[-5:]) < 0.5 * losses[0]


def _learner(losses: Mapping[str, Tensor]) -> float:
    """Of all players but a discriminator: what is learnt by heart leaves that one without a clue."""
    return sum(loss.item() for name, loss in losses.items() if not name.startswith("discriminator/"))


@each_preset
def test_in_parts_equals_whole(entry: Entry, preset: Preset, pictures: Path) -> None:
    system = seeded(entry, preset).eval()
    given = inputs(system, *first_batch(entry, preset, pictures).inputs)
    shapes = [tuple(one.shape) for one in given]
    if getattr(system, "runs_whole", False):
        with pytest.raises(LimnerError, match="cannot be run in tiles"):
            Tiled(system, *shapes)
        return
    with torch.inference_mode():
        whole = system(*given)
        parts = Tiled(system, *shapes)(*given, plan=Plan(Grid(2, 3)))
    assert (parts - whole).abs().max() < 1e-5 * whole.abs().max()


@each_preset
def test_a_preset_can_be_written_down(entry: Entry, preset: Preset) -> None:
    assert entry.config.parse(preset.config.model_dump(mode="json")) == preset.config
    assert type(preset.fit).model_validate_json(preset.fit.model_dump_json()) == preset.fit
    assert type(preset.data).model_validate_json(preset.data.model_dump_json()) == preset.data
    assert preset.summary


@each_entry
def test_an_entry_says_what_it_is(entry: Entry) -> None:
    assert find(entry.name) is entry
    assert entry.preset(None) is entry.default is next(iter(entry.presets.values()))
    assert entry.title
    assert "arXiv:" in entry.paper
    assert entry.verbs


@each_entry
def test_what_is_unknown_is_refused(entry: Entry) -> None:
    with pytest.raises(LimnerError, match=f"{entry.name} has the presets .*, got 'nobody'"):
        entry.preset("nobody")
    with pytest.raises(LimnerError, match="has no field 'nobody'"):
        build(entry.name, {"nobody": 1})


def test_an_unknown_system_or_model_is_refused() -> None:
    with pytest.raises(LimnerError, match=r"system must be one of vdsr, srresnet, .*, got 'nobody'"):
        find("nobody")
    with pytest.raises(LimnerError, match=r"model must be one of .* or a .safetensors file, got 'nobody'"):
        weights_path("nobody")


def test_weights_that_do_not_fit_their_header_are_refused(tmp_path: Path) -> None:
    small = {"num_layers": 2, "channels": 2}
    weights = build("vdsr", small).state_dict()
    save_weights(tmp_path / "a.safetensors", weights, Header(system="vdsr", config={**small, "channels": 3}))
    with pytest.raises(LimnerError, match="does not hold the weights of vdsr as its header says"):
        load(str(tmp_path / "a.safetensors"))


@pytest.mark.parametrize("name", embedded())
def test_an_embedded_model_loads_and_is_that_of_its_card(name: str) -> None:
    system, header = load(name)
    assert type(system) is type(build_product(header.system, header.config))
    assert (WEIGHTS / f"{name}.safetensors").stat().st_size <= 16 * 2**20
    if (WEIGHTS / f"{name}.toml").is_file():  # a provisional one has none yet
        card = read_card(WEIGHTS / f"{name}.toml")
        assert (card.model, card.system, card.weights_sha256) == (name, header.system, sha256(weights_path(name)))


def test_the_embedded_models_together_are_small() -> None:
    assert sum(path.stat().st_size for path in embedded().values()) <= 90 * 2**20


def test_only_the_papers_network_is_published() -> None:
    assert find("vdsr").published_name({}) == "VDSR"
    assert find("vdsr").published_name({"fold": 2}) is None
    assert find("edsr").published_name(find("edsr").preset("full").config.model_dump() | {"scale": 3}) == "EDSR"
    assert find("edsr").published_name({}) is None
    perceptual = find("perceptual-super-resolution")
    assert perceptual.published_name({"scale": 8, "loss": "pixel"}) == "Johnson pixel"
    assert perceptual.published_name({"skip": True}) is None
    assert find("srgan").published_name(find("srgan").preset("paper").config.model_dump()) == "SRGAN"
    assert find("srgan").published_name(find("srgan").default.config.model_dump()) is None


@pytest.mark.parametrize(
    "entry", [entry for entry in ENTRIES if "upscale" in entry.verbs], ids=lambda entry: entry.name
)
def test_the_published_names_are_those_of_tables(entry: Entry) -> None:
    names = set(entry.published) or ({entry.title} if "paper" in entry.presets else set())
    tables = {name for methods in _PUBLISHED.values() for name in methods}
    assert names <= tables


def test_of_a_game_the_generator_is_what_weight_files_hold() -> None:
    game = build("srgan", {"generator": {"num_blocks": 1, "channels": 4}, "crop": 16, "discriminator_channels": 2})
    product = find("srgan").product_of(game)
    assert product is game.generator
    again = build_product("srgan", {"generator": {"num_blocks": 1, "channels": 4}})
    assert type(again) is SRResNet
    assert again.config == product.config
