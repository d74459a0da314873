"""Networks of Lua Torch: their modules are run here as Torch describes them, and give what the imported ones do."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from tests.foreign import SAME, difference
from tests.lua_files import Module, graph, lua_file, sequential
from torch import Tensor, nn

from limner.catalog.models import load
from limner.errors import LimnerError
from limner.tasks.translate import one_way
from limner.verbs.import_model import Imported, import_model

MEAN = torch.tensor([103.939, 116.779, 123.68])[:, None, None]  # of blue, green and red
PADS = {"Circular": "circular", "Replication": "replicate", "Reflection": "reflect"}
B = 2  # channels of the first layer


def conv(before: int, after: int, kernel: int, stride: int = 1, pad: int = 0) -> Module:
    weight = torch.randn(after, before, kernel, kernel) / (before * kernel**2) ** 0.5
    fields = {"kW": kernel, "kH": kernel, "dW": stride, "dH": stride, "padW": pad, "padH": pad}
    own = {"weight": weight.double(), "bias": 0.3 * torch.randn(after).double(), "nInputPlane": before}
    return "cudnn.SpatialConvolution", fields | own


def full(before: int, after: int, kernel: int, adj: int = 0) -> Module:
    weight = torch.randn(before, after, kernel, kernel) / (2 * before) ** 0.5
    fields = {"weight": weight, "bias": 0.3 * torch.randn(after), "padW": 1, "dW": 2, "adjW": adj}
    return "nn.SpatialFullConvolution", fields


def norm(channels: int, kind: str = "InstanceNormalization") -> Module:
    fields = {"weight": 1 + 0.3 * torch.randn(channels), "bias": 0.3 * torch.randn(channels), "eps": 1e-5}
    seen = {"running_mean": 0.3 * torch.randn(channels), "running_var": 0.5 + torch.rand(channels)}
    return f"nn.{kind}", fields | seen


def pad(kind: str, by: int = 1) -> Module:
    return f"nn.Spatial{kind}Padding", dict.fromkeys(("pad_l", "pad_r", "pad_t", "pad_b"), by)


def relu(slope: float = 0.0) -> Module:
    return ("nn.LeakyReLU", {"negval": slope, "inplace": True}) if slope else ("nn.ReLU", {"inplace": True})


def run(module: Module, x: Any, drawn: Iterator[Tensor], *, evaluate: bool = False) -> Any:
    """What a module makes of what it is given; noise and masks of dropout are the next that were drawn."""
    name, fields = module
    kind = name.rpartition(".")[2].removeprefix("Spatial")
    inner = list(fields.get("modules", {}).values())
    if kind == "Sequential":
        for one in inner:
            x = run(one, x, drawn, evaluate=evaluate)
        return x
    if kind in ("Concat", "ConcatTable"):
        made = [run(one, x, drawn, evaluate=evaluate) for one in inner]
        return torch.cat(made, 1) if kind == "Concat" else made
    if kind.endswith("Normalization"):
        variance, mean = torch.var_mean(x, (0, 2, 3), correction=0)
        if evaluate and kind == "BatchNormalization":
            mean, variance = fields["running_mean"], fields["running_var"]
        weight, bias = fields["weight"][:, None, None], fields["bias"][:, None, None]
        return (x - mean[:, None, None]) / (variance[:, None, None] + 1e-5).sqrt() * weight + bias
    if kind.endswith("Padding"):
        return F.pad(x, (fields["pad_l"],) * 4, mode=PADS[kind.removesuffix("Padding")])
    if kind == "Convolution":
        return F.conv2d(x, fields["weight"].float(), fields["bias"].float(), fields["dW"], fields["padW"])
    if kind == "FullConvolution":
        return F.conv_transpose2d(x, fields["weight"], fields["bias"], 2, fields["padW"], fields["adjW"])
    if kind == "NoiseFill":
        return torch.cat([x[:, : x.shape[1] - fields["num_noise_channels"]], next(drawn)], 1)
    simple: dict[str, Callable[[Any], Any]] = {
        "ReLU": F.relu,
        "Tanh": torch.tanh,
        "Identity": lambda one: one,
        "TVLoss": lambda one: one,
        "CAddTable": sum,
        "JoinTable": lambda pair: torch.cat(pair, 1),
        "LeakyReLU": lambda one: F.leaky_relu(one, fields["negval"]),
        "AveragePooling": lambda one: F.avg_pool2d(one, fields["kW"]),
        "UpSamplingNearest": lambda one: one.repeat_interleave(2, 2).repeat_interleave(2, 3),
        "Dropout": lambda one: one * next(drawn),
    }
    return simple[kind](x)


def made_of(folder: Path, *networks: Any, settings: tuple[str, ...] = ()) -> tuple[Imported, nn.Module]:
    files = []
    for number, one in enumerate(networks):
        files.append(folder / f"foreign{number}.t7")
        files[-1].write_bytes(lua_file(one))
    made = import_model(*files, output=folder / "ours.safetensors", settings=settings, overwrite=True)
    return made, load(made.path)[0]


def pyramid(
    entering: int, noise: int, border: str, norms: str, slope: float, kernels: tuple[int, ...] = (3, 3, 1)
) -> Module:
    """Of three scales, 4 channels each."""

    def block(before: int, after: int) -> list[Module]:
        parts: list[Module] = []
        for number, kernel in enumerate(kernels):
            inner = conv(after if number else before, after, kernel, pad=kernel // 2 if border == "zeros" else 0)
            around = border != "zeros" and kernel > 1
            parts += [sequential(pad(border), inner) if around else inner, norm(after, norms), relu(slope)]
        return parts

    up: Module = ("nn.SpatialUpSamplingNearest", {"scale_factor": 2})
    whole = None
    for number, ratio in enumerate((4, 2, 1), start=1):
        filled: list[Module] = [("nn.NoiseFill", {"num_noise_channels": noise})] if noise else []
        parts = [("nn.SpatialAveragePooling", {"kW": ratio}), *filled, *block(entering, 4)]
        if whole is None:
            whole = [*parts, up]
            continue
        coarse = sequential(*whole, norm(4 * (number - 1), norms))
        both = sequential(coarse, sequential(*parts, norm(4, norms)), kind="Concat")
        whole = [both, *block(4 * number, 4 * number), conv(4 * number, 3, 1) if ratio == 1 else up]
    assert whole
    return sequential(*whole, ("nn.TVLoss", {"strength": 0}))


def of_caffe(x: Tensor) -> Tensor:
    return (x + MEAN).flip(1) / 255


BATCH = "SpatialBatchNormalization"


@pytest.mark.parametrize(
    ("photo", "noise", "border", "norms", "slope", "kernels", "settings"),
    [
        (0, 3, "Circular", BATCH, 0.01, (3, 3, 1), ()),
        (0, 5, "zeros", BATCH, 0.01, (3, 3, 1), ("norm=batch",)),
        (3, 3, "Circular", BATCH, 0.01, (3, 3), ()),
        (3, 0, "Replication", "InstanceNormalization", 0.0, (3, 3, 1), ()),
    ],
)
def test_a_pyramid_of_texture_nets(
    tmp_path: Path,
    photo: int,
    noise: int,
    border: str,
    norms: str,
    slope: float,
    kernels: tuple[int, ...],
    settings: tuple[str, ...],
) -> None:
    theirs = pyramid(photo + noise, noise, border, norms, slope, kernels)
    made, ours = made_of(tmp_path, theirs, settings=settings)
    assert made.format == "texture-nets"
    image = torch.rand(1, 3, 16, 24)
    drawn = [torch.rand(1, max(noise, 1), 16 >> scale, 24 >> scale) for scale in range(3)]
    given = torch.cat([image[:, :photo], torch.zeros(1, noise, 16, 24)], 1)
    expected = of_caffe(run(theirs, given, iter(reversed(drawn)), evaluate=bool(settings)))
    with torch.no_grad():
        assert difference(ours(*[image] * bool(photo), *drawn), expected) < SAME


def test_a_pyramid_whose_norms_are_smaller_than_what_they_norm_is_refused(tmp_path: Path) -> None:
    """As those of the first published textures are, whose programs read on beyond them."""
    network = pyramid(3, 3, "Circular", BATCH, 0.01)
    coarse = network[1]["modules"][1][1]["modules"][1][1]["modules"]
    coarse[len(coarse)] = norm(4, BATCH)
    with pytest.raises(LimnerError, match=r"but \d+\.weight must be 8, got 4"):
        made_of(tmp_path, network)


@pytest.mark.parametrize("norms", [BATCH, "InstanceNormalization"])
@pytest.mark.parametrize("border", ["Replication", "Reflection"])
def test_johnson_of_texture_nets(tmp_path: Path, norms: str, border: str) -> None:
    def layer(before: int, after: int, kernel: int, stride: int = 1) -> list[Module]:
        return [pad(border, kernel // 2), conv(before, after, kernel, stride), norm(after, norms)]

    def block() -> Module:
        inner = sequential(*layer(8, 8, 3), relu(), *layer(8, 8, 3))
        return sequential(sequential(("nn.Identity", {}), inner, kind="ConcatTable"), ("nn.CAddTable", {}))

    parts = [*layer(3, 4, 9), relu(), *layer(4, 6, 3, 2), relu(), *layer(6, 8, 3, 2), relu(), block(), block()]
    parts += [full(8, 6, 3, 1), norm(6, norms), relu(), full(6, 4, 3, 1), norm(4, norms), relu()]
    theirs = sequential(*parts, pad(border), conv(4, 3, 3), ("nn.TVLoss", {"strength": 0}))
    made, ours = made_of(tmp_path, theirs)
    assert made.format == "johnson-texture-nets"
    image = torch.rand(1, 3, 24, 20)
    expected = of_caffe(run(theirs, image, iter(()), evaluate=True))
    with torch.no_grad():
        assert difference(ours(image), expected) < SAME


def resnet(norms: str, channels: int = 3, border: str = "Reflection") -> list[Module]:
    def block() -> Module:
        half = [pad(border), conv(4 * B, 4 * B, 3), norm(4 * B, norms)]
        again = [pad(border), conv(4 * B, 4 * B, 3), norm(4 * B, norms)]
        inner = sequential(*half, relu(), *again)
        return sequential(sequential(inner, ("nn.Identity", {}), kind="ConcatTable"), ("nn.CAddTable", {}))

    return [
        ("nn.Identity", {}), pad(border, 3), conv(channels, B, 7), norm(B, norms), relu(),
        conv(B, 2 * B, 3, 2, 1), norm(2 * B, norms), relu(), conv(2 * B, 4 * B, 3, 2, 1), norm(4 * B, norms), relu(),
        *(block() for _ in range(9)),
        full(4 * B, 2 * B, 3, 1), norm(2 * B, norms), relu(), full(2 * B, B, 3, 1), norm(B, norms), relu(),
        pad(border, 3), conv(B, channels, 7), ("nn.Tanh", {}),
    ]  # fmt: skip


def chained(modules: list[Module]) -> Any:
    return graph([(one, [place - 1] if place else []) for place, one in enumerate(modules)])


def of_blue_first(made: Tensor) -> Tensor:
    return (made.flip(1) + 1) / 2


@pytest.mark.parametrize("norms", [BATCH, "InstanceNormalization"])
def test_cyclegan_of_lua(tmp_path: Path, norms: str) -> None:
    there, back, image = resnet(norms), resnet(norms), torch.rand(1, 3, 16, 24)
    made, ours = made_of(tmp_path, chained(there), chained(back))
    assert made.format == "cyclegan-lua"
    _, alone = made_of(tmp_path, chained(there))
    for modules, found in ((there, one_way(ours, "AB", "it")), (back, one_way(ours, "BA", "it")), (there, alone)):
        expected = of_blue_first(run(sequential(*modules), 2 * image.flip(1) - 1, iter(())))
        with torch.no_grad():
            assert difference(found(image), expected) < SAME


def test_a_cyclegan_of_lua_by_what_its_batches_were(tmp_path: Path) -> None:
    modules, image = resnet(BATCH), torch.rand(1, 3, 16, 16)
    _, ours = made_of(tmp_path, chained(modules), settings=("norm=batch",))
    expected = of_blue_first(run(sequential(*modules), 2 * image.flip(1) - 1, iter(()), evaluate=True))
    with torch.no_grad():
        assert difference(ours(image), expected) < SAME


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"channels": 1}, "makes 1 channels of 1, and Limner reads those of 3 and 3"),
     ({"border": "Replication"}, "must reflect pixels at borders, got replicate and zeros")],
)  # fmt: skip
def test_other_generators_are_refused(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(LimnerError, match=message):
        made_of(tmp_path, chained(resnet(BATCH, **changes)))


def unet(depth: int, norms: str, *, skips: bool) -> list[tuple[Module, list[int]]]:
    """Modules, each with those whose results it takes."""
    nodes: list[tuple[Module, list[int]]] = []

    def add(module: Module, *given: int) -> int:
        nodes.append((module, list(given) or [len(nodes) - 1] * bool(nodes)))
        return len(nodes) - 1

    widths, maps = [B * min(2**level, 8) for level in range(depth)], []
    for level, (before, after) in enumerate(zip([3, *widths], widths, strict=False)):
        if level:
            add(relu(0.2))
        maps.append(add(conv(before, after, 4, 2, 1)))
        if 0 < level < depth - 1:
            maps[-1] = add(norm(after, norms))
    for number, after in enumerate([*reversed(widths[:-1]), 3]):
        add(relu())
        above = add(full(widths[-1 - number] * (2 if number and skips else 1), after, 4))
        if number == depth - 1:
            break
        above = add(norm(after, norms))
        if number < 3:
            above = add(("nn.Dropout", {"p": 0.5}))
        if skips:
            add(("nn.JoinTable", {"dimension": 2}), above, maps[-2 - number])
    add(("nn.Tanh", {}))
    return nodes


def run_graph(nodes: list[tuple[Module, list[int]]], x: Tensor, drawn: Iterator[Tensor], *, evaluate: bool) -> Tensor:
    found: list[Any] = []
    for module, given in nodes:
        seen = [found[place] for place in given] if given else [x]
        found.append(run(module, seen if module[0] == "nn.JoinTable" else seen[0], drawn, evaluate=evaluate))
    made: Tensor = found[-1]
    return made


@pytest.mark.parametrize(
    ("depth", "norms", "skips", "settings"),
    [
        (7, BATCH, True, ()),
        (8, BATCH, True, ()),
        (8, BATCH, False, ()),
        (8, "InstanceNormalization", True, ()),
        (7, BATCH, True, ("norm=seen", "dropout=0")),
    ],
)
def test_pix2pix_of_lua(tmp_path: Path, depth: int, norms: str, skips: bool, settings: tuple[str, ...]) -> None:
    nodes, side = unet(depth, norms, skips=skips), 2**depth
    made, ours = made_of(tmp_path, graph(nodes), settings=settings)
    assert made.format == "pix2pix-lua"
    image, *noise = (torch.rand(port.shape(1, side, side)) for port in ours.inputs)  # type: ignore[union-attr]
    masks = [torch.ones(1) if settings else 2.0 * (one >= 0.5) for one in noise]
    assert len(noise) == 3
    expected = of_blue_first(run_graph(nodes, 2 * image.flip(1) - 1, iter(masks), evaluate=bool(settings)))
    with torch.no_grad():
        assert difference(ours(image, *noise), expected) < SAME
