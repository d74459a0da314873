"""What is known of the weights that come with the package."""

from pathlib import Path
from typing import Any

from limner.catalog import embedded
from limner.files.cards import Card, read_card
from limner.files.weights import read_header


def embedded_models() -> list[dict[str, Any]]:
    """Each embedded weight file: name, system, size in bytes, licence, and what it is worth."""
    return [_described(name, path) for name, path in embedded().items()]


def _described(name: str, path: Path) -> dict[str, Any]:
    header, card = read_header(path), card_beside(path)
    return {
        "name": name,
        "system": header.system,
        "bytes": path.stat().st_size,
        "licence": card.licence if card else header.licence,
        "headline": headline(card) if card else "",
        "metrics": card.metrics if card else {},
    }


def card_beside(path: Path) -> Card | None:
    """The card of a weight file, if it has one."""
    place = path.with_suffix(".toml")
    return read_card(place) if place.is_file() else None


def headline(card: Card) -> str:
    """A card's figures by its first protocol, as "Set5 x2 36.00 dB (bicubic 33.00)"; those of Set5 if it has them."""
    for protocol, sets in card.metrics.items():
        shown = {case: figures for case, figures in sets.items() if case.startswith("Set5 ")} or sets
        parts = [
            f"{case} {figures['psnr']:.2f} dB (bicubic {figures['bicubic_psnr']:.2f})"
            for case, figures in shown.items()
        ]
        return f"{', '.join(parts)}; protocol {protocol}"
    return ""
