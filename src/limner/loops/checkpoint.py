"""The training state: everything that must come back for a resumed run to equal an uninterrupted one, bit for bit."""

import math
import random
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limner.config import Config
from limner.errors import LimnerError
from limner.files.atomic import atomic_path

FORMAT = 1

_MEANS = 64  # that are kept of a tensor
_ALIKE = 1e-4  # apart at most: another number of threads rounds otherwise


def random_state() -> dict[str, Any]:
    """The state of every library's global random numbers, in plain types."""
    name, keys, position, has_gauss, gauss = np.random.get_state()  # noqa: NPY002  # the global state is what is saved
    return {
        "python": random.getstate(),
        "numpy": (name, torch.from_numpy(keys.astype(np.int64)), position, has_gauss, gauss),  # type: ignore[attr-defined]
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }


def restore_random_state(state: dict[str, Any]) -> None:
    """Bring back what `random_state` gave."""
    version, internal, gauss_next = state["python"]
    random.setstate((version, tuple(internal), gauss_next))
    name, keys, *rest = state["numpy"]
    np.random.set_state((name, keys.numpy().astype(np.uint32), *rest))  # noqa: NPY002
    torch.set_rng_state(state["torch"].cpu())
    if state["cuda"] and torch.cuda.is_available():
        torch.cuda.set_rng_state_all([one.cpu() for one in state["cuda"]])


def seed_everything(seed: int) -> None:
    """Seed Python, numpy and torch."""
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002
    torch.manual_seed(seed)


def save_state(path: Path, state: dict[str, Any]) -> None:
    """Write a training state, whole or not at all.

    Raises:
        NoSpaceError: The disk is full; an earlier state is whole.
    """
    with atomic_path(path, needs=_num_bytes(state)) as temporary:
        torch.save({"format": FORMAT, **state}, temporary)


def _num_bytes(state: Any) -> int:
    """Of the tensors, which are nearly all of a state."""
    if isinstance(state, Tensor):
        return state.nbytes
    parts = state.values() if isinstance(state, dict) else state if isinstance(state, list | tuple) else ()
    return sum(map(_num_bytes, parts))


def load_state(path: Path) -> dict[str, Any]:
    """Read a training state: tensors and plain values only, no code is run.

    Raises:
        LimnerError: If the file is missing, damaged, or of another format.
    """
    if not path.is_file():
        raise LimnerError(f"there is nothing to resume at {path}: start the run without resuming")
    try:
        _refuse_compressed(path)
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many kinds for a damaged file
        raise LimnerError(f"{path} is not a whole training state ({type(error).__name__}): start a new run") from None
    if not isinstance(state, dict) or not isinstance(state.get("format"), int) or state["format"] != FORMAT:
        raise LimnerError(f"{path} is not a training state of format {FORMAT}: start a new run")
    return state


def _refuse_compressed(path: Path) -> None:
    """Torch packs nothing, so a state is as large as its file; what a stranger has packed may fill the memory.

    Raises:
        ValueError: If something is packed.
    """
    with zipfile.ZipFile(path) as archive:
        if any(one.compress_type != zipfile.ZIP_STORED for one in archive.infolist()):
            raise ValueError("packed")


def refuse_changes(was: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Refuse to go on with a run of which something is no longer what it was; keys say what it is.

    Raises:
        LimnerError: If so.
    """
    for what, value in now.items():
        if was[what] != value:
            mend = "resume with what it had, or start a new run"
            raise LimnerError(f"{what} of the saved run is {was[what]}, this configuration has {value}: {mend}")


def digest(parts: Iterable[Any]) -> list[Any]:
    """What tells some things from others, small and in plain types: for `are_alike`.

    Args:
        parts: Tensors and networks, of which means are kept; configurations, without their steps;
            plain values; and sequences of all these.
    """
    return [_digest(part) for part in parts]


def are_alike(before: Any, now: Any) -> bool:
    """Whether two digests are of the same, but for how numbers are rounded."""
    if isinstance(before, list) and isinstance(now, list):
        return len(before) == len(now) and all(map(are_alike, before, now))
    if isinstance(before, float) and isinstance(now, float):
        return math.isclose(before, now, rel_tol=_ALIKE, abs_tol=_ALIKE)
    return bool(before == now)


def _digest(part: Any) -> Any:
    if isinstance(part, Tensor):
        means = F.adaptive_avg_pool1d(part.detach().float().reshape(1, 1, -1), min(_MEANS, part.numel()))
        return [list(part.shape), means.flatten().tolist()]
    if isinstance(part, nn.Module):
        return digest([*part.parameters(), *part.buffers()])
    if isinstance(part, Config):
        return part.model_dump(mode="json", exclude={"passes", "optimize"})
    return digest(part) if isinstance(part, list | tuple) else part
