"""The network of lengstrom/fast-style-transfer, written here again by its description, in files of TensorFlow."""

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from tests.foreign import SAME, State, difference, doubled
from tests.tensorflow_files import Written, first_format, second_format
from torch import Tensor

from limner.catalog.models import load
from limner.cli.main import main
from limner.errors import LimnerError
from limner.runtime.run_options import RunOptions
from limner.runtime.runner import Runner
from limner.systems.feedforward.fast_style import FastStyle
from limner.verbs.import_model import import_model

BLOCKS = 2
UPS = (5 + 2 * BLOCKS - 2, 5 + 2 * BLOCKS - 1)
"""The places of the transposed convolutions, by the order in which layers are made."""


def named(tensors: list[Tensor]) -> State:
    """Variables as TensorFlow names them, what Adam remembers of each, and the powers of its betas."""
    state = {f"Variable_{number}" if number else "Variable": one for number, one in enumerate(tensors)}
    slots = {f"{name}/{slot}": torch.rand(one.shape) for name, one in state.items() for slot in ("Adam", "Adam_1")}
    return state | slots | {f"beta{number}_power": torch.tensor(0.5) for number in (1, 2)}


def variables() -> list[Tensor]:
    """A kernel (rows, columns, in, out), a shift and a scale of each layer."""
    layers = [(9, 3, 4), (3, 4, 6), (3, 6, 8), *[(3, 8, 8)] * 2 * BLOCKS, (3, 6, 8), (3, 4, 6), (9, 4, 3)]
    made = list[Tensor]()
    for kernel, before, after in layers:
        channels = before if len(made) // 3 in UPS else after
        weight = 0.1 * torch.randn(kernel, kernel, before, after)
        made += [weight, 0.3 * torch.randn(channels), 1 + 0.3 * torch.randn(channels)]
    return made


def painted(image: Tensor, tensors: list[Tensor]) -> Tensor:
    """The network as src/transform.py describes it, on RGB of 0..255 as evaluate.py shows it pictures."""
    waiting = iter(doubled(dict(enumerate(tensors))).values())  # type: ignore[arg-type]

    def normed(x: Tensor) -> Tensor:
        shift, scale = (next(waiting)[:, None, None] for _ in range(2))
        mean, variance = x.mean((2, 3), keepdim=True), x.var((2, 3), correction=0, keepdim=True)
        return scale * (x - mean) / (variance + 1e-3) ** 0.5 + shift

    def same(x: Tensor, stride: int = 1) -> Tensor:
        weight = next(waiting).permute(3, 2, 0, 1)
        needed = weight.shape[-1] - stride
        before = needed // 2
        x = F.pad(x, (before, needed - before) * 2)
        return normed(F.conv2d(x, weight, stride=stride))

    def gradient_of_same(x: Tensor) -> Tensor:
        weight = next(waiting).permute(3, 2, 0, 1)
        return normed(F.conv_transpose2d(x, weight, stride=2)[..., :-1, :-1])

    x = same(same(same(image).relu(), 2).relu(), 2).relu()
    for _ in range(BLOCKS):
        x = x + same(same(x).relu())
    x = gradient_of_same(gradient_of_same(x).relu()).relu()
    return torch.tanh(same(x)) * 150 + 255 / 2


def made_of(file: Path) -> torch.nn.Module:
    made = import_model(file, output=file.parent / "ours.safetensors", overwrite=True)
    assert made.format == "johnson-tensorflow"
    return load(made.path)[0]


@pytest.mark.parametrize("size", [(24, 20), (36, 44)])
@pytest.mark.parametrize("written", ["packed", "single", "content"])
def test_the_network_of_lengstrom(tmp_path: Path, written: Written, size: tuple[int, int]) -> None:
    tensors, image = variables(), torch.rand(1, 3, *size).double()
    (tmp_path / "wave.ckpt").write_bytes(first_format(named(tensors), written))
    with torch.no_grad():
        ours = made_of(tmp_path / "wave.ckpt").double()(image)
    assert difference(ours, painted(255 * image, tensors) / 255) < SAME


def test_the_convolution_of_the_test_and_its_gradient_are_those_of_one_another() -> None:
    """<SAME(x), y> = <x, gradient(y)>: a transposed convolution of TensorFlow is defined by it."""
    kernel, x, y = torch.rand(3, 3, 2, 4).double(), torch.rand(1, 2, 8, 12).double(), torch.rand(1, 4, 4, 6).double()
    forward = F.conv2d(F.pad(x, (0, 1, 0, 1)), kernel.permute(3, 2, 0, 1), stride=2)
    backward = F.conv_transpose2d(y, kernel.permute(3, 2, 0, 1), stride=2)[..., :-1, :-1]
    torch.testing.assert_close((forward * y).sum(), (x * backward).sum())


def test_the_network_painted_in_parts_is_the_network(tmp_path: Path) -> None:
    (tmp_path / "wave.ckpt").write_bytes(first_format(named(variables())))
    network, image = made_of(tmp_path / "wave.ckpt").eval(), torch.rand(1, 3, 96, 80)
    in_parts = Runner(network, RunOptions(device="cpu", precision="exact", tile=32))
    assert in_parts.plan(tuple(image.shape)).grid.rows > 1
    with torch.no_grad():
        assert difference(in_parts(image), network(image)) < 1e-4


def test_the_second_format_is_the_first(tmp_path: Path) -> None:
    state = named(variables())
    (tmp_path / "wave.ckpt").write_bytes(first_format(state))
    first = made_of(tmp_path / "wave.ckpt").state_dict()
    second = made_of(second_format(tmp_path / "fns.ckpt", state)).state_dict()
    assert first.keys() == second.keys()
    assert all(torch.equal(one, second[name]) for name, one in first.items())


def test_a_photo_of_any_size_is_painted_from_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("wave.ckpt").write_bytes(first_format(named(variables())))
    Image.effect_noise((45, 37), 60).convert("RGB").save("photo.jpg")
    assert main(["import", "wave.ckpt", "-o", "wave.safetensors"]) == 0
    assert main(["stylize", "photo.jpg", "--model", "wave.safetensors", "-o", "out.png"]) == 0
    with Image.open("out.png") as out:
        assert out.size == (45, 37)
    assert "johnson-tensorflow" in capsys.readouterr().out


def test_a_network_with_zeros_at_its_borders_learns(tmp_path: Path) -> None:
    (tmp_path / "wave.ckpt").write_bytes(first_format(named(variables())))
    network = made_of(tmp_path / "wave.ckpt")
    assert isinstance(network, FastStyle)
    network(torch.rand(1, 3, 16, 16)).square().mean().backward()
    names = [name for name, one in network.named_parameters() if one.grad is None or not one.grad.any()]
    assert all(".convolution." in name and name.endswith(".bias") for name in names)  # which norms take away


@pytest.mark.parametrize("lost", ["Variable_5", "Variable_12"])
def test_a_network_that_lacks_a_variable_is_refused(tmp_path: Path, lost: str) -> None:
    state = named(variables())
    del state[lost]
    (tmp_path / "wave.ckpt").write_bytes(first_format(state))
    with pytest.raises(LimnerError, match=f"must have {lost}, and has none"):
        import_model(tmp_path / "wave.ckpt", output=tmp_path / "ours.safetensors")
