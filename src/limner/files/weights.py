"""Weight files: safetensors whose header says what it is, so that name, configuration and weights travel together."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from pydantic import Field
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from limner.config import Config
from limner.errors import LimnerError, did_you_mean
from limner.files.atomic import atomic_path
from limner.files.json_text import parse_json
from limner.files.ordinary import check_ordinary

FORMAT = 1

MODEL_FILE = "model.safetensors"
"""The weight file in the folder of a run."""


class Header(Config):
    """What a weight file says of itself."""

    system: str
    config: dict[str, Any]
    licence: str = ""
    provenance: str = ""
    metrics: dict[str, float] = Field({})
    style: str = Field("", description="of a network that paints in one style: its name")
    part: str = Field("", description="the player of a game that it holds, which counts in training alone: its name")


def save_weights(
    path: Path, tensors: Mapping[str, Tensor], header: Header, *, dtype: torch.dtype | None = None
) -> None:
    """Write tensors with their header; `dtype` converts the floating ones that it can hold (float16 halves the file).

    Raises:
        NoSpaceError: The disk is full; an earlier file is whole.
    """
    stored = {name: _stored(tensor, dtype) for name, tensor in tensors.items()}
    metadata = {"limner": str(FORMAT), **{key: json.dumps(value) for key, value in header.model_dump().items()}}
    with atomic_path(path, needs=sum(tensor.nbytes for tensor in stored.values())) as temporary:
        save_file(stored, temporary, metadata)


def _stored(tensor: Tensor, dtype: torch.dtype | None) -> Tensor:
    """On the CPU; as it is, where a value is too large for `dtype`, as the variance that a norm has seen may be."""
    kind = dtype if dtype and tensor.is_floating_point() else tensor.dtype
    stored = tensor.detach().to("cpu", kind, copy=True).contiguous()  # a copy: safetensors refuses tied weights
    if kind != tensor.dtype and not torch.equal(stored.isfinite(), tensor.detach().cpu().isfinite()):
        return _stored(tensor, None)
    return stored


def read_header(path: Path) -> Header:
    """The header alone, without the tensors.

    Raises:
        LimnerError: If the file is missing, damaged, or not a Limner weight file.
    """
    return _open(path)[0]


def read_shapes(path: Path) -> tuple[Header, dict[str, tuple[int, ...]]]:
    """The header and the shapes of the tensors, without reading these.

    Raises:
        LimnerError: If the file is missing, damaged, or not a Limner weight file.
    """
    return _open(path)


def load_weights(path: Path) -> tuple[Header, dict[str, Tensor]]:
    """The header and the tensors; half-precision tensors come back as float32.

    Raises:
        LimnerError: If the file is missing, damaged, or not a Limner weight file, or a weight is not finite.
    """
    header, names = _open(path)
    with safe_open(path, framework="pt") as file:
        tensors = {name: file.get_tensor(name) for name in names}
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not bool(tensor.isfinite().all()):
            raise LimnerError(f"{path} holds weights that are no finite numbers ({name}): copy or train it again")
    halves = (torch.float16, torch.bfloat16)
    return header, {name: tensor.float() if tensor.dtype in halves else tensor for name, tensor in tensors.items()}


def _open(path: Path) -> tuple[Header, dict[str, tuple[int, ...]]]:
    if not path.exists() or path.is_dir():
        near = did_you_mean(path.name, [one.name for one in path.parent.glob("*.safetensors")], "check the path")
        raise LimnerError(f"no weight file at {path}: {near}")
    check_ordinary(path)
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            shapes = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise LimnerError(f"{path} is not a whole safetensors file ({error}): copy or train it again") from None
    return _parse_header(path, metadata), shapes


def _parse_header(path: Path, metadata: Mapping[str, str]) -> Header:
    version = metadata.get("limner", "")
    if version.isdecimal() and (len(version) > 9 or int(version) > FORMAT):
        raise LimnerError(f"{path} is of format {version[:9]}, this Limner reads up to {FORMAT}: install a newer one")
    if version != str(FORMAT):
        raise LimnerError(f"{path} has no Limner header of format {FORMAT}: it was written by another program")
    try:
        return Header.parse({key: parse_json(value) for key, value in metadata.items() if key in Header.model_fields})
    except ValueError as error:  # of JSON or, as a LimnerError, of a field
        raise LimnerError(f"the header of {path} is damaged ({error}): copy or train it again") from None


def sha256(path: Path) -> str:
    """The hexadecimal SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
