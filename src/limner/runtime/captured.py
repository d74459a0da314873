"""CUDA graphs: a network's kernels recorded once for a size and then started with one call.

Small networks on small pictures wait for Python between kernels; a recorded graph does not.
"""

import math
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor

_SIZES = 4  # that are kept: each holds the memory of its feature maps
_MAX_PIXELS = 512 * 512  # above, the kernels take longer than starting them


class _Recording(NamedTuple):
    graph: torch.cuda.CUDAGraph
    inputs: tuple[Tensor, ...]
    result: Any


class Captured:
    """A function of tensors on a CUDA device, recorded for each of the last few shapes that it was called with.

    Args of the constructor:
        function: Reads its inputs and gives a new tensor, or a tuple of some; what it does may depend on their shapes,
            not on their values.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self._recordings: OrderedDict[tuple[torch.Size, ...], _Recording] = OrderedDict()

    def __call__(self, *inputs: Tensor) -> Any:
        """The function's result; large inputs go to the function itself."""
        if sum(one.shape[0] * math.prod(one.shape[2:]) for one in inputs) > _MAX_PIXELS:
            return self.function(*inputs)
        shapes = tuple(one.shape for one in inputs)
        recording = self._recordings.pop(shapes, None) or self._record(inputs)
        self._recordings[shapes] = recording
        if len(self._recordings) > _SIZES:
            self._recordings.popitem(last=False)
        for kept, given in zip(recording.inputs, inputs, strict=True):
            kept.copy_(given)
        recording.graph.replay()
        result = recording.result
        return result.clone() if isinstance(result, Tensor) else tuple(one.clone() for one in result)

    def _record(self, inputs: tuple[Tensor, ...]) -> _Recording:
        kept = tuple(one.clone() for one in inputs)
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):  # libraries choose their kernels in the first calls, which must not be recorded
            for _ in range(3):
                self.function(*kept)
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            result = self.function(*kept)
        return _Recording(graph, kept, result)
