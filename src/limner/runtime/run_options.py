"""How networks are run: where, how exactly, in which parts and in how much memory."""

from dataclasses import dataclass

import torch

from limner.arguments import LEAST_TILE, MOST_THREADS, check_whole, check_word
from limner.processor import precision_on
from limner.runtime.allocator import keep_freed_memory
from limner.runtime.device import choose_device
from limner.runtime.memory import activations_budget
from limner.types import PRECISIONS, Precision

BACKENDS = ("auto", "torch", "onnxruntime", "openvino")


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """What is asked of a run; what optimises a picture has no use for a backend, a tile and work.

    Attributes:
        device: `auto`, `cpu`, `cuda` or `mps`.
        precision: `fast` (bfloat16 where it pays) or `exact` (float32).
        backend: `torch`, `onnxruntime`, `openvino`, or `auto`: the one that was measured to be the fastest here for
            the network, torch where nothing was.
        tile: Largest side of a part of the result, in pixels, at least 16; None takes what fits into the memory. The
            result does not depend on it.
        memory: Bytes that the process may hold in all; None takes half of what is free.
        threads: CPU threads; None leaves that to torch.
        work: Pixels of all results that will be made; with many of them, `auto` measures the backends first.

    Raises:
        LimnerError: If a word is unknown, or a number no such.

    Example:
        >>> import limner
        >>> limner.RunOptions(precision="exact", memory=2 * 10**9).tile is None
        True
    """

    device: str = "auto"
    precision: Precision = "fast"
    backend: str = "auto"
    tile: int | None = None
    memory: int | None = None
    threads: int | None = None
    work: int = 0

    def __post_init__(self) -> None:
        check_word("precision", self.precision, PRECISIONS)
        check_word("backend", self.backend, BACKENDS)
        check_whole("tile", self.tile, LEAST_TILE, "smaller ones take no less memory; None takes what fits")
        check_whole("memory", self.memory, 1, "give bytes, as 2 * 10**9 for 2 GB; None takes half of what is free")
        check_whole("threads", self.threads, 1, "None takes one for each core", most=MOST_THREADS)

    @property
    def chosen_device(self) -> torch.device:
        """The device that is meant.

        Raises:
            LimnerError: If it is not there.
        """
        return choose_device(self.device)

    @property
    def chosen_precision(self) -> Precision:
        """`exact` where `fast` is no faster on the device."""
        return precision_on(self.chosen_device, self.precision)

    def prepare_process(self) -> None:
        """Let this process use `threads` threads, and keep freed memory where memory has no bound."""
        keep_freed_memory(large_blocks=self.memory is None)
        if self.threads is not None:
            torch.set_num_threads(self.threads)

    def activations_budget(self) -> int | None:
        """Bytes for the feature maps of a network that learns; None where no one has to count."""
        return activations_budget(self.chosen_device, self.memory)
