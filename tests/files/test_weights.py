"""Weight files: what goes in comes out, and what is none is refused in one line."""

import hashlib
import json
import struct
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from limner.errors import LimnerError
from limner.files.weights import Header, load_weights, read_header, save_weights, sha256

HEADER = Header(
    system="vdsr",
    config={"num_layers": 20, "nested": {"a": [1, 2.5, None]}, "word": "ü"},
    licence="Apache-2.0",
    provenance="recipes/vdsr.py, 20 minutes",
    metrics={"psnr/Set5/x2": 37.53},
)


def tensors() -> dict[str, Tensor]:
    system = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
    system(torch.rand(2, 3, 8, 8))
    return system.state_dict()


def refusal(path: Path) -> str:
    messages = []
    for read in (read_header, load_weights):
        with pytest.raises(LimnerError) as caught:
            read(path)
        messages.append(str(caught.value))
    assert messages[0] == messages[1]
    assert "\n" not in messages[0]
    assert str(path) in messages[0]
    return messages[0]


def test_round_trip(tmp_path: Path):
    path, weights = tmp_path / "w.safetensors", tensors()
    save_weights(path, weights, HEADER)
    header, loaded = load_weights(path)
    assert header == read_header(path) == HEADER
    assert loaded.keys() == weights.keys()
    for name, tensor in weights.items():
        assert loaded[name].dtype == tensor.dtype
        assert torch.equal(loaded[name], tensor)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_stored_small_and_read_as_float32(tmp_path: Path, dtype: torch.dtype):
    weights = {"w": torch.randn(1000), "count": torch.tensor(2**40 + 1), "mask": torch.tensor([True, False])}
    save_weights(tmp_path / "half.safetensors", weights, HEADER, dtype=dtype)
    save_weights(tmp_path / "full.safetensors", weights, HEADER)
    sizes = [(tmp_path / name).stat().st_size for name in ("half.safetensors", "full.safetensors")]
    assert sizes[1] - sizes[0] == pytest.approx(2000, abs=16)
    _, loaded = load_weights(tmp_path / "half.safetensors")
    assert loaded["w"].dtype == torch.float32
    assert torch.equal(loaded["w"], weights["w"].to(dtype).float())
    assert torch.equal(loaded["count"], weights["count"])
    assert torch.equal(loaded["mask"], weights["mask"])


def test_values_too_large_for_half_precision_stay_as_they_are(tmp_path: Path):
    path = tmp_path / "w.safetensors"
    weights = {"fine": torch.tensor([1 / 3]), "running_var": torch.tensor([1 / 3, 1e6])}
    save_weights(path, weights, HEADER, dtype=torch.float16)
    loaded = load_weights(path)[1]
    assert torch.equal(loaded["running_var"], weights["running_var"])
    assert torch.equal(loaded["fine"], weights["fine"].half().float())


def test_any_memory_layout_and_tied_weights(tmp_path: Path):
    base = torch.arange(24.0).reshape(1, 2, 3, 4)
    weights = {"a": base.to(memory_format=torch.channels_last), "tied": base, "view": base[..., ::2], "t": base.mT}
    save_weights(tmp_path / "w.safetensors", weights, HEADER)
    _, loaded = load_weights(tmp_path / "w.safetensors")
    assert all(torch.equal(loaded[name], tensor) for name, tensor in weights.items())


def test_gradients_and_parameters_do_not_matter(tmp_path: Path):
    save_weights(tmp_path / "w.safetensors", {"w": nn.Parameter(torch.ones(3))}, HEADER)
    _, loaded = load_weights(tmp_path / "w.safetensors")
    assert not loaded["w"].requires_grad


def test_a_failing_save_leaves_the_old_file(tmp_path: Path):
    path = tmp_path / "w.safetensors"
    save_weights(path, tensors(), HEADER)
    before = path.read_bytes()
    with pytest.raises(TypeError):
        save_weights(path, tensors(), Header(system="x", config={"bad": object()}))
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_missing_file(tmp_path: Path):
    assert refusal(tmp_path / "w.safetensors").startswith("no weight file at")
    assert refusal(tmp_path).startswith("no weight file at")


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.999])
def test_a_truncated_file(tmp_path: Path, share: float):
    path = tmp_path / "w.safetensors"
    save_weights(path, tensors(), HEADER)
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    assert ("is not a whole safetensors file" if share else "is empty") in refusal(path)


def test_no_safetensors_at_all(tmp_path: Path):
    path = tmp_path / "w.safetensors"
    torch.save(tensors(), path)
    assert "is not a whole safetensors file" in refusal(path)
    path.write_bytes(struct.pack("<Q", 2**60) + b"{}")  # a header that claims to be enormous
    assert "is not a whole safetensors file" in refusal(path)


def foreign(path: Path, metadata: dict[str, str] | None) -> Path:
    save_file({"w": torch.ones(3)}, path, metadata)
    return path


@pytest.mark.parametrize("metadata", [None, {"format": "pt"}, {"limner": "one"}, {"limner": "0"}])
def test_another_programs_file(tmp_path: Path, metadata: dict[str, str] | None):
    assert "was written by another program" in refusal(foreign(tmp_path / "w.safetensors", metadata))


def test_a_file_of_the_future(tmp_path: Path):
    path = foreign(tmp_path / "w.safetensors", {"limner": "2", "system": '"vdsr"', "config": "{}"})
    assert refusal(path).endswith("is of format 2, this Limner reads up to 1: install a newer one")


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("config", "{", "Expecting property name"),
        ("config", "3", "Header.config: input should be a valid dictionary"),
        ("system", None, "Header.system is missing"),
        ("metrics", '{"psnr": "high"}', "Header.metrics.psnr"),
    ],
)
def test_a_damaged_header(tmp_path: Path, field: str, value: str | None, expected: str):
    fields: dict[str, Any] = {key: json.dumps(item) for key, item in HEADER.model_dump().items()}
    metadata = {"limner": "1", **fields, field: value}
    path = foreign(tmp_path / "w.safetensors", {key: item for key, item in metadata.items() if item is not None})
    message = refusal(path)
    assert message.startswith(f"the header of {path} is damaged")
    assert expected in message


def test_unknown_fields_of_a_header_are_passed_by(tmp_path: Path):
    metadata = {"limner": "1", "system": '"vdsr"', "config": "{}", "tool": "someone's"}
    assert read_header(foreign(tmp_path / "w.safetensors", metadata)) == Header(system="vdsr", config={})


def test_sha256(tmp_path: Path):
    path = tmp_path / "x"
    path.write_bytes(b"abc" * 100_000)
    assert sha256(path) == hashlib.sha256(b"abc" * 100_000).hexdigest()
