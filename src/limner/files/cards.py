"""The card of a weight file: where it comes from, what it is worth, where it fails. Recipes write it, nobody else."""

import json
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from limner.config import Config
from limner.errors import LimnerError
from limner.files.atomic import atomic_path


class Card(Config):
    """`<model>.toml` beside `<model>.safetensors`."""

    model: str
    system: str
    paper: str
    config: dict[str, Any]
    data: str
    data_licence: str
    licence: str
    recipe: str
    recipe_sha256: str
    weights_sha256: str
    steps: int
    minutes: float
    samples_seen: int
    hardware: str
    torch: str
    seed: int
    start_from: str | None = None
    """The model whose weights training began with; its steps and minutes are not among `steps` and `minutes`."""
    fit: dict[str, Any]
    known_failures: str
    metrics: dict[str, dict[str, dict[str, float]]]
    """protocol -> "Set5 x2" -> "psnr", "ssim", "bicubic_psnr", "paper_psnr" (decibels; SSIM in [-1, 1]), and
    "vgg_distance", "bicubic_vgg_distance" where they were measured."""


def write_card(path: Path, card: Card) -> None:
    """Write a card as TOML, whole or not at all."""
    with atomic_path(path) as temporary:
        temporary.write_text("\n".join(_toml(card.model_dump())) + "\n", encoding="utf-8")


def read_card(path: Path) -> Card:
    """Read a card.

    Raises:
        LimnerError: If it is missing or not a card.
    """
    try:
        return Card.parse(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise LimnerError(f"{path} is not a readable card ({error}): make it again with its recipe") from None


def _toml(table: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """Lines of TOML: plain values first, then sub-tables. TOML has no null: such values are left out."""
    for key, value in table.items():
        if value is not None and (not isinstance(value, Mapping) or not value):
            yield f"{_key(key)} = {json.dumps(value, ensure_ascii=False)}"  # TOML's strings, arrays and {} are JSON's
    for key, value in table.items():
        if isinstance(value, Mapping) and value:
            yield ""
            yield f"[{prefix}{_key(key)}]"
            yield from _toml(value, f"{prefix}{_key(key)}.")


def _key(key: str) -> str:
    return key if key.replace("_", "").replace("-", "").isalnum() and key.isascii() else json.dumps(key)
