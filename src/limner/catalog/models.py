"""Every system that is trained, and every model that comes with the package: found, built and loaded by name."""

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from limner.arguments import model_text
from limner.catalog import enlarging, generating, moving, segmenting, styles, textures, translating
from limner.catalog.entry import Entry
from limner.catalog.pulled import address_of, kept_by_name
from limner.catalog.without_memory import without_memory
from limner.errors import LimnerError, did_you_mean
from limner.files.weights import MODEL_FILE, Header, load_weights, read_header, read_shapes
from limner.tasks.task import Task

_LARGEST = 2**13  # that a configuration may hold; the largest of ours is 1200
_CALLS_FOR_EACH = 60  # of torch, for each tensor of a network that is built
_SPARE = 20  # tensors, for what a network makes beside its weights
_MOST_CALLS = 20_000  # for a network without its file

WEIGHTS = Path(__file__).parents[1] / "weights"

ENTRIES: tuple[Entry, ...] = (
    *enlarging.ENTRIES,
    *styles.ENTRIES,
    *textures.ENTRIES,
    *generating.ENTRIES,
    *translating.ENTRIES,
    *segmenting.ENTRIES,
    *moving.ENTRIES,
)


def find(name: str) -> Entry:
    """The entry of that name.

    Raises:
        LimnerError: If there is none.
    """
    for entry in ENTRIES:
        if entry.name == name:
            return entry
    names = [entry.name for entry in ENTRIES]
    mend = did_you_mean(name, names)
    raise LimnerError(f"system must be one of {', '.join(names)}, got {name!r}: {mend}")


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
    return dict(sorted((path.stem, path) for path in WEIGHTS.glob("*.safetensors")))


def tasks_of(header: Header) -> tuple[Task, ...]:
    """What the model of a weight file can be used for: nothing, where it is a player that counts in training alone.

    Raises:
        LimnerError: If the system is unknown or a value does not fit.
    """
    entry = find(header.system)
    return () if header.part else entry.tasks_of(header.config)


def embedded_for(task: Task) -> list[str]:
    """The embedded models that can be used so; headers alone are read."""
    return [name for name, path in embedded().items() if task in tasks_of(read_header(path))]


def skeleton(header: Header) -> Any:
    """The system that a header names, without weights: for its ports, and for what it does around its network.

    Raises:
        LimnerError: If the system is unknown, or its configuration does not fit.
    """
    with without_memory(_MOST_CALLS):
        return _built(header).eval()


def usable(*tasks: Task) -> str:
    """Which models are for some tasks, or for any: words that follow a refusal.

    >>> from limner.tasks.generate import GENERATE
    >>> usable(GENERATE)[:11]
    'name chairs'
    """
    names = [name for task in tasks for name in embedded_for(task)] if tasks else list(embedded())
    systems = [entry.name for entry in ENTRIES if set(tasks) & set(entry.tasks)]
    of = f" of {' or '.join(systems)}" if tasks else ""
    if not names:
        return f"none is built in, so name a .safetensors file or the folder of a run{of}"
    return f"name {', '.join(dict.fromkeys(names))}, a .safetensors file, or the folder of a run{of}"


def weights_path(model: str | PathLike[str], *tasks: Task) -> Path:
    """Where the weights of a model are.

    Args:
        model: The name of an embedded one, a path to a weight file, the folder of a run, or the name of one that was
            pulled, `OWNER/NAME`.
        tasks: What it is wanted for, any of these: a refusal names the models that can.

    Raises:
        LimnerError: If it is none of these.
    """
    built_in, path = embedded(), Path(model_text(model)).expanduser()
    if str(model) in built_in:
        return built_in[str(model)]
    if path.is_dir():
        return _of_run(path)
    if path.suffix == ".safetensors":
        return path
    if path.is_file():
        raise LimnerError(
            f"{path}: a model is a .safetensors file or the folder of a run, got another file: {usable(*tasks)}"
        )
    if pulled := kept_by_name(str(model)):
        return pulled.path
    known = [name for task in tasks for name in embedded_for(task)] if tasks else built_in
    mend = f"{usable(*tasks)}; limner models pull fetches one of the Hub" if address_of(str(model)) else usable(*tasks)
    raise LimnerError(f"there is no model {str(model)!r}: {did_you_mean(str(model), known, mend)}")


def _of_run(folder: Path) -> Path:
    """The weight file of a run: `model.safetensors`, or the only one that a recipe wrote."""
    if (folder / MODEL_FILE).is_file():
        return folder / MODEL_FILE
    found = sorted(folder.glob("*.safetensors"))
    if len(found) == 1:
        return found[0]
    what = f"several, {', '.join(path.name for path in found)}: name one" if found else "none yet: train it to its end"
    raise LimnerError(f"{folder}: the folder of a run holds a {MODEL_FILE}, this one has {what}")


def load(model: str | PathLike[str], *tasks: Task) -> tuple[nn.Module, Header]:
    """A trained system in evaluation mode, and the header of its weight file.

    Args:
        model: The name of an embedded model, a path to a weight file, or the folder of a run.
        tasks: What it is wanted for, any of these; none means anything.

    Raises:
        LimnerError: If there is no such model, it does something else, the file is damaged, or its weights do not fit
            the system it names.
    """
    path = weights_path(model, *tasks)
    check_task(model, read_header(path), *tasks)
    return _read(path)


def load_for_training(model: str | PathLike[str]) -> tuple[nn.Module, Header]:
    """The same of any task, or a player of a game that nothing but training has a use for, as its header says.

    Raises:
        LimnerError: If there is no such model, the file is damaged, or its weights do not fit what it names.
    """
    return _read(weights_path(model))


def _read(path: Path) -> tuple[nn.Module, Header]:
    header, shapes = read_shapes(path)
    system = _fitting_skeleton(path, header, shapes)
    header, tensors = load_weights(path)
    _check_kinds(path, header, system.state_dict(), tensors)
    return _filled(system, header, tensors).eval(), header


def _filled(system: nn.Module, header: Header, tensors: Mapping[str, Tensor]) -> nn.Module:
    """A skeleton with its weights, whose random beginnings nobody waits for; built anew if it holds other numbers."""
    kinds = {name: tensor.dtype for name, tensor in system.state_dict().items()}
    system.load_state_dict({name: tensor.to(kinds[name]) for name, tensor in tensors.items()}, assign=True)
    if any(tensor.is_meta for tensor in (*system.parameters(), *system.buffers())):
        system = _of_header(header)
        system.load_state_dict(tensors)
    return system


def check_task(model: str | PathLike[str], header: Header, *tasks: Task) -> None:
    """Refuse a model that does something else, or is a player that makes nothing.

    Args:
        model: As it was named.
        header: Of its weight file.
        tasks: What it is wanted for, any of these; none means anything.

    Raises:
        LimnerError: If it is for none of these.
    """
    if header.part:
        raise LimnerError(
            f"{model} is the {header.part} of a {find(header.system).name}, which counts in training and makes no "
            f"pictures: limner train {header.system} --start-from {model} goes on with it"
        )
    if tasks and not set(tasks) & set(tasks_of(header)):
        does = " or ".join(dict.fromkeys(task.command for task in tasks_of(header)))
        wanted = " or ".join(dict.fromkeys(task.command for task in tasks))
        raise LimnerError(f"{model} is a {header.system}, for limner {does}, not for {wanted}: {usable(*tasks)}")


def check_model(model: str | PathLike[str], *tasks: Task) -> Any:
    """Refuse what `load` would refuse by the header of a weight file, before its weights are read.

    Returns:
        The system, without weights.

    Raises:
        LimnerError: If there is no such model, or it does something else, or its configuration does not fit.
    """
    path = weights_path(model, *tasks)
    header = read_header(path)
    check_task(model, header, *tasks)
    try:
        return skeleton(header)
    except LimnerError as error:
        raise LimnerError(f"{path}: {error}") from None


def shapes_of(header: Header, number: int) -> dict[str, tuple[int, ...]]:
    """The shapes of the weights of what a header names, without any memory for them; `number` is about how many.

    Raises:
        LimnerError: If the system is unknown, no network can have such a configuration, or it has many more weights.
    """
    return _shapes(_skeleton_within(header, number))


def _skeleton_within(header: Header, number: int) -> nn.Module:
    """What a header names, without any memory for its weights.

    Args:
        header: As of a weight file.
        number: About how many weights there should be; a network of many more is refused.

    Raises:
        LimnerError: If the system is unknown, no network can have such a configuration, or it has many more weights.
    """
    with without_memory(_CALLS_FOR_EACH * (number + _SPARE)):
        return _built(header)


def _fitting_skeleton(path: Path, header: Header, shapes: Mapping[str, tuple[int, ...]]) -> nn.Module:
    """The network that the header of a file names, without weights, if the file's tensors are those of it.

    Raises:
        LimnerError: If they are not.
    """
    what = f"{path} does not hold the weights of {header.system} as its header says"
    try:
        system = _skeleton_within(header, len(shapes))
    except LimnerError as error:
        raise LimnerError(f"{path}: {error}") from None
    expected = _shapes(system)
    for name in {**expected, **shapes}:
        should, came = expected.get(name), shapes.get(name)
        if should != came:
            raise LimnerError(f"{what}: {name} must be {_by(should)}, got {_by(came)}: copy or train it again")
    return system


def _shapes(system: nn.Module) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in system.state_dict().items()}


def _check_kinds(path: Path, header: Header, expected: Mapping[str, Tensor], tensors: Mapping[str, Tensor]) -> None:
    """Refuse whole numbers and others where a network has real ones, which loading would convert without a word.

    Raises:
        LimnerError: If there are some.
    """
    for name, tensor in tensors.items():
        should, came = expected[name].dtype, tensor.dtype
        if should.is_floating_point != came.is_floating_point or came.is_complex:
            raise LimnerError(
                f"{path} does not hold the weights of {header.system} as its header says: {name} must be "
                f"{_kind(should)}, got {_kind(came)}: copy or train it again"
            )


def _kind(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def _by(shape: tuple[int, ...] | None) -> str:
    """A shape as people read it."""
    return "none" if shape is None else "x".join(map(str, shape)) or "one number"


def _built(header: Header) -> nn.Module:
    """The network that a header names.

    Raises:
        LimnerError: If no network can have such a configuration.
    """
    if (most := _largest(header.config)) > _LARGEST:
        raise LimnerError(f"no {header.system} has a configuration with {most}: copy or train it again")
    try:
        return _of_header(header)
    except LimnerError:
        raise
    except Exception as error:  # torch and Python raise whatever sizes that cannot be trip up
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise LimnerError(f"no {header.system} can have its configuration ({reason}): copy or train it again") from None


def _of_header(header: Header) -> nn.Module:
    entry = find(header.system)
    config = entry.config.parse(header.config)
    return entry.build_part(header.part, config) if header.part else entry.build_product(config)


def _largest(value: Any) -> int:
    """The largest whole number anywhere in plain values, without its sign; 0 of none."""
    if isinstance(value, Mapping):
        return max(map(_largest, value.values()), default=0)
    if isinstance(value, list | tuple):
        return max(map(_largest, value), default=0)
    return abs(value) if isinstance(value, int) else 0
