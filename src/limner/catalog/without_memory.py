"""Networks without memory for their weights, and no larger ones than are wanted: what a stranger's file may ask for."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from limner.errors import LimnerError


@contextmanager
def without_memory(most_calls: int) -> Iterator[None]:
    """Tensors that are made here take no memory, and networks that take very many calls of torch are refused."""
    gradients = torch.is_grad_enabled()
    try:
        with torch.device("meta"), _Bounded(most_calls):
            yield
    finally:
        torch.set_grad_enabled(gradients)  # the call that was refused may have been that of a `no_grad` that ended


class _Bounded(TorchFunctionMode):
    """Ends the building of a network that takes more calls of torch than one of its size does."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._left = most

    def __torch_function__(
        self, function: Any, types: Any, arguments: Sequence[Any] = (), options: Mapping[str, Any] | None = None
    ) -> Any:
        self._left -= 1
        if self._left == -1:  # once: what is undone after it calls torch too
            raise LimnerError("it names a network of many more layers than it holds: copy or train it again")
        return function(*arguments, **(options or {}))
