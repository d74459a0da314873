"""What was measured of the engines on this machine, kept in the user's cache folder from one run to the next."""

import hashlib
import importlib.metadata
import json
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from torch import nn

from limner.errors import LimnerError
from limner.files.atomic import atomic_path
from limner.processor import processor_class, processor_name
from limner.types import Precision

_MAX_ENTRIES = 200
_VERSIONED = ("limner", "torch", "onnxruntime", "openvino")


def record_path() -> Path:
    """Where the record is; the folder need not exist yet."""
    named = os.environ.get("LOCALAPPDATA" if sys.platform == "win32" else "XDG_CACHE_HOME", "")
    return (Path(named) if Path(named).is_absolute() else Path.home() / ".cache") / "limner" / "engines.json"


def network_key(system: nn.Module, *, precision: Precision, threads: int) -> str:
    """What the speed of the engines depends on, as a digest: the network, how it is run, machine and versions."""
    facts = {
        "network": f"{type(system).__qualname__} {getattr(system, 'config', '')} {system}",
        "shapes": [(name, list(parameter.shape)) for name, parameter in system.named_parameters()],
        "precision": precision,
        "threads": threads,
        "processor": [processor_name(), processor_class()],
        "versions": [_version(name) for name in _VERSIONED],
    }
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def recall(key: str) -> dict[str, float] | None:
    """The seconds of each engine that were kept for a key; None if there are none, or the record is damaged."""
    seconds = _entries().get(key)
    if not isinstance(seconds, dict) or not all(isinstance(value, float) for value in seconds.values()):
        return None
    return seconds or None


def keep(key: str, seconds: Mapping[str, float]) -> None:
    """Keep the seconds of each engine for a key; where nothing can be written, nothing is."""
    entries = {other: kept for other, kept in _entries().items() if other != key} | {key: dict(seconds)}
    with suppress(OSError, RuntimeError, LimnerError):  # RuntimeError: there is no home; LimnerError: the disk is full
        path = record_path()
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_path(path) as temporary:
            temporary.write_text(json.dumps(dict([*entries.items()][-_MAX_ENTRIES:]), indent=1))


def _entries() -> dict[str, Any]:
    try:
        found = json.loads(record_path().read_bytes())
    except (OSError, ValueError, RuntimeError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""
