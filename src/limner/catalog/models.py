"""Every system that is trained, and every model that comes with the package: found, built and loaded by name."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from limner.catalog import enlarging, generating, segmenting, styles, textures, translating
from limner.catalog.entry import Entry
from limner.errors import LimnerError
from limner.files.weights import Header, load_weights, read_header
from limner.tasks.task import Task

WEIGHTS = Path(__file__).parents[1] / "weights"

ENTRIES: tuple[Entry, ...] = (
    *enlarging.ENTRIES,
    *styles.ENTRIES,
    *textures.ENTRIES,
    *generating.ENTRIES,
    *translating.ENTRIES,
    *segmenting.ENTRIES,
)


def find(name: str) -> Entry:
    """The entry of that name.

    Raises:
        LimnerError: If there is none.
    """
    for entry in ENTRIES:
        if entry.name == name:
            return entry
    raise LimnerError(f"system must be one of {', '.join(entry.name for entry in ENTRIES)}, got {name!r}")


def build(name: str, config: Mapping[str, Any]) -> nn.Module:
    """A system to be trained, with fresh weights, from its name and plain configuration values.

    Raises:
        LimnerError: If the system is unknown or a value does not fit.
    """
    entry = find(name)
    return entry.system(entry.config.parse(config))


def build_product(name: str, config: Mapping[str, Any]) -> nn.Module:
    """What is used of a system once it is trained, with fresh weights, as a weight file's header names it.

    Raises:
        LimnerError: If the system is unknown or a value does not fit.
    """
    entry = find(name)
    return entry.build_product(entry.config.parse(config))


def embedded() -> dict[str, Path]:
    """The weight files that come with the package, by model name."""
    return {path.stem: path for path in sorted(WEIGHTS.glob("*.safetensors"))}


def tasks_of(header: Header) -> tuple[Task, ...]:
    """What the model of a weight file can be used for.

    Raises:
        LimnerError: If the system is unknown or a value does not fit.
    """
    return find(header.system).tasks_of(header.config)


def embedded_for(task: Task) -> list[str]:
    """The embedded models that can be used so; headers alone are read."""
    return [name for name, path in embedded().items() if task in tasks_of(read_header(path))]


def skeleton(header: Header) -> Any:
    """The system that a header names, without weights: for its ports, and for what it does around its network.

    Raises:
        LimnerError: If the system is unknown, or its configuration does not fit.
    """
    with torch.device("meta"):
        return build_product(header.system, header.config).eval()


def weights_path(model: str) -> Path:
    """Where the weights of a model are: the name of an embedded one, or a path to a weight file.

    Raises:
        LimnerError: If it is neither.
    """
    built_in = embedded()
    if model in built_in:
        return built_in[model]
    if model.endswith(".safetensors"):
        return Path(model)
    raise LimnerError(f"model must be one of {', '.join(built_in)} or a .safetensors file, got {model!r}")


def load(model: str) -> tuple[nn.Module, Header]:
    """A trained system in evaluation mode, and the header of its weight file.

    Args:
        model: The name of an embedded model, or a path to a weight file.

    Raises:
        LimnerError: If there is no such model, the file is damaged, or its weights do not fit the system it names.
    """
    path = weights_path(model)
    header, tensors = load_weights(path)
    system = build_product(header.system, header.config)
    try:
        system.load_state_dict(tensors)
    except RuntimeError as error:
        reason = " ".join(str(error).split())
        raise LimnerError(f"{path} does not hold the weights of {header.system} as its header says: {reason}") from None
    return system.eval(), header
