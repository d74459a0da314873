"""Checkpoints of other projects, made of random weights under their true names, and what Limner makes of them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from limner.catalog.models import load, load_for_training
from limner.verbs.import_model import Imported, import_model

State = dict[str, Tensor]


def convolution(name: str, out_channels: int, in_channels: int, kernel: int, *, bias: bool = True) -> State:
    weight = torch.randn(out_channels, in_channels, kernel, kernel) / (in_channels * kernel**2) ** 0.5
    return {f"{name}.weight": weight} | ({f"{name}.bias": 0.3 * torch.randn(out_channels)} if bias else {})


def transposed(name: str, in_channels: int, out_channels: int, kernel: int, *, bias: bool = True) -> State:
    weight = torch.randn(in_channels, out_channels, kernel, kernel) / (in_channels * 2) ** 0.5
    return {f"{name}.weight": weight} | ({f"{name}.bias": 0.3 * torch.randn(out_channels)} if bias else {})


def affine(name: str, channels: int) -> State:
    return {f"{name}.weight": 1 + 0.3 * torch.randn(channels), f"{name}.bias": 0.3 * torch.randn(channels)}


def seen(name: str, channels: int) -> State:
    """What a batch norm has seen."""
    return {
        f"{name}.running_mean": 0.3 * torch.randn(channels),
        f"{name}.running_var": 0.5 + torch.rand(channels),
        f"{name}.num_batches_tracked": torch.tensor(7),
    }


def batch_norm(name: str, channels: int) -> State:
    return affine(name, channels) | seen(name, channels)


def imported(folder: Path, *states: Mapping[str, Any], settings: tuple[str, ...] = (), system: Any = None) -> nn.Module:
    """The system that `limner import` makes of checkpoints, as every verb loads it."""
    return load(imported_file(folder, *states, settings=settings, system=system).path)[0]


def imported_player(
    folder: Path, *states: Mapping[str, Any], settings: tuple[str, ...] = (), system: Any = None
) -> nn.Module:
    """The player of a game that it makes of them, as training loads it; in float64, which processors round alike."""
    return load_for_training(imported_file(folder, *states, settings=settings, system=system).path)[0].double()


def imported_file(
    folder: Path, *states: Mapping[str, Any], settings: tuple[str, ...] = (), system: Any = None
) -> Imported:
    """What `limner import` makes of checkpoints."""
    paths = []
    for number, state in enumerate(states):
        paths.append(folder / f"foreign{number}.pth")
        torch.save(state, paths[-1])
    return import_model(*paths, output=folder / "ours.safetensors", settings=settings, system=system, overwrite=True)


def doubled(state: State) -> State:
    """In float64, which processors round alike."""
    return {name: one.double() if one.is_floating_point() else one for name, one in state.items()}


def difference(ours: Tensor, theirs: Tensor) -> float:
    """The largest difference over the range of values."""
    assert ours.shape == theirs.shape
    return float((ours - theirs).abs().max() / (theirs.max() - theirs.min()))


SAME = 1e-5
