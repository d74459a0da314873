"""Networks with conditions, several inputs and several outputs: in parts they equal the whole, or say why not."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.runtime.conditional_networks import (
    BroadcastAngle,
    ByClass,
    Generator,
    Mapped,
    Modulated,
    Segmenter,
    Spade,
    TwoHeaded,
    Unpooling,
    ValidUNet,
    WithScore,
)
from torch import Tensor, nn

from limner.errors import LimnerError
from limner.files.weights import Header
from limner.ports import PHOTO, Port
from limner.runtime.export import SUFFIXES, write_export
from limner.runtime.exported import open_exported
from limner.runtime.plan import Grid, Plan
from limner.runtime.probes import random_inputs
from limner.runtime.run_options import RunOptions
from limner.runtime.runner import Runner
from limner.runtime.tiling import Tiled

NETWORKS: dict[str, Callable[[], Any]] = {
    "class": ByClass,
    **{f"angle, {way}": partial(BroadcastAngle, way) for way in
       ("expand", "repeat", "ones", "ones like", "new ones", "interpolate")},
    **{f"spade, {mode}": partial(Spade, mode) for mode in ("nearest", "area", "pool", "bilinear")},
    "spade, scatter": lambda: Spade("nearest-exact", "scatter"),
    "spade, equal": lambda: Spade("nearest", "equal"),
    "two outputs": TwoHeaded,
    "mask and score": WithScore,
    "valid u-net": ValidUNet,
    "unpooling": Unpooling,
    "segmenter": Segmenter,
    "modulated": Modulated,
}  # fmt: skip
GRIDS = st.builds(Grid, st.integers(1, 4), st.integers(1, 4))
KEPT = st.tuples(st.frozensets(st.integers(0, 2)).map(tuple), st.sampled_from(["memory", "disk"]))


def results(made: Tensor | tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    return made if isinstance(made, tuple) else (made,)


def check(network: nn.Module, height: int, width: int, run) -> None:
    """`run` gives what the network itself gives."""
    network = network.eval()
    inputs = random_inputs(network.inputs, (2, height, width), torch.Generator().manual_seed(1))
    with torch.inference_mode():
        expected, made = network(*inputs), run(network, inputs)
    assert isinstance(made, tuple) == isinstance(expected, tuple)
    for one, other in zip(results(made), results(expected), strict=True):
        assert (one.shape, one.dtype) == (other.shape, other.dtype)
        assert (one - other).abs().max() <= 1e-5 * other.abs().max()


@pytest.mark.parametrize("name", NETWORKS)
@settings(max_examples=10)
@given(st.integers(7, 12), st.integers(7, 12), GRIDS, KEPT)
def test_in_parts_equals_whole(name, rows, columns, grid, kept):
    def in_parts(network, inputs):
        return Tiled(network, *(tuple(one.shape) for one in inputs))(*inputs, plan=Plan(grid, *kept))

    torch.manual_seed(0)
    check(NETWORKS[name](), 4 * rows, 4 * columns, in_parts)


@settings(max_examples=10)
@given(st.sampled_from([2, 4]), st.integers(1, 3), st.integers(1, 3), GRIDS)
def test_a_latents_map_and_a_places_number_lie_where_they_belong(side, rows, columns, grid):
    def in_parts(network, inputs):
        return Tiled(network, *(tuple(one.shape) for one in inputs))(*inputs, plan=Plan(grid))

    torch.manual_seed(0)
    check(Mapped(side), 16 * rows, 16 * columns, in_parts)


@pytest.mark.parametrize("name", [*NETWORKS, "generator", "mapped"])
@pytest.mark.parametrize("tile", [None, 16])
@pytest.mark.parametrize("precision", ["exact", "fast"])
def test_a_runner_takes_and_gives_what_the_network_does(name, tile, precision):
    network = {**NETWORKS, "generator": Generator, "mapped": Mapped}[name]()
    if name == "generator" and tile:
        with pytest.raises(LimnerError, match=r"^Generator cannot be run in tiles: .* no picture.*run it whole"):
            check(network, 8, 8, lambda network, inputs: Runner(network, RunOptions(tile=tile))(*inputs))
        return
    if precision == "exact":
        check(
            network, 32, 48, lambda network, inputs: Runner(network, RunOptions(precision="exact", tile=tile))(*inputs)
        )
        return
    inputs = random_inputs(network.inputs, (1, 32, 48))
    Runner(network.eval(), RunOptions(precision="fast", tile=tile))(*inputs)


def test_broadcast_conditions_are_made_for_each_part_alone():
    """Of 2 numbers beside 400 million pixels no plane is ever made."""
    network, side = BroadcastAngle("repeat").double().eval(), 40_000
    tiled = Tiled(network, (1, 3, side, side), (1, 2))
    assert not any(one.is_fixed for one in tiled.traced.operators.values())


class Drawing(nn.Module):
    inputs, outputs = (PHOTO,), (Port("result", "photo"),)

    def __init__(self, way: str) -> None:
        super().__init__()
        self.way, self.body = way, nn.Conv2d(3, 3, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.body(x)
        match self.way:
            case "dropout":
                return F.dropout(x, 0.5, training=True)
            case "dropout by place":
                return F.dropout2d(x, 0.5, True)
            case "randn_like":
                return x + torch.randn_like(x)
            case "rand":
                return x + torch.rand(x.shape[0], 3, x.shape[2], x.shape[3])
            case "constant":
                return x + torch.randn(3, 1, 1)
            case "bernoulli":
                return torch.bernoulli(x.sigmoid())
            case _:
                return x + x.clone().normal_()


WAYS = ["dropout", "dropout by place", "randn_like", "rand", "constant", "bernoulli", "normal_"]


@pytest.mark.parametrize("way", WAYS)
def test_what_draws_noise_by_itself_is_refused(way):
    message = r"^Drawing draws random numbers by itself \([^\n]*\): give it a noise input, so that .*$"
    with pytest.raises(LimnerError, match=message):
        Tiled(Drawing(way), (1, 3, 16, 16))
    with pytest.raises(LimnerError, match=message):
        Runner(Drawing(way))


def test_dropout_that_rests_at_inference_is_no_noise():
    class Resting(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return F.dropout(x, 0.5, training=self.training)

    image = torch.rand(1, 3, 8, 8)
    assert torch.equal(Tiled(Resting(), (1, 3, 8, 8))(image, plan=Plan(Grid(2, 2))), image)


class Strange(nn.Module):
    inputs = (PHOTO,)

    nobody: Callable[[Tensor], Tensor]

    def __init__(self, way: str) -> None:
        super().__init__()
        self.way, self.pool = way, nn.MaxPool2d(3, 2, return_indices=True)

    def forward(self, x: Tensor) -> Tensor | dict[str, Tensor]:
        match self.way:
            case "grid":
                return F.grid_sample(x, torch.zeros(1, 4, 4, 2), align_corners=False)
            case "attention":
                return torch.softmax(x.flatten(2), 2).view_as(x)
            case "key":
                return {"a": x}["b"]
            case "shape":
                return torch.cat([x, x[:, :, 1:]], 1)
            case "attribute":
                return self.nobody(x)
            case "dictionary":
                return {"a": x}
            case "overlap":
                values, places = self.pool(x)
                return F.max_unpool2d(values, places, 3, 2)
            case "transposed":
                return x.transpose(2, 3)
            case "flipped":
                return x.flip(-1)
            case "shrunk":
                return F.interpolate(x, size=(5, 5))
            case "mean":
                return x.mean(3, keepdim=True) + x
            case _:
                return torch.einsum("nchw,ndhw->ncd", x, x)


@pytest.mark.parametrize(
    "way",
    ["grid", "attention", "key", "shape", "attribute", "dictionary", "overlap", "transposed", "flipped", "shrunk",
     "mean", "einsum"],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_in_one_line(way):
    with pytest.raises(LimnerError) as refused:
        Tiled(Strange(way), (1, 3, 16, 16))
    assert ("max unpooling" in str(refused.value)) == (way == "overlap")
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 300


def test_a_network_is_given_as_many_inputs_as_it_says():
    with pytest.raises(LimnerError, match=r"^ByClass is given image and digit, got 1 input: "):
        Tiled(ByClass(), (1, 3, 16, 16))


EXPORTED = ["class", "angle, expand", "spade, nearest", "two outputs", "mask and score", "segmenter", "generator"]


@pytest.mark.parametrize("format", ["torchscript", "openvino", pytest.param("onnx", marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", EXPORTED)
def test_an_exported_file_says_its_ports_and_is_the_network(tmp_path, name, format):
    for library in {"openvino": ["openvino"], "onnx": ["onnx", "onnxscript", "onnxruntime"]}.get(format, []):
        pytest.importorskip(library)
    network = {**NETWORKS, "generator": Generator}[name]().eval()
    written = write_export(network, Header(system="anything", config={}), tmp_path / f"a{SUFFIXES[format][0]}", format)
    opened = open_exported(written.files[0], precision="exact")
    assert (opened.inputs, opened.header.outputs) == (network.inputs, network.outputs)
    check(network, 36, 44, lambda _, inputs: opened.engine(*inputs))


@pytest.mark.parametrize("format", ["torchscript", "onnx", "openvino", "safetensors"])
def test_what_draws_noise_by_itself_is_not_exported(tmp_path, format):
    network = Drawing("dropout")
    path = tmp_path / f"a{SUFFIXES[format][0]}"
    with pytest.raises(LimnerError, match=r"^Drawing draws random numbers by itself"):
        write_export(network, Header(system="anything", config={}), path, format)
    assert not [*tmp_path.iterdir()]


STATISTICS: dict[str, Callable[[Tensor], Tensor]] = {
    "mean, by place": lambda x: x * x.mean((2, 3), True),
    "mean, of torch": lambda x: x * torch.mean(x, [2, 3], True),
    "var, by place": lambda x: x * x.var((2, 3), False, True),
    "std, without the two": lambda x: x * x.std((-2, -1), False)[..., None, None],
    "of groups": lambda x: (y := x.view(x.shape[0], 2, 2, x.shape[2], x.shape[3])).sub(
        y.mean((3, 4), keepdim=True)).view(x.shape),
    "of one channel": lambda x: x * x[:, 0].mean((1, 2)).view(-1, 1, 1, 1),
}  # fmt: skip


class Normed(nn.Module):
    inputs, outputs = (PHOTO,), (Port("result", "photo"),)

    def __init__(self, way: str) -> None:
        super().__init__()
        self.way, self.head, self.tail = way, nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 3, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.tail(STATISTICS[self.way](self.head(x)))


@pytest.mark.parametrize("way", STATISTICS)
def test_statistics_are_exact_however_they_are_asked_for(way):
    def in_parts(network, inputs):
        return Tiled(network, *(tuple(one.shape) for one in inputs))(*inputs, plan=Plan(Grid(3, 2)))

    check(Normed(way), 31, 46, in_parts)


class TrainingInside(nn.Module):
    """Puts a part of itself into training mode, as the authors' code of some translators does."""

    inputs, outputs = (PHOTO,), (Port("result", "photo"),)

    def __init__(self, part: nn.Module) -> None:
        super().__init__()
        self.part, self.body = part, nn.Conv2d(3, 3, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        self.part.train()
        return self.body(self.part(x))


@pytest.mark.parametrize(
    ("part", "message"),
    [
        (nn.Dropout(0.5), r"draws random numbers by itself \(Dropout\)"),
        (nn.Dropout2d(0.5), r"draws random numbers by itself \(Dropout2d\)"),
        (nn.BatchNorm2d(3), r"puts part \(BatchNorm2d\) into training mode"),
        (nn.InstanceNorm2d(3, track_running_stats=True), r"puts part \(InstanceNorm2d\) into training mode"),
    ],
)
def test_modules_that_train_while_the_network_is_run_are_refused(part, message):
    with pytest.raises(LimnerError, match=f"^TrainingInside {message}[^\n]*$"):
        Tiled(TrainingInside(part), (1, 3, 16, 16))


class SizedUNet(nn.Module):
    """Its way up is told how large the map beside it is."""

    inputs, outputs = (PHOTO,), (Port("result", "photo"),)

    def __init__(self) -> None:
        super().__init__()
        self.head, self.down = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 4, 3, 2, 1)
        self.up, self.tail = nn.ConvTranspose2d(4, 4, 3, 2, 1), nn.Conv2d(4, 3, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.head(x)
        wide = F.pad(self.up(F.relu(self.down(x)), output_size=x.size())[:, :3], (0, 0, 0, 0, 0, 1))
        return self.tail(F.relu(wide) + x)


@pytest.mark.parametrize(("rows", "columns"), [(31, 46), (32, 47)])
@pytest.mark.parametrize("tile", [None, 16])
def test_a_transposed_convolution_makes_the_size_that_it_is_told(rows, columns, tile):
    torch.manual_seed(0)
    options = RunOptions(precision="exact", tile=tile)
    check(SizedUNet(), rows, columns, lambda network, inputs: Runner(network, options)(*inputs))
