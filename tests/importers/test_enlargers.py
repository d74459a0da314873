"""Enlargers of others: each network is written here again by its description, and gives what the imported one does."""

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from tests.foreign import SAME, State, affine, batch_norm, convolution, difference, imported
from torch import Tensor

W = 6  # channels


def conv(x: Tensor, state: State, name: str) -> Tensor:
    weight = state[f"{name}.weight"]
    return F.conv2d(x, weight, state.get(f"{name}.bias"), padding=weight.shape[-1] // 2)


def normed(x: Tensor, state: State, name: str) -> Tensor:
    """Batch norm by what it has seen."""
    mean, variance, scale, shift = (
        state[f"{name}.{part}"][:, None, None] for part in ("running_mean", "running_var", "weight", "bias")
    )
    return (x - mean) / (variance + 1e-5).sqrt() * scale + shift


def instance(x: Tensor, state: State, name: str) -> Tensor:
    scale, shift = state[f"{name}.weight"][:, None, None], state[f"{name}.bias"][:, None, None]
    variance, mean = torch.var_mean(x, (2, 3), correction=0, keepdim=True)
    return (x - mean) / (variance + 1e-5).sqrt() * scale + shift


def doubled(x: Tensor) -> Tensor:
    return x.repeat_interleave(2, 2).repeat_interleave(2, 3)


def shuffled(x: Tensor, factor: int) -> Tensor:
    n, c, h, w = x.shape
    x = x.view(n, c // factor**2, factor, factor, h, w).permute(0, 1, 4, 2, 5, 3)
    return x.reshape(n, c // factor**2, h * factor, w * factor)


def vdsr_state() -> State:
    state = convolution("input", W, 1, 3, bias=False) | convolution("output", 1, W, 3, bias=False)
    for number in range(3):
        state |= convolution(f"residual_layer.{number}.conv", W, W, 3, bias=False)
    return state


def test_vdsr(tmp_path: Path) -> None:
    state, image = vdsr_state(), torch.rand(2, 1, 9, 12)
    x = conv(image, state, "input").relu()
    for number in range(3):
        x = conv(x, state, f"residual_layer.{number}.conv").relu()
    theirs = conv(x, state, "output") + image
    with torch.no_grad():
        assert difference(imported(tmp_path, state)(image), theirs) < SAME


def srresnet_state(blocks: int = 2) -> State:
    state = convolution("conv_input", W, 3, 9, bias=False) | convolution("conv_output", 3, W, 9, bias=False)
    for number in range(blocks):
        for half in (1, 2):
            state |= convolution(f"residual.{number}.conv{half}", W, W, 3, bias=False)
            state |= affine(f"residual.{number}.in{half}", W)
    state |= convolution("conv_mid", W, W, 3, bias=False) | affine("bn_mid", W)
    return (
        state
        | convolution("upscale4x.0", 4 * W, W, 3, bias=False)
        | convolution("upscale4x.3", 4 * W, W, 3, bias=False)
    )


def test_srresnet_of_twtygqyy(tmp_path: Path) -> None:
    state, image = srresnet_state(), torch.rand(1, 3, 10, 13)

    def leaky(x: Tensor) -> Tensor:
        return F.leaky_relu(x, 0.2)

    first = x = leaky(conv(image, state, "conv_input"))
    for number in range(2):
        name = f"residual.{number}"
        inner = leaky(instance(conv(x, state, f"{name}.conv1"), state, f"{name}.in1"))
        x = x + instance(conv(inner, state, f"{name}.conv2"), state, f"{name}.in2")
    x = first + instance(conv(x, state, "conv_mid"), state, "bn_mid")
    for place in (0, 3):
        x = leaky(shuffled(conv(x, state, f"upscale4x.{place}"), 2))
    theirs = conv(x, state, "conv_output")
    with torch.no_grad():
        assert difference(imported(tmp_path, state)(image), theirs) < SAME


@pytest.mark.parametrize("ups", [1, 2, 3])
def test_srgan_of_leftthomas(tmp_path: Path, ups: int) -> None:
    slope, image = torch.tensor([0.3]), torch.rand(1, 3, 8, 9)
    state = convolution("block1.0", W, 3, 9) | {"block1.1.weight": slope}
    for number in range(2, 7):
        for half in (1, 2):
            state |= convolution(f"block{number}.conv{half}", W, W, 3) | batch_norm(f"block{number}.bn{half}", W)
        state[f"block{number}.prelu.weight"] = slope * number / 4
    state |= convolution("block7.0", W, W, 3) | batch_norm("block7.1", W)
    for number in range(ups):
        state |= convolution(f"block8.{number}.conv", 4 * W, W, 3) | {f"block8.{number}.prelu.weight": slope}
    state |= convolution(f"block8.{ups}", 3, W, 9)

    first = x = F.prelu(conv(image, state, "block1.0"), slope)
    for number in range(2, 7):
        name = f"block{number}"
        inner = normed(conv(x, state, f"{name}.conv1"), state, f"{name}.bn1")
        inner = F.prelu(inner, state[f"{name}.prelu.weight"])
        x = x + normed(conv(inner, state, f"{name}.conv2"), state, f"{name}.bn2")
    x = first + normed(conv(x, state, "block7.0"), state, "block7.1")
    for number in range(ups):
        x = F.prelu(shuffled(conv(x, state, f"block8.{number}.conv"), 2), slope)
    theirs = (torch.tanh(conv(x, state, f"block8.{ups}")) + 1) / 2
    with torch.no_grad():
        assert difference(imported(tmp_path, state)(image), theirs) < SAME


BASICSR = ("conv_first", "body.{n}.rdb{k}.conv{m}", "conv_body", "conv_up1", "conv_up2", "conv_hr", "conv_last")
SECOND = ("conv_first", "RRDB_trunk.{n}.RDB{k}.conv{m}", "trunk_conv", "upconv1", "upconv2", "HRconv", "conv_last")
FIRST = ("model.0", "model.1.sub.{n}.RDB{k}.conv{m}.0", "model.1.sub.2", "model.3", "model.6", "model.8", "model.10")


def rrdb_state(names: tuple[str, ...], fold: int, growth: int = 3) -> State:
    head, dense, middle, *ups, fine, last = names
    state = convolution(head, W, 3 * fold**2, 3) | convolution(last, 3, W, 3)
    for n in range(2):
        for k in (1, 2, 3):
            for m in range(1, 6):
                made = W if m == 5 else growth
                state |= convolution(dense.format(n=n, k=k, m=m), made, W + growth * (m - 1), 3)
    for name in (middle, *ups, fine):
        state |= convolution(name, W, W, 3)
    return state


@pytest.mark.parametrize(("names", "fold"), [(BASICSR, 1), (BASICSR, 2), (BASICSR, 4), (SECOND, 1), (FIRST, 1)])
def test_rrdbnet(tmp_path: Path, names: tuple[str, ...], fold: int) -> None:
    state, image = rrdb_state(names, fold), torch.rand(1, 3, 8, 12)
    head, dense, middle, *ups, fine, last = names

    def leaky(x: Tensor) -> Tensor:
        return F.leaky_relu(x, 0.2)

    n, _, h, w = image.shape
    folded = image.view(n, 3, h // fold, fold, w // fold, fold).permute(0, 1, 3, 5, 2, 4)
    first = x = conv(folded.reshape(n, 3 * fold**2, h // fold, w // fold), state, head)
    for block in range(2):
        inner = x
        for k in (1, 2, 3):
            maps = [inner]
            for m in range(1, 6):
                made = conv(torch.cat(maps, 1), state, dense.format(n=block, k=k, m=m))
                maps.append(made if m == 5 else leaky(made))
            inner = inner + 0.2 * maps[-1]
        x = x + 0.2 * inner
    x = first + conv(x, state, middle)
    for name in ups:
        x = leaky(conv(doubled(x), state, name))
    theirs = conv(leaky(conv(x, state, fine)), state, last)
    ours = imported(tmp_path, {"params": {"x.weight": torch.ones(1)}, "params_ema": state})
    with torch.no_grad():
        assert difference(ours(image), theirs) < SAME
        assert ours.enlarge(image[..., :7, :11], 4 // fold).shape[-2:] == (28 // fold, 44 // fold)


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("is_mmagic", [False, True])
def test_msrresnet(tmp_path: Path, scale: int, is_mmagic: bool) -> None:
    image, factors = torch.rand(1, 3, 7, 10), [3] if scale == 3 else [2] * (scale // 2)
    trunk, up = ("trunk_net", "upsample{}.upsample_conv") if is_mmagic else ("body", "upconv{}")
    state = convolution("conv_first", W, 3, 3) | convolution("conv_hr", W, W, 3) | convolution("conv_last", 3, W, 3)
    for number in range(3):
        for half in (1, 2):
            state |= convolution(f"{trunk}.{number}.conv{half}", W, W, 3)
    for number, factor in enumerate(factors, start=1):
        state |= convolution(up.format(number), W * factor**2, W, 3)

    def leaky(x: Tensor) -> Tensor:
        return F.leaky_relu(x, 0.1)

    x = leaky(conv(image, state, "conv_first"))
    for number in range(3):
        x = x + conv(conv(x, state, f"{trunk}.{number}.conv1").relu(), state, f"{trunk}.{number}.conv2")
    for number, factor in enumerate(factors, start=1):
        x = shuffled(conv(x, state, up.format(number)), factor)
        x = x if is_mmagic else leaky(x)
    theirs = conv(leaky(conv(x, state, "conv_hr")), state, "conv_last")
    theirs = theirs + F.interpolate(image, scale_factor=scale, mode="bilinear", align_corners=False)
    wrapped = {f"generator.{name}": one for name, one in state.items()} if is_mmagic else state
    holder = {"state_dict": wrapped | {"step_counter": torch.tensor([3])}} if is_mmagic else {"params": wrapped}
    with torch.no_grad():
        assert difference(imported(tmp_path, holder)(image), theirs) < SAME


@pytest.mark.parametrize(("scale", "activation"), [(4, "prelu"), (2, "relu"), (1, "leaky")])
def test_srvgg(tmp_path: Path, scale: int, activation: str) -> None:
    image, state = torch.rand(1, 3, 7, 10), convolution("body.8", 3 * scale**2, W, 3)
    for place in range(0, 8, 2):
        state |= convolution(f"body.{place}", W, W if place else 3, 3)
        if activation == "prelu":
            state[f"body.{place + 1}.weight"] = torch.rand(W)
    x = image
    for place in range(0, 8, 2):
        x = conv(x, state, f"body.{place}")
        slope = {"prelu": state.get(f"body.{place + 1}.weight"), "relu": torch.zeros(W), "leaky": torch.full((W,), 0.1)}
        x = F.prelu(x, slope[activation])
    theirs = shuffled(conv(x, state, "body.8"), scale)
    theirs = theirs + image.repeat_interleave(scale, 2).repeat_interleave(scale, 3)
    chosen = ("activation=leaky",) if activation == "leaky" else ()
    with torch.no_grad():
        assert difference(imported(tmp_path, state, settings=chosen)(image), theirs) < SAME
