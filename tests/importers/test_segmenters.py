"""U-Nets of others: the network is written here again by its description, and gives what the imported one does."""

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from tests.foreign import SAME, State, batch_norm, convolution, difference, imported, transposed
from torch import Tensor


def twice(name: str, before: int, middle: int, after: int, *, bias: bool) -> State:
    return (
        convolution(f"{name}.double_conv.0", middle, before, 3, bias=bias)
        | batch_norm(f"{name}.double_conv.1", middle)
        | convolution(f"{name}.double_conv.3", after, middle, 3, bias=bias)
        | batch_norm(f"{name}.double_conv.4", after)
    )


def unet_state(classes: int, *, thin: bool, bias: bool) -> State:
    """Four scales below the first one, of 4 channels and more."""
    deepest = 32 if thin else 64
    state = twice("inc", 3, 4, 4, bias=bias) | convolution("outc.conv", classes, 4, 1)
    for number, (before, after) in enumerate(((4, 8), (8, 16), (16, 32), (32, deepest)), start=1):
        state |= twice(f"down{number}.maxpool_conv.1", before, after, after, bias=bias)
    for number, width in enumerate((32, 16, 8, 4), start=1):
        after = width // 2 if thin and number < 4 else width
        state |= twice(f"up{number}.conv", 2 * width, width, after, bias=bias)
        state |= {} if thin else transposed(f"up{number}.up", 2 * width, width, 2)
    return state


def applied(x: Tensor, state: State, name: str) -> Tensor:
    for place in (0, 3):
        layer, norm = f"{name}.double_conv.{place}", f"{name}.double_conv.{place + 1}"
        x = F.conv2d(x, state[f"{layer}.weight"], state.get(f"{layer}.bias"), padding=1)
        mean, variance, scale, shift = (
            state[f"{norm}.{part}"][:, None, None] for part in ("running_mean", "running_var", "weight", "bias")
        )
        x = ((x - mean) / (variance + 1e-5).sqrt() * scale + shift).relu()
    return x


def segmented(image: Tensor, state: State, *, thin: bool) -> Tensor:
    x, copies = applied(image, state, "inc"), list[Tensor]()
    for number in range(1, 5):
        copies.append(x)
        x = applied(F.max_pool2d(x, 2), state, f"down{number}.maxpool_conv.1")
    for number in range(1, 5):
        if thin:
            x = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=True)
        else:
            x = F.conv_transpose2d(x, state[f"up{number}.up.weight"], state[f"up{number}.up.bias"], stride=2)
        x = applied(torch.cat([copies.pop(), x], 1), state, f"up{number}.conv")
    return F.conv2d(x, state["outc.conv.weight"], state["outc.conv.bias"])


@pytest.mark.parametrize(("thin", "bias"), [(False, False), (True, False), (False, True)])
def test_milesial(tmp_path: Path, thin: bool, bias: bool) -> None:
    state, image = unet_state(3, thin=thin, bias=bias), torch.rand(1, 3, 32, 48)
    theirs = segmented(image, state, thin=thin)
    ours = imported(tmp_path, state | {"mask_values": [[0, 0, 0], [255, 0, 0], [0, 9, 255]]})
    assert ours.config.class_colors == ((0, 0, 0), (255, 0, 0), (0, 9, 255))  # type: ignore[union-attr]
    with torch.no_grad():
        assert difference(ours(image), theirs) < SAME


def test_one_class_is_told_from_nothing(tmp_path: Path) -> None:
    state, image = unet_state(1, thin=False, bias=False), torch.rand(1, 3, 32, 32)
    theirs = torch.sigmoid(segmented(image, state, thin=False))
    with torch.no_grad():
        assert difference(imported(tmp_path, state)(image).softmax(1)[:, 1:], theirs) < SAME
