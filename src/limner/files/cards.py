"""The card of a weight file: where it comes from, what it is worth, where it fails. Recipes write it, nobody else."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomli_w

from limner.config import Config
from limner.errors import LimnerError
from limner.files.atomic import atomic_path
from limner.files.json_text import MOST_BYTES


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
        temporary.write_text(tomli_w.dumps(_without_none(card.model_dump())), encoding="utf-8")


def read_card(path: Path) -> Card:
    """Read a card.

    Raises:
        LimnerError: If it is missing or not a card.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise LimnerError(f"{path} is longer than any card ({MOST_BYTES} bytes): make it again with its recipe")
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise LimnerError(f"{path} is not a readable card ({error}): make it again with its recipe") from None
    try:
        return Card.parse(values)
    except LimnerError as error:
        raise LimnerError(f"{path} is no card ({error}): make it again with its recipe") from None


def _without_none(value: Any) -> Any:
    """TOML has no null: what is None is left out."""
    if isinstance(value, Mapping):
        return {key: _without_none(inner) for key, inner in value.items() if inner is not None}
    return value
