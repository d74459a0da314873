"""What the worker knows, read again when one's own models have changed."""

from pathlib import Path
from typing import Any

from limner.studio.queue import Queue


async def known_now(queue: Queue) -> dict[str, Any]:
    """Models, styles, presets and systems as they are now."""
    known = await queue.device.known
    seen = _seen(queue.settings.model_places)
    if seen != known.setdefault("seen", seen) or known.pop("stale", False):
        known |= await queue.device.ask("list")
        known["seen"] = seen
    return known


def _seen(places: list[Path]) -> list[tuple[str, int]]:
    """The weight files of folders, and when they were changed."""
    found = []
    for place in places:
        paths = [*place.glob("*.safetensors"), *place.glob("*/*.safetensors")] if place.is_dir() else [place]
        for path in paths:
            try:
                found.append((str(path), path.stat().st_mtime_ns))
            except OSError:
                continue
    return sorted(found)
