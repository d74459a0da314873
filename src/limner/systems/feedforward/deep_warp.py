"""DeepWarp: an eye that looks elsewhere, made by moving its pixels.

Ganin, Kononenko, Sungatullina and Lempitsky, "DeepWarp: photorealistic image resynthesis for gaze manipulation", ECCV
2016, arXiv:1607.07215, section 3: a coarse warp at half size, a fine one on top of it, and a correction of lightness.
Differs from the paper: widths and palette are those of the first author's later code; the seven points, there given by
a detector, may be found by a small network of ours that learns beside; the `MODERN` network is ours.
"""

import itertools
from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from limner.config import Config
from limner.data.gazes import NUM_POINTS, Gazes
from limner.loops.fit import FitConfig
from limner.loops.optimizers import OptimizerConfig
from limner.loops.presets import modern_fit
from limner.ops.grids import identity_places, sampled
from limner.ports import Port
from limner.types import Progress, Turn

Eyes = Float[Tensor, "n 3 h w"]


class DeepWarpConfig(Config):
    """The networks of section 3, and what of them there is."""

    widths: tuple[int, ...] = Field((32, 96, 128, 128), min_length=4, max_length=4, description="of the layers")
    embedding: int = Field(16, ge=1, description="channels that the angle becomes")
    scales: int = Field(2, ge=1, le=2, description="2: a coarse warp at half size first")
    warps: bool = Field(True, description="False: colours are made directly, a baseline of section 4")
    lightness: bool = Field(True, description="the correction of lightness (section 3.4)")
    palette: int = Field(2, ge=1, description="colours that the correction mixes in")
    reach: float = Field(0.2, gt=0, description="most that a scale moves a pixel, as a share of the sides")
    loss: Literal["l2", "l1"] = Field("l2", description="of the colours; the paper's is l2")
    smoothness: float = Field(0.0, ge=0, description="of the flow's differences in pixels; ours")


DEEP_WARP_2016 = DeepWarpConfig()
MODERN = DeepWarpConfig(widths=(24, 48, 64, 64), loss="l1", smoothness=2e-3)
"""Ours: a third of the multiplications."""

FIT_2016 = FitConfig(  # the paper does not tell; these are a public re-implementation's
    steps=1_250_000, batch_size=128, optimizer=OptimizerConfig(kind="adam", learning_rate=1e-4)
)
FIT_MODERN = modern_fit(15_000, 16, 1.5e-3, clip_norm=1.0)

_SURE = 4.0  # logit by which the correction of lightness begins as the warp alone
_LEAST_SIDE = 32  # the network that finds points halves three times


class Redirected(NamedTuple):
    """An eye that looks elsewhere, and how it came about.

    Attributes:
        image: (n, 3, h, w).
        flow: (n, 2, h, w), where each pixel is fetched from, in pixels; zeros where nothing is warped.
        weights: (n, 1 + palette, h, w): of what was fetched, and of each colour of the palette; they add up to 1.
    """

    image: Tensor
    flow: Tensor
    weights: Tensor


class DeepWarp(nn.Module):
    """An eye, its seven points and an angle in, the eye that looks there out."""

    needs_whole = True

    def __init__(self, config: DeepWarpConfig = DEEP_WARP_2016) -> None:
        super().__init__()
        self.config = config
        self.warper = Warper(config)
        self.finder = PointFinder()

    @property
    def inputs(self) -> tuple[Port, ...]:
        """The picture, x and y of the points as shares of its sides, and yaw and pitch to turn by."""
        return (
            Port("image", "photo", multiple=2, least=_LEAST_SIDE),
            Port("points", "score", 2 * NUM_POINTS),
            Port("angle", "angle", 2),
        )

    @property
    def outputs(self) -> tuple[Port, ...]:
        """The picture with the gaze turned."""
        return (Port("redirected", "photo"),)

    @property
    def players(self) -> Mapping[str, nn.Module]:
        """Who warps, and who finds points; neither sees the other."""
        return {"warper": self.warper, "finder": self.finder}

    def forward(self, image: Eyes, points: Float[Tensor, "n 14"], angle: Float[Tensor, "n 2"]) -> Eyes:
        """In [0, 1] -> in [0, 1]."""
        return self.warper(image, points, angle).image.clamp(0, 1)

    def turns(self, batch: Gazes, progress: Progress) -> Iterator[Turn]:
        """Section 3.1: the difference to the eye that truly looks there."""
        made = self.warper(batch.image, batch.points, batch.angle)
        differ = F.mse_loss if self.config.loss == "l2" else F.l1_loss
        losses = {"colours": differ(made.image.float(), batch.target)}
        if self.config.smoothness:
            losses["smoothness"] = self.config.smoothness * _roughness(made.flow.float())
        yield Turn("warper", losses)
        yield Turn("finder", {"points": F.l1_loss(self.finder(batch.image).float(), batch.points)})


class Warper(nn.Module):
    """The coarse and the fine warp, and the correction of lightness."""

    def __init__(self, config: DeepWarpConfig) -> None:
        super().__init__()
        self.config = config
        self.embed = nn.Sequential(
            nn.Linear(2, config.embedding), nn.ReLU(), nn.Linear(config.embedding, config.embedding), nn.ReLU()
        )
        given = 3 + 2 * NUM_POINTS
        made = 2 if config.warps else 3
        self.coarse = Scale(given, made, config) if config.scales == 2 else None
        self.fine = Scale(given + (5 if config.scales == 2 and config.warps else 0), made, config)
        self.lightness = nn.Conv2d(config.widths[-1] + 3, 1 + config.palette, 1) if config.lightness else None
        if self.lightness is not None:
            self.palette = nn.Parameter(torch.linspace(2, -2, config.palette)[:, None].repeat(1, 3))
            nn.init.zeros_(self.lightness.weight)
            assert self.lightness.bias is not None
            self.lightness.bias = nn.Parameter(_SURE * F.one_hot(torch.tensor(0), 1 + config.palette))

    def forward(self, image: Eyes, points: Float[Tensor, "n 14"], angle: Float[Tensor, "n 2"]) -> Redirected:
        """As `DeepWarp.forward`, with the way there."""
        given = torch.cat([image, anchors(image, points)], 1)
        angle = self.embed(angle)
        if not self.config.warps:
            return self._painted(image, given, angle)
        flow = None
        if self.coarse is not None:
            half, _ = self.coarse(F.avg_pool2d(given, 2), angle)
            flow = self._flow(F.interpolate(half, scale_factor=2.0, mode="bilinear", align_corners=False), image)
            given = torch.cat([given, self._share(flow, image), sampled(image, identity_places(image) + flow)], 1)
        made, features = self.fine(given, angle)
        finer = self._flow(made, image)
        flow = finer if flow is None else flow + finer
        warped = sampled(image, identity_places(image) + flow)
        return self._corrected(warped, flow, features)

    def _painted(self, image: Eyes, given: Tensor, angle: Tensor) -> Redirected:
        made, features = self.fine(given, angle)
        if self.coarse is not None:
            made = made + F.interpolate(
                self.coarse(F.avg_pool2d(given, 2), angle)[0], scale_factor=2.0, mode="bilinear", align_corners=False
            )
        return self._corrected(image + made, torch.zeros_like(image[:, :2]), features)

    def _flow(self, made: Float[Tensor, "n 2 h w"], image: Eyes) -> Tensor:
        """Pixels, of what a scale gives in [-1, 1]."""
        return self.config.reach * _times(made, image.shape[-1], image.shape[-2])

    def _share(self, flow: Tensor, image: Eyes) -> Tensor:
        return _times(flow, 1 / image.shape[-1], 1 / image.shape[-2])

    def _corrected(self, warped: Tensor, flow: Tensor, features: Tensor) -> Redirected:
        """Section 3.4: at each pixel a mean of what was fetched and of the palette, by weights that add up to 1."""
        if self.lightness is None:
            return Redirected(warped, flow, torch.ones_like(warped[:, :1]))
        weights = self.lightness(torch.cat([features, warped], 1)).float().softmax(1)
        return Redirected(mixed(warped, weights, self.colours), flow, weights)

    @property
    def colours(self) -> Float[Tensor, "p 3"]:
        """Of the palette, in [0, 1]."""
        return self.palette.sigmoid()


class Scale(nn.Module):
    """Five convolutions, each given the angle too: 5x5, 3x3, 3x3, 1x1, and a last 1x1 that gives values in [-1, 1]."""

    def __init__(self, in_channels: int, out_channels: int, config: DeepWarpConfig) -> None:
        super().__init__()
        before = [in_channels, *config.widths[:-1]]
        sides = (5, 3, 3, 1)
        self.convolutions = nn.ModuleList(
            nn.Conv2d(one + config.embedding, other, side, padding=side // 2)
            for one, other, side in zip(before, config.widths, sides, strict=True)
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(width) for width in config.widths)
        self.last = nn.Conv2d(config.widths[-1], out_channels, 1)
        with torch.no_grad():
            self.last.weight.normal_(std=0.01)
        assert self.last.bias is not None
        nn.init.zeros_(self.last.bias)

    def forward(self, x: Tensor, angle: Float[Tensor, "n e"]) -> tuple[Tensor, Tensor]:
        """What is made, and the features that it is made of."""
        told = angle[:, :, None, None].expand(-1, -1, x.shape[-2], x.shape[-1])
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            x = F.relu(norm(convolution(torch.cat([x, told], 1))))
        return self.last(x).tanh(), x


class PointFinder(nn.Module):
    """Where the seven points of an eye are; ours."""

    def __init__(self) -> None:
        super().__init__()
        widths = (3, 16, 32, 48, 64)
        self.layers = nn.Sequential(
            *(
                layer
                for before, after in itertools.pairwise(widths)
                for layer in (nn.Conv2d(before, after, 3, 2, 1), nn.BatchNorm2d(after), nn.ReLU())
            )
        )
        self.heat = nn.Conv2d(64, NUM_POINTS, 3, padding=1)
        self.shift = nn.Linear(64, 2 * NUM_POINTS)

    def forward(self, image: Eyes) -> Float[Tensor, "n 14"]:
        """Where each is, x and y in turn, as shares of the sides: the middle of a soft heat map, and a correction."""
        x = self.layers(2 * image - 1)
        heat = self.heat(x).flatten(2).float().softmax(2).unflatten(2, (x.shape[2], x.shape[3]))
        rows, columns = ((torch.arange(x.shape[axis], device=x.device) + 0.5) / x.shape[axis] for axis in (2, 3))
        middles = torch.stack([(heat.sum(2) * columns).sum(2), (heat.sum(3) * rows).sum(2)], 2)
        return middles.flatten(1) + 0.1 * self.shift(x.mean((2, 3))).float().tanh()


def anchors(image: Eyes, points: Float[Tensor, "n 14"]) -> Float[Tensor, "n 14 h w"]:
    """How far each pixel is from each point, in x and in y, as shares of the sides (section 3.1).

    >>> anchors(torch.zeros(1, 3, 2, 2), torch.full((1, 14), 0.25))[0, :2]
    tensor([[[0.0000, 0.5000],
             [0.0000, 0.5000]],
    <BLANKLINE>
            [[0.0000, 0.0000],
             [0.5000, 0.5000]]])
    """
    own = _times(identity_places(image) + 0.5, 1 / image.shape[-1], 1 / image.shape[-2])  # (1, 2, h, w)
    apart: Tensor = own.repeat(1, NUM_POINTS, 1, 1) - points[:, :, None, None]
    return apart


def _times(pairs: Float[Tensor, "n 2 h w"], x: float, y: float) -> Float[Tensor, "n 2 h w"]:
    """The parts in x and in y, each by a factor of its own."""
    return torch.cat([pairs[:, :1] * x, pairs[:, 1:] * y], 1)


def mixed(warped: Tensor, weights: Float[Tensor, "n k h w"], colours: Float[Tensor, "p 3"]) -> Tensor:
    """The first weight's share of the picture, and the others' of the colours."""
    toned = torch.einsum("nphw,pc->nchw", weights[:, 1:], colours.to(weights.dtype))
    return weights[:, :1] * warped + toned


def _roughness(flow: Float[Tensor, "n 2 h w"]) -> Tensor:
    return flow.diff(dim=2).abs().mean() + flow.diff(dim=3).abs().mean()
