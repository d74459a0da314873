"""Named activations of SqueezeNet 1.0, up to its scores for the 1000 classes of ImageNet; its weights come with Limner.

Iandola, Han, Moskewicz, Ashraf, Dally and Keutzer, "SqueezeNet: AlexNet-level accuracy with 50x fewer parameters and
< 0.5 MB model size", 2016, arXiv:1602.07360, table 1.
"""

from collections.abc import Iterable
from pathlib import Path

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from limner.errors import LimnerError, did_you_mean
from limner.features.least_side import check_sides
from limner.files.weights import load_weights
from limner.processor import dtype_on, layout_on
from limner.types import Image, Precision

EMBEDDED = Path(__file__).parent / "squeezenet.safetensors"

_PLACES = {  # of the paper's layers among torchvision's keys; a pooling has none
    "relu1": "features.0",
    "pool1": "",
    "fire2": "features.3",
    "fire3": "features.4",
    "fire4": "features.5",
    "pool4": "",
    "fire5": "features.7",
    "fire6": "features.8",
    "fire7": "features.9",
    "fire8": "features.10",
    "pool8": "",
    "fire9": "features.12",
    "conv10": "classifier.1",
}
_MEAN = (123.0, 117.0, 104.0)  # of RGB; the network takes 255 x - mean

LAYERS = tuple(_PLACES)
"""What can be asked for; a fire module is named for its result, after the ReLU, and conv10 stands before it."""


class SqueezeNet(nn.Module):
    """The activations of the trained SqueezeNet that are asked for by name; nothing after the deepest is computed.

    Its weights are fixed: gradients go through it into the picture alone.

    Args of the constructor:
        layers: Some of `LAYERS`.
        precision: `fast` computes in bfloat16 where that pays, and gives activations of that type.
        device: Where it is.

    Raises:
        LimnerError: If there is no such layer.
    """

    mean: Tensor

    def __init__(
        self, layers: Iterable[str], *, precision: Precision = "exact", device: torch.device | str = "cpu"
    ) -> None:
        super().__init__()
        self.layers = tuple(dict.fromkeys(layers))
        for layer in self.layers:
            if layer not in LAYERS:
                raise LimnerError(
                    f"layers of SqueezeNet are {', '.join(LAYERS)}, got {layer!r}: {did_you_mean(layer, LAYERS)}"
                )
        self.steps = LAYERS[: 1 + max((LAYERS.index(layer) for layer in self.layers), default=-1)]
        place = torch.device(device)
        self.dtype, self.layout = dtype_on(place, precision), layout_on(place, "picture")
        _, tensors = load_weights(EMBEDDED)
        for key in (key for step in self.steps for key in _convolutions(step)):
            kernel = tensors[f"{key}.weight"].to(self.dtype).contiguous(memory_format=self.layout)
            self.register_buffer(_buffer(key, "weight"), kernel, persistent=False)
            self.register_buffer(_buffer(key, "bias"), tensors[f"{key}.bias"].to(self.dtype), persistent=False)
        self.register_buffer("mean", torch.tensor(_MEAN)[:, None, None] / 255, persistent=False)
        self.to(place)

    @property
    def least_side(self) -> int:
        """Pixels that a side must have so that the deepest layer is not empty."""
        return int(2 * 2 ** sum(step.startswith("pool") for step in self.steps) + 5)

    def forward(self, image: Image) -> dict[str, Tensor]:
        """RGB (n, 3, h, w) in [0, 1] -> the activations by name, each (n, c, h', w').

        Raises:
            LimnerError: If the picture is too small for the deepest layer.
        """
        check_sides(image, self.least_side, self.steps[-1])
        x = (255 * (image - self.mean)).to(self.dtype).contiguous(memory_format=self.layout)
        found = {}
        for step in self.steps:
            x = self._step(step, x)
            if step in self.layers:
                found[step] = x
        return {layer: found[layer] for layer in self.layers}

    def _step(self, step: str, x: Tensor) -> Tensor:
        if step.startswith("pool"):
            return F.max_pool2d(x, 3, 2, ceil_mode=True)
        if step == "relu1":
            return F.relu(self._convolve(_PLACES[step], x, stride=2))
        if step == "conv10":
            return self._convolve(_PLACES[step], x)
        squeeze, expand1x1, expand3x3 = _convolutions(step)
        x = F.relu(self._convolve(squeeze, x))
        return F.relu(torch.cat([self._convolve(expand1x1, x), self._convolve(expand3x3, x, padding=1)], 1))

    def _convolve(self, key: str, x: Tensor, *, stride: int = 1, padding: int = 0) -> Tensor:
        return F.conv2d(x, getattr(self, _buffer(key, "weight")), getattr(self, _buffer(key, "bias")), stride, padding)


def class_scores(conv10: Float[Tensor, "n 1000 h w"]) -> Float[Tensor, "n 1000"]:
    """What softmax takes: the mean over all places of what passes the last ReLU (avgpool10).

    The authors' network pads conv10 by a place on each side, where it sees nothing but its bias; that shifts the
    scores and is left out, as torchvision leaves it out.
    """
    return F.relu(conv10.float()).mean((2, 3))


def _convolutions(step: str) -> list[str]:
    if step.startswith("fire"):
        return [f"{_PLACES[step]}.{part}" for part in ("squeeze", "expand1x1", "expand3x3")]
    return [_PLACES[step]] if _PLACES[step] else []


def _buffer(key: str, kind: str) -> str:
    return f"{key}_{kind}".replace(".", "_")
