"""What the paper prints, figure 1 written out, and the overlap of tiles."""

import pytest
import torch
import torch.nn.functional as F

from limner.catalog.segmenting import UNET
from limner.data.segmented import Segmented, SegmentedConfig
from limner.errors import LimnerError
from limner.losses.segmentation import soft_dice, weighted_cross_entropy
from limner.ports import least_of, multiple_of
from limner.runtime.run_options import RunOptions
from limner.runtime.runner import Runner
from limner.systems.segmentation.unet import MODERN, UNET_2015, UNet, UNetConfig, side_after
from limner.types import Progress

SMALL = UNetConfig(channels=4, depth=2)


def made(config: UNetConfig) -> UNet:
    """Ready to be run, with statistics that are not those of a new network."""
    torch.manual_seed(0)
    net = UNet(config)
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)  # type: ignore[union-attr, operator]
            module.running_var.uniform_(0.5, 2)  # type: ignore[union-attr, operator]
    return net.eval()


def test_the_weights_of_figure_1_are_so_many() -> None:
    """Counted out for 1 channel in and 2 out: 23 convolutions, 4 of them 2x2."""
    assert sum(one.numel() for one in UNet(UNET_2015).parameters()) == 31_030_658
    layers = [one for one in UNet(UNET_2015).modules() if isinstance(one, torch.nn.Conv2d | torch.nn.ConvTranspose2d)]
    assert len(layers) == 23  # section 2: "In total the network has 23 convolutional layers."


def test_572_pixels_give_388() -> None:
    narrow = UNET_2015.model_copy(update={"channels": 1})
    assert UNet(narrow).paths(torch.zeros(1, 1, 572, 572)).shape == (1, 2, 388, 388)
    assert side_after(572, UNET_2015) == 388


@pytest.mark.parametrize("config", [SMALL, SMALL.model_copy(update={"depth": 3}), MODERN])
def test_the_side_is_foretold_wherever_the_paths_can_be_gone(config: UNetConfig) -> None:
    """Valid paths lose 12 * 2^depth - 8 pixels; their sides are a multiple of 2^depth, less 4."""
    net, multiple = made(config.model_copy(update={"channels": 1})), 2**config.depth
    for side in range(4, 120):
        lost, rest = (12 * multiple - 8, -4 % multiple) if config.valid else (0, 0)
        expected = side - lost if side > lost and side % multiple == rest else None
        assert side_after(side, config) == expected
        if expected:
            assert net.paths(torch.zeros(1, 1, side, side)).shape[-1] == expected


def by_figure_1(net: UNet, image: torch.Tensor) -> torch.Tensor:
    """Depth 2, with the layers' weights and plain functions."""
    weights = dict(net.named_parameters())

    def convolved(x: torch.Tensor, name: str) -> torch.Tensor:
        for number in (0, 2):
            layer = f"{name}.layers.{number}"
            x = F.relu(F.conv2d(x, weights[f"{layer}.weight"], weights[f"{layer}.bias"]))
        return x

    def up(x: torch.Tensor, number: int) -> torch.Tensor:
        return F.conv_transpose2d(x, weights[f"ups.{number}.weight"], weights[f"ups.{number}.bias"], stride=2)

    def middle(x: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
        top, left = ((one - other) // 2 for one, other in zip(x.shape[-2:], like.shape[-2:], strict=True))
        return x[..., top : top + like.shape[-2], left : left + like.shape[-1]]

    first = convolved(2 * image - 1, "downs.0")
    second = convolved(F.max_pool2d(first, 2), "downs.1")
    x = up(convolved(F.max_pool2d(second, 2), "downs.2"), 0)
    x = up(convolved(torch.cat([middle(second, x), x], 1), "joins.0"), 1)
    x = convolved(torch.cat([middle(first, x), x], 1), "joins.1")
    return F.conv2d(x, weights["last.weight"], weights["last.bias"])


def test_the_paths_are_those_of_figure_1() -> None:
    net, image = made(SMALL), torch.rand(1, 1, 60, 68)
    torch.testing.assert_close(net.paths(image), by_figure_1(net, image))


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_the_picture_is_mirrored_by_as_little_as_it_takes(depth: int) -> None:
    config = UNetConfig(channels=2, depth=depth)
    net = made(config)
    multiple = multiple_of(net.inputs)
    assert multiple == 2**depth
    image = torch.rand(1, 1, least_of(net.inputs), least_of(net.inputs) + multiple)
    with torch.no_grad():
        assert net(image).shape[-2:] == image.shape[-2:]
    side = 64 + 2 * (net.margin - 1)
    assert (side_after(side, config) or 0) < 64


def test_pixels_in_the_middle_do_not_know_of_the_mirror() -> None:
    net, image = made(SMALL), torch.rand(1, 1, 96, 104)
    whole = net(image)
    alone = net.paths(image)
    down, across = ((whole.shape[side] - alone.shape[side]) // 2 for side in (2, 3))
    if down % 4:  # the grids of the pools must be the same
        alone, down, across = net.paths(image[..., 2:-2, 2:-2]), down + 2, across + 2
    inner = whole[..., down : down + alone.shape[2], across : across + alone.shape[3]]
    torch.testing.assert_close(inner, alone)


def test_overlapping_tiles_are_the_whole() -> None:
    """Figure 2: what one tile gives is what the whole gives there."""
    net, image = made(SMALL), torch.rand(1, 1, 128, 128)
    given, gives = 76, side_after(76, SMALL)
    assert gives == 36
    whole = net.paths(image)
    for top in (0, 36):
        for left in (0, 16, 52):
            tile = net.paths(image[..., top : top + given, left : left + given])
            torch.testing.assert_close(tile, whole[..., top : top + gives, left : left + gives])


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"valid": False},
        {"valid": False, "norm": "batch"},
        {"residual": True},
        {"skips": False},
        {"valid": False, "upsampling": "bilinear"},
        {"upsampling": "bed_of_nails"},
        {"upsampling": "sub_pixel", "in_channels": 3, "num_classes": 5},
        {"norm": "batch", "upsampling": "resize"},
    ],
)
def test_any_picture_in_parts_is_the_picture_whole(change: dict) -> None:
    config = SMALL.model_copy(update=change)
    net = made(config)
    image = torch.rand(1, config.in_channels, 120, 152)
    with torch.no_grad():
        whole = net(image)
    parts = Runner(net, RunOptions(device="cpu", precision="exact", backend="torch", tile=40))(image)
    assert whole.shape == (1, config.num_classes, 120, 152)
    torch.testing.assert_close(parts, whole, atol=1e-5, rtol=1e-5)


def test_weights_begin_as_section_3_says() -> None:
    torch.manual_seed(0)
    layer = UNet(UNetConfig(channels=32, depth=1)).downs[1].layers[2]  # type: ignore[index]
    assert layer.weight.std().item() == pytest.approx((2 / (9 * 64)) ** 0.5, rel=0.02)  # type: ignore[union-attr, operator]
    assert not layer.bias.any()  # type: ignore[union-attr, operator]


def test_the_loss_is_of_the_pixels_that_the_paths_give() -> None:
    net = made(SMALL.model_copy(update={"dice_weight": 0.25}))
    labels, weight = torch.randint(0, 2, (1, 1, 76, 76)), torch.rand(1, 1, 76, 76)
    weight[..., 30:40, :] = 0
    batch = Segmented(torch.rand(1, 1, 76, 76), labels, weight)
    (turn,) = net.turns(batch, Progress())
    logits, inner = net.paths(batch.image), (..., slice(20, 56), slice(20, 56))
    assert turn.player == "network"
    expected = weighted_cross_entropy(logits, labels[inner], weight[inner])
    torch.testing.assert_close(turn.losses["cross_entropy"], expected)
    dice = soft_dice(logits, labels[inner], weight[inner] > 0)
    torch.testing.assert_close(turn.losses["dice"], 0.25 * (1 - dice))
    (plain,) = made(SMALL).turns(batch, Progress())
    assert set(plain.losses) == {"cross_entropy"}


def test_it_learns_to_tell_bright_from_dark() -> None:
    torch.manual_seed(0)
    net = UNet(MODERN.model_copy(update={"channels": 4, "depth": 2, "dropout": 0.0}))
    image = torch.rand(2, 1, 8, 8).repeat_interleave(8, 2).repeat_interleave(8, 3)
    label = (image > 0.5).long()
    optimizer = torch.optim.Adam(net.parameters(), 0.01)
    for _ in range(30):
        (turn,) = net.turns(Segmented(image, label, torch.ones_like(image)), Progress())
        optimizer.zero_grad()
        turn.total.backward()
        optimizer.step()
    assert (net(image).argmax(1, keepdim=True) == label).float().mean() > 0.97


def test_a_sample_that_does_not_halve_is_refused_with_one_that_does() -> None:
    assert UNET.check is not None
    with pytest.raises(
        LimnerError, match="must halve 4 times without a rest, after what valid convolutions take, got 570: take 572"
    ):
        UNET.check(UNET_2015, SegmentedConfig(patch=570))
    UNET.check(UNET_2015, SegmentedConfig(patch=572))
