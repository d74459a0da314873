"""Processes that train as one: `torchrun --nproc-per-node N -m limner train ...` starts them.

Each computes its part of every batch. What is drawn at random is drawn for the whole batch by all, and batch norms take
the statistics of the whole batch, so that N processes make the step that one would make.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import timedelta
from typing import Any, NamedTuple, cast

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode

from limner.errors import LimnerError

_PATIENCE = timedelta(hours=3)  # of processes that wait while the first one measures and writes


class Place(NamedTuple):
    """Of a process among those that train as one.

    Attributes:
        number: From 0; the first one alone writes and speaks.
        size: How many there are.
    """

    number: int
    size: int

    @property
    def is_first(self) -> bool:
        """Whether it writes and speaks."""
        return self.number == 0


_ALONE = Place(0, 1)
_apart = [False]  # whether this process computes something by itself for now


def started_as() -> Place:
    """What torchrun has started this process as, before it joins the others."""
    return Place(int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1")))


def was_restarted() -> bool:
    """Whether torchrun has started the processes again, because one of them had died."""
    return _starts_before() > 0


def place() -> Place:
    """Of this process among those that it has joined; the only one where it has joined none."""
    if _apart[0] or not (dist.is_available() and dist.is_initialized()):
        return _ALONE
    return Place(dist.get_rank(), dist.get_world_size())


def check_shared(batch_size: int) -> None:
    """Refuse batches that the processes cannot share evenly.

    Raises:
        LimnerError: If they cannot.
    """
    if batch_size % (count := place().size):
        raise LimnerError(
            f"a batch of {batch_size} samples must be shared evenly by {count} processes: change --batch-size"
        )


@contextmanager
def joined(device: str) -> Iterator[str]:
    """Be one of the processes that torchrun has started, where it has; gives the device that this one computes on.

    Raises:
        LimnerError: If another process ends before this one does.
    """
    if started_as().size == 1 or dist.is_initialized():
        yield device
        return
    kind = device.partition(":")[0]
    own = f"cuda:{os.environ.get('LOCAL_RANK', '0')}" if kind == "cuda" else device
    if kind == "cuda":
        torch.cuda.set_device(own)
    try:
        _join("nccl" if kind == "cuda" else "gloo")
        yield own
        dist.barrier()  # or the first to end takes the others' connections with it
    except RuntimeError as error:
        if "onnect" not in str(error):
            raise
        raise LimnerError("another process of this training has ended: its own message says why") from None
    finally:
        if dist.is_initialized():
            dist.destroy_process_group()


def _join(backend: str) -> None:
    """By keys of this start: torchrun keeps one store for all of them, where the addresses of the dead still stand."""
    store, number, size = next(dist.rendezvous("env://", timeout=_PATIENCE))  # type: ignore[attr-defined]
    store = dist.PrefixStore(f"start {_starts_before()}", store)  # type: ignore[attr-defined]
    dist.init_process_group(backend, store=store, rank=number, world_size=size, timeout=_PATIENCE)


def _starts_before() -> int:
    return int(os.environ.get("TORCHELASTIC_RESTART_COUNT", "0"))


@contextmanager
def apart() -> Iterator[None]:
    """Compute something by oneself, which the others do not take part in."""
    _apart[0] = True
    try:
        yield
    finally:
        _apart[0] = False


def wait_for_all() -> None:
    """Go on when all processes have come here."""
    if place().size > 1:
        dist.barrier()


class _Sum(torch.autograd.Function):
    """Over processes; so is its gradient, for what each makes of it counts for all."""

    @staticmethod
    def forward(context: Any, tensor: Tensor) -> Tensor:
        summed = tensor.clone(memory_format=torch.contiguous_format)
        dist.all_reduce(summed)
        return summed

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> Tensor:
        return cast(Tensor, _Sum.apply(gradients[0]))  # type: ignore[no-untyped-call]


def total(tensor: Tensor) -> Tensor:
    """The sum over processes, with gradients."""
    return cast(Tensor, _Sum.apply(tensor)) if place().size > 1 else tensor  # type: ignore[no-untyped-call]


def gathered(tensor: Tensor) -> Tensor:
    """(n, ...) of each process -> (count n, ...) of all, in order, with gradients."""
    number, count = place()
    if count == 1:
        return tensor
    parts = [tensor if one == number else torch.zeros_like(tensor) for one in range(count)]
    return total(torch.cat(parts))


def own_part(tensor: Tensor) -> Tensor:
    """(count n, ...) of all processes -> this one's (n, ...)."""
    number, count = place()
    return tensor.chunk(count)[number]


def average(tensors: Sequence[Tensor]) -> None:
    """Put the mean over processes into each tensor."""
    count = place().size
    if count == 1 or not tensors:
        return
    for dtype in dict.fromkeys(one.dtype for one in tensors):
        alike = [one for one in tensors if one.dtype == dtype]
        flat = torch.cat([one.detach().reshape(-1) for one in alike])
        dist.all_reduce(flat)
        flat /= count
        for one, part in zip(alike, flat.split([one.numel() for one in alike]), strict=True):
            one.detach().copy_(part.view(one.shape))


def largest(*values: float) -> list[float]:
    """Of each value the largest that a process has, so that all decide alike."""
    if place().size == 1:
        return list(values)
    held = torch.tensor(values, dtype=torch.float64, device=_device())
    dist.all_reduce(held, dist.ReduceOp.MAX)
    return held.tolist()


def told_by_first(answer: bool) -> bool:
    """What the first process answers, whatever the others would."""
    held = torch.tensor(float(answer), device=_device())
    dist.broadcast(held, 0)
    return bool(held)


def share_random_state() -> None:
    """Let all processes draw what the first one would draw next."""
    if place().size == 1:
        return
    state = torch.get_rng_state().to(_device())
    dist.broadcast(state, 0)
    torch.set_rng_state(state.cpu())


def _device() -> torch.device:
    return torch.device("cuda", torch.cuda.current_device()) if dist.get_backend() == "nccl" else torch.device("cpu")


def as_one_batch(number: int) -> AbstractContextManager[Any]:
    """What is computed here of `number` samples is computed as a part of the batch of all processes."""
    own = place()
    return nullcontext() if own.size == 1 else _AsOneBatch(number, own)


class _AsOneBatch(TorchFunctionMode):
    """Draws for the samples of all processes and keeps its own; norms a batch by the statistics of all."""

    def __init__(self, number: int, own: Place) -> None:
        super().__init__()
        self._number, self._own = number, own
        self._handlers: Mapping[Any, Callable[..., Tensor]] = {
            torch.rand: self._drawn_of_sizes,
            torch.randn: self._drawn_of_sizes,
            torch.randint: self._whole_numbers,
            torch.rand_like: self._drawn_like,
            torch.randn_like: self._drawn_like,
            F.dropout: self._dropped,
            F.batch_norm: self._normed,
        }

    def __torch_function__(
        self, function: Any, types: Any, arguments: Sequence[Any] = (), options: Mapping[str, Any] | None = None
    ) -> Any:
        handler = self._handlers.get(function)
        if handler is None:
            return function(*arguments, **(options or {}))
        return handler(function, *arguments, **(options or {}))

    def _is_of_batch(self, sizes: Sequence[int]) -> bool:
        return bool(sizes) and sizes[0] == self._number

    def _whole(self, sizes: Sequence[int]) -> tuple[int, ...]:
        return (sizes[0] * self._own.size, *sizes[1:])

    def _part(self, drawn: Tensor) -> Tensor:
        return drawn.chunk(self._own.size)[self._own.number]

    def _drawn_of_sizes(self, function: Any, *sizes: Any, **options: Any) -> Tensor:
        found = options.pop("size", sizes[0] if sizes and not isinstance(sizes[0], int) else sizes)
        if options.get("generator") is not None or not self._is_of_batch(found):
            return cast(Tensor, function(found, **options))
        return self._part(function(self._whole(found), **options))

    def _whole_numbers(self, function: Any, *bounds: Any, **options: Any) -> Tensor:
        sizes = options.pop("size", None)
        if sizes is None:
            *bounds, sizes = bounds  # type: ignore[assignment]
        if options.get("generator") is not None or not self._is_of_batch(sizes):
            return cast(Tensor, function(*bounds, size=tuple(sizes), **options))
        return self._part(function(*bounds, size=self._whole(sizes), **options))

    def _drawn_like(self, function: Any, like: Tensor, **options: Any) -> Tensor:
        if not self._is_of_batch(like.shape):
            return cast(Tensor, function(like, **options))
        return self._part(function(_empty(self._whole(like.shape), like), **options))

    def _dropped(
        self, function: Any, x: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
    ) -> Tensor:
        if not training or not p or x.shape[0] % self._number:
            return cast(Tensor, function(x, p, training, inplace))
        ones = torch.ones_like(_empty(self._whole(x.shape), x))
        kept = function(ones, p, True).unflatten(0, (-1, self._own.size, self._number))
        return x * kept[:, self._own.number].flatten(0, 1)

    def _normed(
        self, function: Any, x: Tensor, running_mean: Tensor | None, running_var: Tensor | None,
        weight: Tensor | None = None, bias: Tensor | None = None, training: bool = False, momentum: float = 0.1,
        eps: float = 1e-5,
    ) -> Tensor:  # fmt: skip
        if not training:
            return cast(Tensor, function(x, running_mean, running_var, weight, bias, training, momentum, eps))
        over = [axis for axis in range(x.dim()) if axis != 1]
        number = self._own.size * x.numel() // x.shape[1]
        centred = x.to(torch.promote_types(x.dtype, torch.float32))
        mean = total(centred.sum(over)) / number
        shape = (1, -1, *[1] * (x.dim() - 2))
        centred = centred - mean.view(shape)
        variance = total(centred.square().sum(over)) / number
        with torch.no_grad():
            for running, now in ((running_mean, mean), (running_var, variance * number / max(1, number - 1))):
                if running is not None:
                    running.lerp_(now.to(running.dtype), momentum)
        scale = torch.rsqrt(variance + eps) * (1 if weight is None else weight)
        made = centred * scale.view(shape)
        return (made if bias is None else made + bias.view(shape)).to(x.dtype)


def _empty(sizes: Sequence[int], like: Tensor) -> Tensor:
    """Of other sizes, in the memory layout of a tensor, which random numbers are filled in by."""
    channels_last = (
        like.dim() == 4 and not like.is_contiguous() and like.is_contiguous(memory_format=torch.channels_last)
    )
    layout = torch.channels_last if channels_last else torch.contiguous_format
    return torch.empty(tuple(sizes), dtype=like.dtype, device=like.device, memory_format=layout)
