"""Discriminators of other projects, written again by their descriptions, and files of them with random weights."""

import itertools

import torch
import torch.nn.functional as F
from tests.foreign import State, batch_norm, convolution
from torch import Tensor

B = 4  # channels of the first layer


def widths(layers: int) -> list[int]:
    return [B * min(2**number, 8) for number in range(layers + 1)]


def patches_state(channels: int, layers: int, kind: str) -> State:
    """NLayerDiscriminator of pytorch-CycleGAN-and-pix2pix."""
    wide, state = widths(layers), convolution("model.0", B, channels, 4)
    for place, (before, after) in enumerate(itertools.pairwise(wide), start=1):
        state |= convolution(f"model.{3 * place - 1}", after, before, 4, bias=kind == "instance")
        state |= batch_norm(f"model.{3 * place}", after) if kind == "batch" else {}
    return state | convolution(f"model.{3 * layers + 2}", 1, wide[-1], 4)


def normed(x: Tensor, state: State, name: str, kind: str) -> Tensor:
    """By each picture, by the batch, or by what was seen."""
    variance, mean = torch.var_mean(x, (2, 3) if kind == "instance" else (0, 2, 3), correction=0, keepdim=True)
    if kind == "seen":
        mean, variance = (state[f"{name}.running_{part}"][:, None, None] for part in ("mean", "var"))
    x = (x - mean) / (variance + 1e-5).sqrt()
    if kind == "instance":
        return x
    return x * state[f"{name}.weight"][:, None, None] + state[f"{name}.bias"][:, None, None]


def layer(x: Tensor, state: State, name: str, stride: int, padding: int = 1) -> Tensor:
    return F.conv2d(x, state[f"{name}.weight"], state.get(f"{name}.bias"), stride, padding)


def patches(image: Tensor, state: State, layers: int, kind: str) -> Tensor:
    """Of pictures in [-1, 1]."""
    x = F.leaky_relu(layer(image, state, "model.0", 2), 0.2)
    for place in range(1, layers + 1):
        x = layer(x, state, f"model.{3 * place - 1}", 1 if place == layers else 2)
        x = F.leaky_relu(normed(x, state, f"model.{3 * place}", kind), 0.2)
    return layer(x, state, f"model.{3 * layers + 2}", 1)


def pixels_state(channels: int, kind: str) -> State:
    """PixelDiscriminator of the same."""
    state = convolution("net.0", B, channels, 1) | convolution("net.2", 2 * B, B, 1, bias=kind == "instance")
    state |= batch_norm("net.3", 2 * B) if kind == "batch" else {}
    return state | convolution("net.5", 1, 2 * B, 1, bias=kind == "instance")


def pixels(image: Tensor, state: State, kind: str) -> Tensor:
    x = F.leaky_relu(layer(image, state, "net.0", 1, 0), 0.2)
    x = F.leaky_relu(normed(layer(x, state, "net.2", 1, 0), state, "net.3", kind), 0.2)
    return layer(x, state, "net.5", 1, 0)


DENSE = 6


def srgan_state() -> State:
    """Discriminator of leftthomas/SRGAN."""
    wide = [B * factor for factor in (1, 1, 2, 2, 4, 4, 8, 8)]
    state = convolution("net.0", B, 3, 3)
    for number, (before, after) in enumerate(itertools.pairwise(wide)):
        state |= convolution(f"net.{3 * number + 2}", after, before, 3) | batch_norm(f"net.{3 * number + 3}", after)
    return state | convolution("net.24", DENSE, 8 * B, 1) | convolution("net.26", 1, DENSE, 1)


def srgan(image: Tensor, state: State, kind: str) -> Tensor:
    """Of pictures in [0, 1]: what its sigmoid is given."""
    x = F.leaky_relu(layer(image, state, "net.0", 1), 0.2)
    for number in range(7):
        x = layer(x, state, f"net.{3 * number + 2}", 1 + (number % 2 == 0))
        x = F.leaky_relu(normed(x, state, f"net.{3 * number + 3}", kind), 0.2)
    x = F.leaky_relu(layer(x.mean((2, 3), keepdim=True), state, "net.24", 1, 0), 0.2)
    return layer(x, state, "net.26", 1, 0).flatten(1)


def spectral(name: str, after: int, before: int, kernel: int, *, bias: bool = True) -> State:
    """Old spectral norm, some steps away from the singular vectors."""
    weight = torch.randn(after, before, kernel, kernel)
    u, v = F.normalize(torch.randn(after), dim=0), F.normalize(torch.randn(before * kernel**2), dim=0)
    for _ in range(2):
        v = F.normalize(weight.flatten(1).T @ u, dim=0)
        u = F.normalize(weight.flatten(1) @ v, dim=0)
    found = {f"{name}.weight_orig": weight, f"{name}.weight_u": u, f"{name}.weight_v": v}
    return found | ({f"{name}.bias": torch.randn(after)} if bias else {})


def spade_state(known: int, scales: int, layers: int) -> State:
    """MultiscaleDiscriminator of NVlabs/SPADE, with norm_D spectralinstance."""
    wide, state = widths(layers - 1), dict[str, Tensor]()
    for scale in range(scales):
        name = f"discriminator_{scale}.model"
        state |= convolution(f"{name}0.0", B, known + 3, 4)
        for place, (before, after) in enumerate(itertools.pairwise(wide), start=1):
            state |= spectral(f"{name}{place}.0.0", after, before, 4, bias=False)
        state |= convolution(f"{name}{layers}.0", 1, wide[-1], 4)
    return state


def spade(x: Tensor, state: State, scales: int, layers: int, *, training: bool = False) -> list[list[Tensor]]:
    """Of what is known and a picture in [-1, 1]: the maps of all layers; in training a step of the power iteration."""
    found = []
    for scale in range(scales):
        name = f"discriminator_{scale}.model"
        maps = [F.leaky_relu(layer(x, state, f"{name}0.0", 2, 2), 0.2)]
        for place in range(1, layers):
            weight, u, v = (state[f"{name}{place}.0.0.weight_{part}"] for part in ("orig", "u", "v"))
            matrix = weight.flatten(1)
            if training:
                v = F.normalize(matrix.T @ u, dim=0)
                u = F.normalize(matrix @ v, dim=0)
            y = F.conv2d(maps[-1], weight / (u @ (matrix @ v)), None, 1 if place == layers - 1 else 2, 2)
            maps.append(F.leaky_relu(normed(y, state, "", "instance"), 0.2))
        found.append([*maps, layer(maps[-1], state, f"{name}{layers}.0", 1, 2)])
        x = F.avg_pool2d(x, 3, 2, 1, count_include_pad=False)
    return found
