"""Named activations of VGG-16, from the weights that come with Limner, or of VGG-16 and VGG-19 from those of others.

Simonyan and Zisserman, "Very deep convolutional networks for large-scale image recognition", ICLR 2015,
arXiv:1409.1556, table 1, columns D and E.
"""

import math
import re
import warnings
from collections.abc import Iterable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias, cast, get_args

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

from limner.errors import LimnerError, did_you_mean
from limner.features.least_side import check_sides
from limner.files.weights import load_weights, read_header
from limner.layers.winograd import frozen_layout
from limner.processor import dtype_on
from limner.types import Image, Precision

Pooling: TypeAlias = Literal["max", "average"]
Scaling: TypeAlias = Literal["caffe", "torchvision"]
"""What the first convolution takes: 255 x - mean, or (x - mean) / deviation, of x in [0, 1]."""

EMBEDDED = Path(__file__).parent / "vgg16.safetensors"
"""conv1_1 to conv5_1."""

MEAN_RESPONSES = Path(__file__).parent / "vgg16_mean_responses.safetensors"
"""Of the rectified filters of the embedded network to photos, for either pooling."""

_BLOCKS = {16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}  # convolutions of each block, by the depth of the network
_WIDTHS = (3, 64, 128, 256, 512, 512)
_MEAN_AND_DEVIATION: dict[Scaling, tuple[tuple[float, ...], tuple[float, ...]]] = {
    "caffe": (tuple(value / 255 for value in (123.68, 116.779, 103.939)), (1 / 255,) * 3),
    "torchvision": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
}
_KEY = re.compile(r"(?:features\.)?(\d+)\.(weight|bias)")


class Convolution(NamedTuple):
    """One of the network's convolutions.

    Attributes:
        name: Such as `4_2`: the second one of the fourth block.
        place: Where it stands among the layers, as torchvision numbers them.
        in_channels: Of its input.
        out_channels: Of its result.
    """

    name: str
    place: int
    in_channels: int
    out_channels: int


class Weights(NamedTuple):
    """What a file of weights holds: convolutions with their weight and bias, and what the first one takes."""

    convolutions: list[tuple[Convolution, Tensor, Tensor]]
    scaling: Scaling


class VGG(nn.Module):
    """The activations of a trained VGG that are asked for by name; nothing after the deepest is computed.

    Its weights are fixed: gradients go through it into the picture alone.

    Args of the constructor:
        layers: Such as `relu4_1`, `conv4_2` (before the ReLU) or `pool3`.
        pooling: `max` is the network as it was trained; Gatys et al. find that `average` gives smoother pictures
            (arXiv:1505.07376, section 2).
        weights: A file of others: torchvision's VGG-16 or VGG-19 as .pth or .safetensors, found out by its shapes. None
            takes the embedded ones, VGG-16 up to conv5_1.
        scaling: What the first convolution of `weights` takes. None takes what the file says, else `torchvision`.
        precision: `fast` computes in bfloat16 where that pays, and gives activations of that type.
        device: Where it is.

    Raises:
        LimnerError: If there is no such layer, or the file is damaged, of another network, or ends before a layer.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(
        self,
        layers: Iterable[str],
        *,
        pooling: Pooling = "max",
        weights: Path | None = None,
        scaling: Scaling | None = None,
        precision: Precision = "exact",
        device: torch.device | str = "cpu",
    ) -> None:
        super().__init__()
        path = EMBEDDED if weights is None else weights
        read = read_weights(path, scaling)
        place = torch.device(device)
        self.dtype = dtype_on(place, precision)
        self.layout = frozen_layout(place, self.dtype)
        self.layers, self.pooling = tuple(dict.fromkeys(layers)), pooling
        known = layer_names([convolution for convolution, _, _ in read.convolutions])
        for layer in self.layers:
            if layer not in known:
                raise LimnerError(
                    f"layers of {path.name} are {known[0]} to {known[-1]}, got {layer!r}: {did_you_mean(layer, known)}"
                )
        self.steps = known[: 1 + max((known.index(layer) for layer in self.layers), default=-1)]
        for convolution, weight, bias in read.convolutions:
            if f"conv{convolution.name}" in self.steps:
                kernel = weight.to(self.dtype).contiguous(memory_format=self.layout)
                self.register_buffer(f"weight{convolution.name}", kernel, persistent=False)
                self.register_buffer(f"bias{convolution.name}", bias.to(self.dtype), persistent=False)
        mean, deviation = (torch.tensor(values)[:, None, None] for values in _MEAN_AND_DEVIATION[read.scaling])
        self.register_buffer("mean", mean, persistent=False)
        self.register_buffer("deviation", deviation, persistent=False)
        self.to(place)

    @property
    def least_side(self) -> int:
        """Pixels that a side must have so that the deepest layer is not empty."""
        return self.stride(self.steps[-1])

    def stride(self, layer: str) -> int:
        """Pixels of the picture between two places of a layer."""
        return int(2 ** sum(step.startswith("pool") for step in self.steps[: self.steps.index(layer) + 1]))

    @property
    def reach(self) -> int:
        """Pixels beyond its own that a place of the deepest layer sees at most, on any side."""
        reach, stride = 0, 1
        for step in self.steps:
            if step.startswith("pool"):
                reach, stride = reach + stride, 2 * stride
            elif step.startswith("conv"):
                reach += stride
        return reach

    @property
    def bytes_per_pixel(self) -> int:
        """Of a picture, that its activations take until they have their gradient, measured within a tenth."""
        numbers, widest, width, area = 0.0, 0.0, 3, 1.0
        for step in self.steps:
            width = len(getattr(self, f"bias{step[4:]}")) if step.startswith("conv") else width
            area = area / 4 if step.startswith("pool") else area
            keeps = step.startswith(("conv", "pool")) or f"conv{step[4:]}" in self.layers
            numbers, widest = numbers + keeps * width * area, max(widest, width * area)
        return math.ceil(numbers * self.dtype.itemsize + 2 * 4 * widest)  # a layer at work has two maps in float32

    def forward(self, image: Image) -> dict[str, Tensor]:
        """RGB (n, 3, h, w) in [0, 1] -> the activations by name, each (n, c, h', w').

        Raises:
            LimnerError: If the picture is too small for the deepest layer.
        """
        check_sides(image, self.least_side, self.layers[-1])
        x, found = self._normalized(image), {}
        for step in self.steps:
            x = self._step(step, x)
            if step in self.layers:
                found[step] = x
        return {layer: found[layer] for layer in self.layers}

    @torch.no_grad()
    def mean_responses(self, images: Iterable[Tensor]) -> dict[str, Tensor]:
        """Of each rectified filter, over all places of all pictures, by the name of its convolution.

        Args:
            images: RGB (n, 3, h, w) in [0, 1], of any sizes.
        """
        maps, found = [self._normalized(image) for image in images], {}
        for step in self.steps:
            maps = [self._step(step, x) for x in maps]
            if step.startswith("conv"):
                found[step[4:]] = torch.stack([x.float().relu().mean((0, 2, 3)) for x in maps]).mean(0)
        return found

    @torch.no_grad()
    def normalize(self, responses: Mapping[str, Tensor]) -> None:
        """Scale each filter so that its rectified response has a mean of 1, where it had these means.

        Gatys, Ecker and Bethge, CVPR 2016, section 2; it changes no network of convolutions, ReLUs and poolings beyond
        the scale of its responses. A filter that hardly responds is taken as one of a hundredth of the mean response.

        Args:
            responses: As `mean_responses` gives them; `MEAN_RESPONSES` holds those of the embedded network to photos.
        """
        before: Tensor | None = None
        for step in self.steps:
            if step.startswith("conv"):
                kernel, bias = getattr(self, f"weight{step[4:]}"), getattr(self, f"bias{step[4:]}")
                means = responses[step[4:]].to(kernel)
                means = means.clamp(min=max(0.01 * means.mean().item(), 1e-6))
                kernel *= (1 if before is None else before[:, None, None]) / means[:, None, None, None]
                bias /= means
                before = means

    def _normalized(self, image: Image) -> Tensor:
        """What the first convolution takes."""
        return ((image - self.mean) / self.deviation).to(self.dtype).contiguous(memory_format=self.layout)

    def _step(self, step: str, x: Tensor) -> Tensor:
        kind, name = step[:4], step[4:]
        if kind == "conv":
            return F.conv2d(x, getattr(self, f"weight{name}"), getattr(self, f"bias{name}"), padding=1)
        if kind == "relu":
            return F.relu(x, inplace=f"conv{name}" not in self.layers)
        return F.max_pool2d(x, 2) if self.pooling == "max" else F.avg_pool2d(x, 2)


def mean_responses(pooling: Pooling) -> dict[str, Tensor]:
    """Of the embedded network with that pooling to photos, as `VGG.normalize` takes them."""
    found = load_file(MEAN_RESPONSES)
    return {key.removeprefix(f"{pooling}."): means for key, means in found.items() if key.startswith(f"{pooling}.")}


def convolutions(depth: int) -> list[Convolution]:
    """Those of VGG-16 or VGG-19, in order."""
    found, index, before = [], 0, 3
    for block, (count, width) in enumerate(zip(_BLOCKS[depth], _WIDTHS[1:], strict=True), start=1):
        for number in range(1, count + 1):
            found.append(Convolution(f"{block}_{number}", index, before, width))
            index, before = index + 2, width  # a ReLU stands between
        index += 1  # and a pooling after the block
    return found


def layer_names(ones: list[Convolution]) -> list[str]:
    """The names of all layers of a network that has these convolutions, in order."""
    names = []
    for one, after in pairwise([*ones, None]):
        assert one is not None
        names += [f"conv{one.name}", f"relu{one.name}"]
        if after and after.name[0] != one.name[0]:
            names.append(f"pool{one.name[0]}")
    return names


def read_weights(path: Path, scaling: Scaling | None = None) -> Weights:
    """The convolutions of a file of weights, as float32.

    Args:
        path: .safetensors, or a .pth of tensors alone, whose keys are those of torchvision.
        scaling: As for `VGG`.

    Raises:
        LimnerError: If the file is missing or damaged, or holds another network.
    """
    if not path.is_file():
        raise LimnerError(f"{path}: there is no such file of weights: check the name")
    tensors, stored = _read_ours(path) if _is_ours(path) else (_read_others(path), None)
    layers = {(int(match[1]), match[2]): tensor for key, tensor in tensors.items() if (match := _KEY.fullmatch(key))}
    ones = _recognized(path, layers)
    for place, tensor in layers.items():
        if not tensor.is_floating_point():
            kind = str(tensor.dtype).removeprefix("torch.")
            raise LimnerError(
                f"{path}: weights must be real numbers, got {kind} in {'.'.join(map(str, place))}: get it once more"
            )
    found = [(one, layers[one.place, "weight"].float(), layers[one.place, "bias"].float()) for one in ones]
    if not all(bool(tensor.isfinite().all()) for _, *pair in found for tensor in pair):
        raise LimnerError(f"{path} is damaged, for some weights are no numbers: get it once more")
    return Weights(found, scaling or stored or "torchvision")


def _recognized(path: Path, layers: Mapping[tuple[int, str], Tensor]) -> list[Convolution]:
    """Which convolutions they are; a network may be cut short after any of them."""
    indices = sorted({index for index, _ in layers})
    for depth in _BLOCKS:
        ones = convolutions(depth)[: len(indices)]
        if indices and [one.place for one in ones] == indices and all(_fits(one, layers) for one in ones):
            return ones
    raise LimnerError(f"{path} holds no VGG-16 or VGG-19 as torchvision numbers it: get one without batch norm")


def _fits(one: Convolution, layers: Mapping[tuple[int, str], Tensor]) -> bool:
    weight, bias = layers.get((one.place, "weight")), layers.get((one.place, "bias"))
    if weight is None or bias is None:
        return False
    return weight.shape == (one.out_channels, one.in_channels, 3, 3) and bias.shape == (one.out_channels,)


def _is_ours(path: Path) -> bool:
    try:
        return read_header(path).system == "vgg"
    except LimnerError:
        return False


def _read_ours(path: Path) -> tuple[dict[str, Tensor], Scaling]:
    header, tensors = load_weights(path)
    scaling = header.config.get("scaling")
    if scaling not in get_args(Scaling):
        either = " or ".join(get_args(Scaling))
        raise LimnerError(f"{path} must say how its pictures are scaled, {either}, got {scaling!r}: get it once more")
    return tensors, cast(Scaling, scaling)


def _read_others(path: Path) -> Mapping[str, Tensor]:
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what is wrong with the file is said below
            loaded = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # readers of damaged files may raise anything
        reason = str(error).strip().splitlines()[0][:120] if str(error).strip() else type(error).__name__
        raise LimnerError(f"{path} is no whole file of tensors ({reason}): get it once more") from None
    if not isinstance(loaded, Mapping):
        raise LimnerError(f"{path} must hold named tensors, got {type(loaded).__name__}: save the network's state_dict")
    return {key: value for key, value in loaded.items() if isinstance(value, Tensor)}
