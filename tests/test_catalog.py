"""The kit that every system of the catalog passes, in each of its presets."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import pytest
import torch
from tests import kit_data
from torch import Tensor, nn

from limner.catalog.entry import Entry, Preset, Product
from limner.catalog.models import (
    ENTRIES,
    WEIGHTS,
    build,
    build_product,
    embedded,
    embedded_for,
    find,
    load,
    weights_path,
)
from limner.config import Config
from limner.data.sampler import batches
from limner.data.source import DataConfig
from limner.errors import LimnerError
from limner.files.cards import read_card
from limner.files.weights import Header, load_weights, save_weights, sha256
from limner.loops.checkpoint import seed_everything
from limner.loops.fit import Fit
from limner.metrics.published import _PUBLISHED
from limner.ports import least_of, multiple_of
from limner.runtime.export import write_export
from limner.runtime.exported import open_exported
from limner.runtime.plan import Grid, Plan
from limner.runtime.probes import fitting_side, ports_of, random_inputs, results_of
from limner.runtime.tiling import Tiled
from limner.systems.feedforward.srresnet import SRResNet
from limner.tasks.enlarge import ENLARGE
from limner.tasks.stylize import STYLIZE, STYLIZE_LIKE
from limner.tasks.texture import TEXTURE

Places: TypeAlias = Mapping[type[DataConfig], Path]

PRESETS = [(entry, preset) for entry in ENTRIES for preset in entry.presets]
each_preset = pytest.mark.parametrize(
    ("entry", "preset"),
    [(entry, entry.presets[name]) for entry, name in PRESETS],
    ids=[f"{entry.name}-{name}" for entry, name in PRESETS],
)
each_entry = pytest.mark.parametrize("entry", ENTRIES, ids=[entry.name for entry in ENTRIES])

BALANCED = {
    "spade": r"discriminator\.scales\.\d\.4\.bias",
    "biggan": r"discriminator\.logit\.bias|.*\.(query|key|value|out)\..*",
}
"""Of hinge losses the gradient of a bias of all logits is -1 + 1 until one of them leaves its margin; what attention
finds has a share of 0 at first."""
FROM_ANYWHERE = {"deep-warp", "spatial-transformer"}
"""Systems whose pixels may come from anywhere in a picture, so that no part of it is enough."""

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
def places(tmp_path_factory: pytest.TempPathFactory) -> Mapping[type[DataConfig], Path]:
    return kit_data.made(tmp_path_factory.mktemp("data"))


def small_config(entry: Entry, preset: Preset) -> Config:
    return preset.config.override([one for one in entry.small if not one.startswith(("data.", "fit."))])


def settings(entry: Entry, section: str) -> list[str]:
    return [one.removeprefix(section) for one in entry.small if one.startswith(section)]


def first_batch(entry: Entry, preset: Preset, places: Places) -> Any:
    place = places[type(preset.data)]
    stream: Iterator[Any] = batches(
        kit_data.styled(preset.data.override(settings(entry, "data.")), place).load(place), 2, seed=0
    )
    return next(stream)


def seeded(entry: Entry, preset: Preset, seed: int = 0) -> nn.Module:
    seed_everything(seed)
    return build(entry.name, small_config(entry, preset).model_dump(mode="json"))


@each_preset
def test_every_player_moves_in_one_step(entry: Entry, preset: Preset, places: Places) -> None:
    system = seeded(entry, preset)
    before = {name: parameter.clone() for name, parameter in system.named_parameters()}
    training = Fit(system, preset.fit)
    training.step([first_batch(entry, preset, places)] * preset.fit.accumulation)
    moved = {name for name, parameter in system.named_parameters() if not torch.equal(parameter, before[name])}
    left = {name for name in set(before) - moved if not re.fullmatch(BALANCED.get(entry.name, "-"), name)}
    assert not left, f"left where they were: {sorted(left)[:5]}"
    owned = {id(parameter) for player in training.players.values() for parameter in player.parameters()}
    assert owned == {id(parameter) for parameter in system.parameters()}, "a parameter is nobody's"


@each_preset
def test_the_same_seed_gives_the_same_weights(entry: Entry, preset: Preset) -> None:
    one, same, other = (seeded(entry, preset, seed).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(tensor, same[name]) for name, tensor in one.items())
    assert any(not torch.equal(tensor, other[name]) for name, tensor in one.items())


@each_preset
def test_a_weight_file_brings_back_the_system(entry: Entry, preset: Preset, tmp_path: Path) -> None:
    state, path = entry.product_state(seeded(entry, preset)), tmp_path / "model.safetensors"
    config = small_config(entry, preset).model_dump(mode="json")
    save_weights(path, state, Header(system=entry.name, config=config))
    again, header = load(str(path))
    assert (header.system, header.config, again.training) == (entry.name, config, False)
    assert again.state_dict().keys() == state.keys()
    assert all(torch.equal(tensor, again.state_dict()[name]) for name, tensor in state.items())


@each_preset
def test_one_small_batch_is_learnt_by_heart(entry: Entry, preset: Preset, places: Places) -> None:
    """By each player while the others stand still, for what one gains, the others lose: one at least halves its loss.

    Whoever makes pictures lowers it in any case; a discriminator alone may find no clue in a batch that is so small.
    """
    batch, players = first_batch(entry, preset, places), list(Fit(seeded(entry, preset), preset.fit).players)
    fallen = {}
    for player in players:
        still = {other: {"learning_rate": 1e-12} for other in players if other != player}
        alone = [*STEADY, *settings(entry, "fit."), f"players={json.dumps(still)}"]
        training = Fit(seeded(entry, preset), preset.fit.override(alone))
        losses = [_of(player, training.step([batch]).losses) for _ in range(30)]
        fallen[player] = min(losses[-5:]) / losses[0]
    assert min(fallen.values()) < 0.5
    assert all(share < 0.95 for player, share in fallen.items() if player != "discriminator")


def _of(player: str, losses: Mapping[str, Tensor]) -> float:
    return sum(loss.item() for name, loss in losses.items() if name.startswith(f"{player}/"))


def product(entry: Entry, preset: Preset) -> nn.Module:
    """What is used of a system, with the weights that a seed gives."""
    made = entry.build_product(small_config(entry, preset))
    made.load_state_dict(entry.product_state(seeded(entry, preset)))
    return made.eval()


def drawn(system: nn.Module, number: int, side: int = 24) -> tuple[Tensor, ...]:
    """Random inputs of a system, as its ports say."""
    ports = ports_of(system).inputs
    size = number, fitting_side(side, ports), fitting_side(side + 8, ports)
    return random_inputs(ports, size, torch.Generator().manual_seed(0))


@each_preset
def test_ports_are_what_goes_in_and_comes_out(entry: Entry, preset: Preset) -> None:
    system = product(entry, preset)
    ports, given = ports_of(system), drawn(system, 2)
    names = [port.name for port in (*ports.inputs, *ports.outputs)]
    assert len(set(names)) == len(names)
    with torch.inference_mode():
        made = results_of(system(*given))
    first = next((one for one, port in zip(given, ports.inputs, strict=True) if port.spatial), None)
    size = (2, *(first.shape[-2:] if first is not None else (1, 1)))
    for one, port in zip((*given, *made), (*ports.inputs, *ports.outputs), strict=True):
        assert (tuple(one.shape), one.dtype) == (port.shape(*size), port.dtype)
        assert bool(torch.isfinite(one).all())


@each_preset
def test_the_least_sides_are_enough(entry: Entry, preset: Preset) -> None:
    system = product(entry, preset)
    ports = ports_of(system).inputs
    least = least_of(ports)
    with torch.inference_mode():
        system(*random_inputs(ports, (1, least, least + multiple_of(ports))))
    assert least % multiple_of(ports) == 0


@each_preset
def test_in_parts_equals_whole(entry: Entry, preset: Preset) -> None:
    system = product(entry, preset)
    given = drawn(system, 2)
    shapes = [tuple(one.shape) for one in given]
    if not any(port.spatial for port in ports_of(system).inputs):
        return  # nothing to cut
    if any(getattr(module, "padding_mode", "") == "circular" for module in system.modules()):
        with pytest.raises(LimnerError, match=r"^[^\n]*circular padding[^\n]*$"):
            Tiled(system, *shapes)
        return
    if entry.name in FROM_ANYWHERE:
        with pytest.raises(LimnerError, match=r"^[^\n]*(cannot be run in tiles|can be tiled) exactly[^\n]*$"):
            Tiled(system, *shapes)
        return
    with torch.inference_mode():
        whole = results_of(system(*given))
        parts = results_of(Tiled(system, *shapes)(*given, plan=Plan(Grid(2, 3))))
    for one, other in zip(parts, whole, strict=True):
        assert (one - other).abs().max() < 1e-5 * other.abs().max()


@pytest.mark.slow
@each_entry
def test_an_export_is_the_system(entry: Entry, tmp_path: Path) -> None:
    for library in ("onnx", "onnxscript", "onnxruntime"):
        pytest.importorskip(library)
    preset = entry.default
    system = product(entry, preset)
    header = Header(system=entry.name, config=small_config(entry, preset).model_dump(mode="json"))
    written = write_export(system, header, tmp_path / "a.onnx", "onnx")
    opened, given = open_exported(written.files[0]), drawn(system, 1, side=40)
    assert opened.inputs == ports_of(system).inputs
    with torch.inference_mode():
        expected, made = results_of(system(*given)), results_of(opened.engine(*given))
    for one, other in zip(made, expected, strict=True):
        torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-4)


@each_preset
def test_a_preset_can_be_written_down(entry: Entry, preset: Preset) -> None:
    assert entry.config.parse(preset.config.model_dump(mode="json")) == preset.config
    assert type(preset.fit).model_validate_json(preset.fit.model_dump_json()) == preset.fit
    assert type(preset.data).model_validate_json(preset.data.model_dump_json()) == preset.data
    assert preset.summary


@each_preset
def test_a_trained_system_offers_what_its_tasks_ask_for(entry: Entry, preset: Preset) -> None:
    used = entry.build_product(small_config(entry, preset))
    for task in entry.tasks_of(small_config(entry, preset)):
        assert task.protocol is None or isinstance(used, task.protocol)


@each_entry
def test_an_entry_says_what_it_is(entry: Entry) -> None:
    assert find(entry.name) is entry
    assert entry.preset(None) is entry.default is next(iter(entry.presets.values()))
    assert entry.title
    assert "arXiv:" in entry.paper
    assert {task for preset in entry.presets.values() for task in entry.tasks_of(preset.config)} == set(entry.tasks)


@each_entry
def test_what_is_unknown_is_refused(entry: Entry) -> None:
    with pytest.raises(LimnerError, match=f"{entry.name} has the presets .*, got 'nobody'"):
        entry.preset("nobody")
    with pytest.raises(LimnerError, match="has no field 'nobody'"):
        build(entry.name, {"nobody": 1})


def test_an_unknown_system_or_model_is_refused() -> None:
    with pytest.raises(LimnerError, match=r"system must be one of vdsr, srresnet, .*, got 'nobody'"):
        find("nobody")
    with pytest.raises(
        LimnerError, match=r"there is no model 'nobody': name .*, a .safetensors file, or the folder of a run"
    ):
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
    assert sum(path.stat().st_size for path in embedded().values()) <= 120 * 10**6


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


@pytest.mark.parametrize("entry", [entry for entry in ENTRIES if ENLARGE in entry.tasks], ids=lambda entry: entry.name)
def test_the_published_names_are_those_of_tables(entry: Entry) -> None:
    names = set(entry.published) or ({entry.title} if "paper" in entry.presets else set())
    tables = {name for methods in _PUBLISHED.values() for name in methods}
    assert names <= tables


def test_of_a_game_the_generator_is_what_weight_files_hold() -> None:
    game = build("srgan", {"generator": {"num_blocks": 1, "channels": 4}, "crop": 16, "discriminator_channels": 2})
    again = build_product("srgan", {"generator": {"num_blocks": 1, "channels": 4}})
    assert type(again) is SRResNet
    again.load_state_dict(find("srgan").product_state(game))
    photo = torch.rand(1, 3, 8, 8)
    assert torch.equal(again.eval()(photo), game.eval()(photo))


class Twins(nn.Module):
    """Two generators and what judges them, as in CycleGAN."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.there, self.back, self.critic = nn.Linear(2, 2), nn.Linear(2, 2), nn.Linear(2, 1)

    @property
    def players(self) -> Mapping[str, nn.Module]:
        return {"critic": self.critic, "there": self.there, "back": self.back}


def both(config: Config) -> nn.Module:
    return nn.ModuleDict({"there": nn.Linear(2, 2), "back": nn.Linear(2, 2)})


def test_a_weight_file_may_hold_several_players(tmp_path: Path) -> None:
    twins, product = Twins(Config()), Product(("there", "back"), both)
    save_weights(tmp_path / "a.safetensors", product.state(twins), Header(system="twins", config={}))
    stored = load_weights(tmp_path / "a.safetensors")[1]
    assert sorted(stored) == ["back.bias", "back.weight", "there.bias", "there.weight"]
    used = product.build(Config())
    used.load_state_dict(stored)
    assert torch.equal(used.get_parameter("back.weight"), twins.back.weight)
    others = Twins(Config())
    critic = others.critic.weight.clone()
    product.load(others, stored)
    assert torch.equal(others.there.weight, twins.there.weight)
    assert torch.equal(others.back.bias, twins.back.bias)
    assert torch.equal(others.critic.weight, critic)


def test_what_a_texture_network_is_for_hangs_on_its_configuration() -> None:
    entry = find("texture-network")
    assert entry.tasks_of({}) == (TEXTURE,)
    assert entry.tasks_of({"content_weight": 1.0}) == (STYLIZE,)


def test_the_models_for_a_task_are_found() -> None:
    assert {"vdsr", "vdsr-fast", "srresnet", "srgan", "perceptual"} <= set(embedded_for(ENLARGE))
    assert embedded_for(STYLIZE) == ["many-styles"]
    assert embedded_for(STYLIZE_LIKE) == ["adain", "any-style"]
    assert embedded_for(TEXTURE) == ["texture-starry-night"]


@pytest.mark.parametrize("name", embedded())
def test_a_loaded_model_has_the_numbers_of_its_file_and_all_its_tensors(name: str) -> None:
    system, _ = load(name)
    _, tensors = load_weights(embedded()[name])
    state = system.state_dict()
    assert state.keys() == tensors.keys()
    for key, tensor in tensors.items():
        assert torch.equal(state[key], tensor)
    everything = [*system.parameters(), *system.buffers()]
    everything += [one for module in system.modules() for one in vars(module).values() if isinstance(one, torch.Tensor)]
    assert not any(one.is_meta for one in everything)


def test_loading_draws_no_weights_that_are_thrown_away() -> None:
    before = torch.get_rng_state()
    load("chairs")
    assert torch.equal(torch.get_rng_state(), before)


def test_numbers_of_other_kinds_become_those_of_the_network(tmp_path: Path) -> None:
    header, tensors = load_weights(embedded()["digits-vae"])
    path = tmp_path / "doubles.safetensors"
    doubles = {name: one.double() if one.is_floating_point() else one for name, one in tensors.items()}
    save_weights(path, doubles, header)
    assert {one.dtype for one in load(path)[0].parameters()} == {torch.float32}
