"""Small trained U-Nets: one whose classes are known beforehand, and one of chance."""

from pathlib import Path

import torch

from limner.files.weights import Header, save_weights
from limner.systems.segmentation.unet import UNet, UNetConfig

NAMES = ("ground", "bright")
COLORS = ((0, 0, 0), (250, 120, 10))


def bright_parts(path: Path, in_channels: int = 1) -> str:
    """A U-Net that calls `bright` what is brighter than half, and is the surer the brighter it is."""
    config = UNetConfig(
        in_channels=in_channels, channels=2, depth=1, valid=False, class_names=NAMES, class_colors=COLORS
    )
    net = UNet(config)
    for one in net.parameters():
        one.data.zero_()
    middles = dict(net.named_parameters())
    middles["downs.0.layers.0.weight"].data[0, :, 1, 1] = 1 / in_channels
    for name in ("downs.0.layers.2", "joins.0.layers.0", "joins.0.layers.2"):
        middles[f"{name}.weight"].data[0, 0, 1, 1] = 1
    middles["last.weight"].data[1, 0, 0, 0] = 10
    middles["last.bias"].data[1] = -0.001
    return _saved(path, net, config)


def bordered_parts(path: Path) -> str:
    """A U-Net of gray pictures that calls `bright` what is above 0.3, of which what is below 0.77 is border, 2 wide."""
    config = UNetConfig(
        channels=2, depth=1, valid=False, range="unit", num_classes=3, border=2,
        class_names=(*NAMES, "border"), class_colors=(*COLORS, (86, 180, 233)),
    )  # fmt: skip
    net = UNet(config)
    for one in net.parameters():
        one.data.zero_()
    middles = dict(net.named_parameters())
    for name in ("downs.0.layers.0", "downs.0.layers.2", "joins.0.layers.0", "joins.0.layers.2"):
        middles[f"{name}.weight"].data[0, 0, 1, 1] = 1
    middles["last.weight"].data[1:, 0, 0, 0] = torch.tensor([40.0, 10.0])
    middles["last.bias"].data[1:] = torch.tensor([-26.0, -3.0])
    return _saved(path, net, config)


def of_chance(path: Path, config: UNetConfig) -> str:
    """A U-Net that sees far and means nothing, whose logits differ much."""
    torch.manual_seed(0)
    net = UNet(config)
    net.last.weight.data *= 5
    return _saved(path, net, config)


def _saved(path: Path, net: UNet, config: UNetConfig) -> str:
    save_weights(path, net.state_dict(), Header(system="unet", config=config.model_dump(mode="json")))
    return str(path)
