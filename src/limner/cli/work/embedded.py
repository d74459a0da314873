"""What is known of the weights that come with the package, and of those that were pulled."""

from collections.abc import Mapping
from pathlib import Path
from statistics import mean
from typing import Any

from limner.catalog.models import embedded
from limner.catalog.pulled import all_kept
from limner.cli.errors import note
from limner.errors import LimnerError
from limner.files.cards import Card, read_card
from limner.files.weights import read_header


def embedded_models() -> list[dict[str, Any]]:
    """Each embedded weight file: name, system, size in bytes, licence, and what it is worth."""
    return [_described(name, path) for name, path in embedded().items()]


def pulled_models() -> list[dict[str, Any]]:
    """The same of each model that was pulled, with its commit; a note tells of one that cannot be read."""
    found = []
    for name, one in all_kept().items():
        try:
            found.append({**_described(name, one.path), "revision": one.record.commit, "path": str(one.path)})
        except LimnerError as error:
            note(f"{name}: {error}")
    return found


def _described(name: str, path: Path) -> dict[str, Any]:
    header, card = read_header(path), card_of(path)
    return {
        "name": name,
        "system": header.system,
        "bytes": path.stat().st_size,
        "licence": card.licence if card else header.licence,
        "headline": headline(card) if card else "",
        "metrics": card.metrics if card else {},
    }


def card_of(path: Path) -> Card | None:
    """The card of a weight file, if it has one."""
    place = path.with_suffix(".toml")
    return read_card(place) if place.is_file() else None


def headline(card: Card) -> str:
    """A card's figures by its first protocol: in decibels for each set, or Set5 alone, or means over all cases."""
    for protocol, sets in card.metrics.items():
        in_decibels = all("bicubic_psnr" in figures for figures in sets.values())
        return f"{', '.join(_decibels(sets) if in_decibels else _means(sets))}; protocol {protocol}"
    return ""


def _decibels(sets: Mapping[str, Mapping[str, float]]) -> list[str]:
    """Such as "Set5 x2 36.00 dB (bicubic 33.00)"."""
    shown = {case: figures for case, figures in sets.items() if case.startswith("Set5 ")} or sets
    return [f"{case} {one['psnr']:.2f} dB (bicubic {one['bicubic_psnr']:.2f})" for case, one in shown.items()]


def _means(sets: Mapping[str, Mapping[str, float]]) -> list[str]:
    """Such as "style 0.183"."""
    names = next(iter(sets.values()))
    return [f"{name} {mean(figures[name] for figures in sets.values()):.3g}" for name in names]
