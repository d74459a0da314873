"""A weight file, a card or a state from a stranger can neither crash nor fill the memory: one line refuses it."""

import json
import struct
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from limner.catalog.entry import Entry
from limner.catalog.models import ENTRIES, build_product, load, skeleton
from limner.errors import LimnerError
from limner.files.cards import read_card
from limner.files.json_text import parse_json
from limner.files.weights import Header, load_weights, read_header, save_weights
from limner.loops.checkpoint import load_state, save_state
from limner.memory import resident_bytes

MOST_MORE = 300 * 2**20  # bytes that refusing a file of some kilobytes may take
MOST_SECONDS = 60


def refused(call: Any, *arguments: Any) -> str:
    """The one line of a refusal that took neither memory nor time."""
    before, begun = resident_bytes(), time.monotonic()
    with pytest.raises(LimnerError) as caught:
        call(*arguments)
    assert resident_bytes() - before < MOST_MORE
    assert time.monotonic() - begun < MOST_SECONDS
    assert "\n" not in str(caught.value)
    return str(caught.value)


def small(entry: Entry) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    """The plain configuration of a small network of a system, and its weights."""
    own = [text for text in entry.small if not text.startswith(("data.", "fit."))]
    config = json.loads(entry.default.config.override(own).model_dump_json())
    return config, build_product(entry.name, config).state_dict()


def numbers(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where the whole numbers are in a tree of plain values."""
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from numbers(inner, (*place, key))
    elif isinstance(value, int) and not isinstance(value, bool):
        yield place


def changed(value: Any, place: tuple[Any, ...], new: int) -> Any:
    copy = json.loads(json.dumps(value))
    inner = copy
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = new
    return copy


@pytest.mark.parametrize("entry", ENTRIES, ids=[entry.name for entry in ENTRIES])
@pytest.mark.parametrize("number", [2**63, 8000, 0])
def test_no_number_of_a_configuration_takes_time_or_memory(tmp_path: Path, entry: Entry, number: int) -> None:
    config, weights = small(entry)
    before, begun = resident_bytes(), time.monotonic()
    for count, place in enumerate(numbers(config)):
        path = tmp_path / f"{count}.safetensors"
        header = Header(system=entry.name, config=changed(config, place, number))
        save_weights(path, weights, header)
        try:
            load(str(path))  # a number that decides nothing of the weights may be another
        except LimnerError as error:
            assert "\n" not in str(error)
            assert str(path) in str(error)
    assert resident_bytes() - before < MOST_MORE
    assert time.monotonic() - begun < MOST_SECONDS


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({"num_layers": 1000, "channels": 8, "fold": 2}, "many more layers than it holds"),
        ({"num_layers": 1000, "channels": 100_000, "fold": 1000}, "no vdsr has a configuration with 100000"),
        ({"num_layers": 4, "channels": 8, "fold": 2**63}, "no vdsr has a configuration with 9223372036854775808"),
        ({"num_layers": 4, "channels": 8, "fold": 10**6}, "vdsr"),
        ({"num_layers": 3, "channels": 8, "fold": 2}, "residual.4.weight must be 4x8x3x3, got 8x8x3x3"),
        ({"num_layers": 4, "channels": 9, "fold": 2}, "residual.0.weight must be 9x4x3x3, got 8x4x3x3"),
    ],
)
def test_shapes_are_compared_before_anything_is_built(tmp_path: Path, config: dict[str, int], reason: str) -> None:
    true = {"num_layers": 4, "channels": 8, "fold": 2}
    weights = build_product("vdsr", true).state_dict()
    path = tmp_path / "w.safetensors"
    save_weights(path, weights, Header(system="vdsr", config=true))
    load(str(path))
    save_weights(path, weights, Header(system="vdsr", config=config))
    assert reason in refused(load, str(path))
    assert torch.is_grad_enabled()


def test_the_network_of_a_header_alone_is_bounded_too() -> None:
    for config in ({"num_layers": 2**40}, {"num_layers": 8000, "channels": 8000}, {"channels": 2**62}):
        refused(skeleton, Header(system="vdsr", config=config))


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16, torch.float64])
def test_weights_that_are_no_numbers_are_refused(tmp_path: Path, bad: float, dtype: torch.dtype) -> None:
    config = {"num_layers": 3, "channels": 4}
    weights = {name: tensor.to(dtype) for name, tensor in build_product("vdsr", config).state_dict().items()}
    name = list(weights)[1]
    path = tmp_path / "w.safetensors"
    save_weights(path, weights, Header(system="vdsr", config=config))
    load(str(path))
    weights[name].view(-1)[3] = bad
    save_weights(path, weights, Header(system="vdsr", config=config))
    assert f"no finite numbers ({name})" in refused(load, str(path))
    refused(load_weights, path)


def deep(start: str, end: str, depth: int) -> str:
    return start * depth + end * depth


DEEP = [deep("[", "]", 5000), deep('{"a":', "}", 5000).replace(":}", ":1}"), deep("[", "]", 90), "[" * 3000]


@pytest.mark.parametrize("field", ["config", "system", "metrics", "licence"])
@pytest.mark.parametrize("text", DEEP, ids=["lists", "objects", "not so deep", "not closed"])
def test_deep_json_in_a_header_is_refused(tmp_path: Path, field: str, text: str) -> None:
    metadata = {"limner": "1", "system": '"vdsr"', "config": "{}", field: text}
    path = tmp_path / "w.safetensors"
    save_file({"a": torch.zeros(2)}, path, metadata)
    for call, argument in ((read_header, path), (load_weights, path), (load, str(path))):
        assert str(path) in refused(call, argument)


@pytest.mark.parametrize("text", [*DEEP, "1" * 5000, "NaN, ", '{"a": 1} 2', "\x00", "[" + "0," * 2**23 + "0]"])
def test_what_is_no_json_of_ours_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError):
        parse_json(text)


def test_json_of_ours_is_read() -> None:
    value = {"a": [{"b": [[1.5, None, "ü"]]}], "c": {}}
    assert parse_json(json.dumps(value)) == parse_json(json.dumps(value).encode()) == value
    assert parse_json(deep("[", "]", 60)) is not None


def test_headers_that_lie_of_their_length_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    for length in (2**63, 2**40, 10**8, 3):
        path.write_bytes(struct.pack("<Q", length) + b'{"__metadata__":{}}')
        assert "not a whole safetensors file" in refused(load, str(path))


@pytest.mark.parametrize(
    "text",
    [
        "a = " + deep("[", "]", 5000),
        "a = " + "{a = " * 3000 + "1" + "}" * 3000,
        "x = 1\n" + "[a" + ".a" * 3000 + "]\n",
        'model = "vdsr"\n[metrics]\n' + "b = " + deep("[", "]", 3000),
        "a = " + "'" * 3,
        "\udcff",
        'model = "m"\n' * 2,
        "# " + "x" * 2**24 + "\n",
    ],
)
def test_cards_from_strangers_are_refused_in_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "card.toml"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    assert str(path) in refused(read_card, path)


STATE = {"step": 3, "weights": torch.zeros(10), "random": {"python": [1, 2]}}


def spoilt(value: Any, place: tuple[Any, ...], new: Any) -> Any:
    if not place:
        return new
    return {key: spoilt(inner, place[1:], new) if key == place[0] else inner for key, inner in value.items()}


@pytest.mark.parametrize("form", [torch.zeros(2), torch.tensor(1), None, "1", 2, [1], {}])
def test_states_of_another_form_are_refused(tmp_path: Path, form: Any) -> None:
    path = tmp_path / "training.pt"
    torch.save({**STATE, "format": form}, path)
    assert "not a training state of format" in refused(load_state, path)


def test_a_packed_state_is_refused_for_it_may_fill_the_memory(tmp_path: Path) -> None:
    import zipfile

    path = tmp_path / "training.pt"
    save_state(path, {"weights": torch.zeros(2**20)})
    assert load_state(path)["weights"].shape == (2**20,)
    with zipfile.ZipFile(path) as archive:
        members = {one.filename: archive.read(one) for one in archive.infolist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    assert path.stat().st_size < 2**16
    assert "not a whole training state" in refused(load_state, path)


@pytest.mark.parametrize("kind", [torch.int64, torch.uint8, torch.bool, torch.complex64])
def test_numbers_that_are_not_real_are_refused(tmp_path: Path, kind: torch.dtype) -> None:
    config = {"num_layers": 3, "channels": 4}
    tensors = build_product("vdsr", config).state_dict()
    name = next(iter(tensors))
    save_weights(
        tmp_path / "a.safetensors", tensors | {name: tensors[name].to(kind)}, Header(system="vdsr", config=config)
    )
    came = str(kind).removeprefix("torch.")
    assert f"{name} must be float32, got {came}: copy or train it again" in refused(load, tmp_path / "a.safetensors")
