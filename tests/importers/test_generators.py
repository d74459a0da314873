"""StyleGANs of others: each network is written here again by its description, and gives what the imported one does."""

import io
import math
import pickle
import sys
import types
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from tests.foreign import SAME, State, difference, imported
from torch import Tensor, nn

from limner.catalog.models import load
from limner.verbs.import_model import import_model

Z = 8  # numbers of a latent
CHANNELS = {4: 8, 8: 8, 16: 4, 32: 2}


def blurred(x: Tensor) -> Tensor:
    kernel = torch.tensor([[1.0, 2, 1], [2, 4, 2], [1, 2, 1]]) / 16
    return F.conv2d(x, kernel.expand(x.shape[1], 1, 3, 3), padding=1, groups=x.shape[1])


def normed(x: Tensor, epsilon: float) -> Tensor:
    variance, mean = torch.var_mean(x, (2, 3), correction=0, keepdim=True)
    return (x - mean) / (variance + epsilon).sqrt()


def length_one(z: Tensor) -> Tensor:
    return z / (z.square().mean(1, keepdim=True) + 1e-8).sqrt()


def planes(noise: Tensor) -> list[Tensor]:
    """The noise of each layer, as ours has it in a row."""
    sides = [side for side in CHANNELS for _ in range(2)]
    return [one.view(1, 1, side, side) for one, side in zip(noise.split([s * s for s in sides], 1), sides, strict=True)]


def rosinality_state(fused_from: int) -> State:
    state = dict[str, Tensor]()
    for number in range(3):
        state[f"style.{2 * number + 1}.linear.weight_orig"] = torch.randn(Z, Z)
        state[f"style.{2 * number + 1}.linear.bias"] = 0.1 * torch.randn(Z)
    before = CHANNELS[4]
    for level, (side, width) in enumerate(CHANNELS.items()):
        name = f"generator.progression.{level}"
        if level == 0:
            state[f"{name}.conv1.input"] = torch.randn(1, width, 4, 4)
        elif side >= fused_from:
            state[f"{name}.conv1.0.weight"] = torch.randn(before, width, 3, 3) * math.sqrt(2 / (9 * before)) * 4
            state[f"{name}.conv1.0.bias"] = torch.randn(width)
            state[f"{name}.conv1.1.weight"] = torch.zeros(width, 1, 3, 3)
            state[f"{name}.conv1.1.weight_flip"] = torch.zeros(width, 1, 3, 3)
        else:
            state[f"{name}.conv1.1.conv.weight_orig"] = torch.randn(width, before, 3, 3)
            state[f"{name}.conv1.1.conv.bias"] = torch.randn(width)
            state[f"{name}.conv1.2.weight"] = torch.zeros(width, 1, 3, 3)
            state[f"{name}.conv1.2.weight_flip"] = torch.zeros(width, 1, 3, 3)
        state[f"{name}.conv2.conv.weight_orig"] = torch.randn(width, width, 3, 3)
        state[f"{name}.conv2.conv.bias"] = torch.randn(width)
        for half in (1, 2):
            state[f"{name}.noise{half}.weight_orig"] = torch.randn(1, width, 1, 1)
            state[f"{name}.adain{half}.style.linear.weight_orig"] = torch.randn(2 * width, Z)
            state[f"{name}.adain{half}.style.linear.bias"] = torch.randn(2 * width)
        state[f"generator.to_rgb.{level}.conv.weight_orig"] = torch.randn(3, width, 1, 1)
        state[f"generator.to_rgb.{level}.conv.bias"] = torch.randn(3)
        before = width
    return state


def rosinality(z: Tensor, noise: list[Tensor], state: State, levels: int) -> Tensor:
    def scaled(name: str) -> Tensor:
        weight = state[f"{name}.weight_orig"]
        return weight * math.sqrt(2 / weight[0].numel())

    w = length_one(z)
    for number in range(3):
        name = f"style.{2 * number + 1}.linear"
        w = F.leaky_relu(F.linear(w, scaled(name), state[f"{name}.bias"]), 0.2)
    x = state["generator.progression.0.conv1.input"]
    for level in range(levels):
        name = f"generator.progression.{level}"
        for half in (1, 2):
            if half == 2:
                x = F.conv2d(x, scaled(f"{name}.conv2.conv"), state[f"{name}.conv2.conv.bias"], padding=1)
            elif f"{name}.conv1.0.weight" in state:
                weight = state[f"{name}.conv1.0.weight"]
                weight = F.pad(weight * math.sqrt(2 / (9 * weight.shape[0])), (1, 1, 1, 1))
                weight = sum(weight[:, :, i : i + 4, j : j + 4] for i in (0, 1) for j in (0, 1)) / 4  # type: ignore[assignment]
                x = blurred(F.conv_transpose2d(x, weight, state[f"{name}.conv1.0.bias"], stride=2, padding=1))
            elif level:
                x = x.repeat_interleave(2, 2).repeat_interleave(2, 3)
                x = F.conv2d(x, scaled(f"{name}.conv1.1.conv"), state[f"{name}.conv1.1.conv.bias"], padding=1)
                x = blurred(x)
            gain = state[f"{name}.noise{half}.weight_orig"] * math.sqrt(2 / x.shape[1])
            x = normed(F.leaky_relu(x + gain * noise[2 * level + half - 1], 0.2), 1e-5)
            style = f"{name}.adain{half}.style.linear"
            scale, shift = F.linear(w, scaled(style), state[f"{style}.bias"])[:, :, None, None].chunk(2, 1)
            x = x * scale + shift
    name = f"generator.to_rgb.{levels - 1}.conv"
    return F.conv2d(x, scaled(name), state[f"{name}.bias"])


def like_the_original(theirs: Tensor) -> Tensor:
    """In [0, 1], and cut there, as ours; scaled so that most of it is not cut."""
    return ((theirs + 1) / 2).clamp(0, 1)


@pytest.mark.parametrize("fused_from", [16, 99])
def test_rosinality(tmp_path: Path, fused_from: int) -> None:
    state = rosinality_state(fused_from)
    ours, z = imported(tmp_path, {"g_running": state, "generator": rosinality_state(99)}), torch.randn(1, Z)
    noise = torch.randn(1, sum(2 * side**2 for side in CHANNELS))
    theirs = rosinality(z, planes(noise), state, 4)
    with torch.no_grad():
        made = 2 * ours.synthesis(ours.styles_of(z), noise)  # type: ignore[operator]
        assert difference(made, 2 * theirs) < SAME
        assert torch.allclose(ours(z, noise), like_the_original(theirs), atol=1e-4)
        mean = ours.styles_of(torch.randn(4000, Z))[:, 0].mean(0)  # type: ignore[operator]
        assert torch.allclose(ours.center, mean, atol=0.1)  # type: ignore[arg-type]


def test_rosinality_that_was_stopped_at_a_smaller_side(tmp_path: Path) -> None:
    state, z = rosinality_state(99), torch.randn(1, Z)
    ours = imported(tmp_path, state, settings=("side=16", "growth.first_side=8"))
    noise = torch.randn(1, sum(2 * side**2 for side in (4, 8, 16)))
    sides = [side for side in (4, 8, 16) for _ in range(2)]
    parts = [one.view(1, 1, s, s) for one, s in zip(noise.split([s * s for s in sides], 1), sides, strict=True)]
    with torch.no_grad():
        made = ours.synthesis(ours.styles_of(z), noise)  # type: ignore[operator]
        assert difference(made, rosinality(z, parts, state, 3)) < SAME


LARGE = {4: 8, 8: 8, 16: 8, 32: 8, 64: 4, 128: 2}


def nvidia_variables() -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Of the mapping and of the synthesis."""

    def drawn(*shape: int) -> np.ndarray:
        return torch.randn(shape).numpy()

    mapping = {}
    for number in range(2):
        mapping[f"Dense{number}/weight"], mapping[f"Dense{number}/bias"] = 100 * drawn(Z, Z), 10 * drawn(Z)
    synthesis: dict[str, np.ndarray] = {"lod": np.float32(0).reshape(()), "4x4/Const/const": drawn(1, 8, 4, 4)}
    before = 8
    for level, (side, width) in enumerate(LARGE.items()):
        for half, name in enumerate(("Const", "Conv") if side == 4 else ("Conv0_up", "Conv1")):
            place = f"{side}x{side}/{name}"
            if side > 4 or half:
                synthesis[f"{place}/weight"] = drawn(3, 3, width if half else before, width)
            synthesis |= {f"{place}/Noise/weight": drawn(width), f"{place}/bias": drawn(width)}
            synthesis |= {f"{place}/StyleMod/weight": drawn(Z, 2 * width), f"{place}/StyleMod/bias": drawn(2 * width)}
            synthesis[f"noise{2 * level + half}"] = drawn(1, 1, side, side)
        lod = len(LARGE) - 1 - level
        synthesis |= {f"ToRGB_lod{lod}/weight": drawn(1, 1, width, 3), f"ToRGB_lod{lod}/bias": drawn(3)}
        before = width
    return mapping, synthesis


def nvidia(z: Tensor, noise: list[Tensor], mapping: dict, synthesis: dict) -> Tensor:
    def of(values: dict, name: str) -> Tensor:
        return torch.from_numpy(values[name])

    w = length_one(z)
    for number in range(2):
        weight = of(mapping, f"Dense{number}/weight") * 0.01 * math.sqrt(2 / Z)
        w = F.leaky_relu(w @ weight + 0.01 * of(mapping, f"Dense{number}/bias"), 0.2)
    for level, side in enumerate(LARGE):
        for half, name in enumerate(("Const", "Conv") if side == 4 else ("Conv0_up", "Conv1")):
            place = f"{side}x{side}/{name}"
            if name == "Const":
                x = of(synthesis, "4x4/Const/const")
            else:
                weight = of(synthesis, f"{place}/weight")
                weight = weight * math.sqrt(2 / (9 * weight.shape[2]))
                if name != "Conv0_up":
                    x = F.conv2d(x, weight.permute(3, 2, 0, 1), padding=1)
                elif side < 128:
                    x = x.repeat_interleave(2, 2).repeat_interleave(2, 3)
                    x = blurred(F.conv2d(x, weight.permute(3, 2, 0, 1), padding=1))
                else:  # the gradient of a convolution of stride 2: each pixel is spread by the kernel as it is
                    wide = F.pad(weight.permute(2, 3, 0, 1), (1, 1, 1, 1))
                    wide = sum(wide[:, :, i : i + 4, j : j + 4] for i in (0, 1) for j in (0, 1))  # type: ignore[assignment]
                    x = blurred(F.conv_transpose2d(x, wide, stride=2, padding=1))
            x = x + noise[2 * level + half] * of(synthesis, f"{place}/Noise/weight")[:, None, None]
            x = F.leaky_relu(x + of(synthesis, f"{place}/bias")[:, None, None], 0.2)
            style = w @ (of(synthesis, f"{place}/StyleMod/weight") / math.sqrt(Z)) + of(
                synthesis, f"{place}/StyleMod/bias"
            )
            scale, shift = style[:, :, None, None].chunk(2, 1)
            x = normed(x, 1e-8) * (scale + 1) + shift
    weight = of(synthesis, "ToRGB_lod0/weight").permute(3, 2, 0, 1) / math.sqrt(LARGE[128])
    return F.conv2d(x, weight, of(synthesis, "ToRGB_lod0/bias"))


class Network:
    """Pickles itself as NVIDIA's does."""

    def __init__(self, state: dict) -> None:
        self.state = state

    def __getstate__(self) -> dict:
        return self.state


@pytest.mark.parametrize("protocol", [2, 4])
def test_nvidia(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, protocol: int) -> None:
    module = types.ModuleType("dnnlib.tflib.network")
    monkeypatch.setattr(Network, "__module__", "dnnlib.tflib.network")
    module.Network = Network  # type: ignore[attr-defined]
    for name in ("dnnlib", "dnnlib.tflib"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    monkeypatch.setitem(sys.modules, "dnnlib.tflib.network", module)
    mapping, synthesis = nvidia_variables()
    average = torch.randn(Z).numpy()

    def network(variables: dict, **components: Network) -> Network:
        code = "import os; os.system('touch ran')"
        return Network({"version": 4, "variables": list(variables.items()), "components": components,
                        "build_module_src": code, "build_func_name": "G_style", "static_kwargs": {}})  # fmt: skip

    whole = network({"dlatent_avg": average}, mapping=network(mapping), synthesis=network(synthesis))
    raw = io.BytesIO()
    pickle.dump((network({}), network({}), whole), raw, protocol=protocol)
    (tmp_path / "stylegan.pkl").write_bytes(raw.getvalue())
    ours = load(import_model(tmp_path / "stylegan.pkl", output=tmp_path / "ours.safetensors").path)[0]
    assert isinstance(ours, nn.Module)
    sides = [side for side in LARGE for _ in range(2)]
    z, noise = torch.randn(1, Z), torch.randn(1, sum(side**2 for side in sides))
    parts = [one.view(1, 1, s, s) for one, s in zip(noise.split([s * s for s in sides], 1), sides, strict=True)]
    with torch.no_grad():
        made = ours.synthesis(ours.styles_of(z), noise)  # type: ignore[operator]
        assert difference(made, nvidia(z, parts, mapping, synthesis)) < SAME
    assert torch.equal(ours.center, torch.from_numpy(average))  # type: ignore[arg-type]
