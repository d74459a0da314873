"""Why a loss is no longer finite: the first module that went wrong, by name."""

import copy
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from limner import processes
from limner.errors import TrainingStopped
from limner.loops.checkpoint import save_state
from limner.types import Progress, Turn

_MEND = "resume with --set fit.optimizer.learning_rate=... lower than before, or --set fit.clip.kind=norm"


def explain_nonfinite(
    system: nn.Module, turn: Turn, batch: Any, progress: Progress, *, can_play_again: bool = True
) -> TrainingStopped:
    """The error for a turn whose losses are not finite: play the batch again and name the first bad module.

    This changes the system's running statistics and the random numbers; nothing of it may be saved afterwards.
    """
    bad = [name for name, loss in turn.losses.items() if not torch.isfinite(loss)]
    what = f"diverged at step {progress.step + 1}: loss {', '.join(bad) or 'sum'} of {turn.player} is not finite"
    if any(not _finite(item) for item in batch):
        return TrainingStopped(f"{what}; the batch itself holds values that are not finite: check the data")
    if name := _nonfinite_weights(system):
        return TrainingStopped(f"{what}; the weights {name} are not finite: {_MEND}")
    if not can_play_again:
        return TrainingStopped(f"{what}: {_MEND}")
    with _first_bad_output(system) as found:  # with gradients, for a turn may ask for some (gradient penalties)
        for _ in system.turns(batch, progress):  # type: ignore[operator]
            if found:
                break
    where = f"the first bad output is that of {found[0]}" if found else "played again, every module's output is finite"
    return TrainingStopped(f"{what}; {where}: {_MEND}")


def refuse_nonfinite_loss(
    system: nn.Module, turn: Turn, batch: Any, progress: Progress, autocast: Callable[[], AbstractContextManager[Any]],
    *, can_play_alone: bool = True,
) -> None:  # fmt: skip
    """Stop all processes where the loss of one is not finite.

    Args:
        system: That plays.
        turn: Whose loss it is.
        batch: Of this process.
        progress: Of the run.
        autocast: What is played in.
        can_play_alone: Whether a process may play the batch again by itself.

    Raises:
        TrainingStopped: If it is so; the message is that of `explain_nonfinite`.
    """
    is_broken = not torch.isfinite(turn.total)
    if any(processes.largest(float(is_broken))):
        if not is_broken:
            raise TrainingStopped("a loss of another process is not finite: its own message says why")
        with autocast(), processes.apart():
            raise explain_nonfinite(system, turn, batch, progress, can_play_again=can_play_alone)


def refuse_nonfinite_weights(system: nn.Module, step: int) -> None:
    """Stop a run whose last step broke its weights, which its losses would show only in the next.

    Raises:
        TrainingStopped: If a weight is not finite.
    """
    name = _nonfinite_weights(system)
    if any(processes.largest(float(name is not None))):  # of weights that are shared out, one process sees it alone
        which = f"the weights {name}" if name else "weights of another process"
        raise TrainingStopped(f"diverged at step {step}: {which} are not finite: {_MEND}")


@contextmanager
def keeping_the_start(state: Callable[[], dict[str, Any]], path: Path | None) -> Iterator[None]:
    """Save the state that a run begins with if it diverges before it has saved another, so that it can be resumed."""
    is_new = any(processes.largest(float(path is not None and not path.exists())))
    now = state() if is_new else None  # all processes ask for it together
    start = copy.deepcopy(now) if path else None
    try:
        yield
    except TrainingStopped:
        if path and start and not path.exists():
            save_state(path, start)
        raise


def _nonfinite_weights(system: nn.Module) -> str | None:
    return next((name for name, parameter in system.named_parameters() if not _finite(parameter)), None)


def _finite(value: Any) -> bool:
    """Whether all numbers in a tensor, or in a nest of containers of tensors, are finite."""
    if isinstance(value, Mapping):
        return all(_finite(item) for item in value.values())
    if isinstance(value, tuple | list):
        return all(_finite(item) for item in value)
    if hasattr(value, "to_local"):  # shared out: its own part
        return _finite(value.to_local())
    return not isinstance(value, Tensor) or bool(torch.isfinite(value).all())


@contextmanager
def _first_bad_output(system: nn.Module) -> Iterator[list[str]]:
    found: list[str] = []

    def hook(name: str) -> Any:
        def look(module: nn.Module, inputs: Any, output: Any) -> None:
            if not found and not _finite(output):
                found.append(f"{name} ({type(module).__name__})" if name else type(module).__name__)

        return look

    handles = [module.register_forward_hook(hook(name)) for name, module in system.named_modules()]
    try:
        yield found
    finally:
        for handle in handles:
            handle.remove()
