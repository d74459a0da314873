"""Flows by themselves: one after the other, backwards, how far they are to be trusted, and what fills their holes."""

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from limner.ops.grids import identity_places, sampled
from limner.ops.warp import Flow, warp

Trust = Float[Tensor, "n 1 h w"]
"""c in [0, 1]: how far the flow of a pixel is to be trusted."""


def composed(first: Flow, second: Flow) -> Flow:
    """The flow that goes as the first does, then on as the second: w(x) = first(x) + second(x + first(x)).

    Where the first leads out of the picture, the second is that of the nearest pixel of the border.

    >>> step = torch.tensor([1.0, 0.5]).view(1, 2, 1, 1).expand(1, 2, 4, 4)
    >>> composed(step, 2 * step)[0, :, 0, 0]
    tensor([3.0000, 1.5000])
    """
    return first + warp(second, first).image


def inverse(flow: Flow, *, steps: int = 20, start: Flow | None = None) -> Flow:
    """The flow back, v with v(x) = -u(x + v(x)): each step puts the last v into the right side.

    Chen, Lu, Ruan, Xie and Bai, "A simple fixed-point approach to invert a deformation field", Medical Physics 2008,
    doi:10.1118/1.2816107. It comes to v where u changes by less than a pixel from one pixel to the next; where u folds
    or tears, no v is right, and `round_trip` tells.

    Args:
        flow: u, in pixels.
        steps: How many are made.
        start: v to begin with; None: -u.

    >>> inverse(torch.full((1, 2, 4, 4), 0.5))[0, :, 0, 0]
    tensor([-0.5000, -0.5000])
    """
    back, own = -flow if start is None else start, identity_places(flow).to(flow)
    for _ in range(steps):
        back = -sampled(flow, own + back)
    return back


def round_trip(there: Flow, back: Flow) -> Float[Tensor, "n 1 h w"]:
    """How far off one is who goes back and there again, |w^(x) + w(x + w^(x))|, in pixels: their consistency.

    Args:
        there: w, from one picture to another.
        back: w-hat, from the other to the one, whose pixels are told.

    >>> round_trip(torch.full((1, 2, 4, 4), 1.0), torch.full((1, 2, 4, 4), -0.25))[0, 0, 0, 0]
    tensor(1.0607)
    """
    return composed(back, there).square().sum(1, keepdim=True).sqrt()


def trust(there: Flow, back: Flow) -> Trust:
    """c: 0 in disoccluded regions and at motion boundaries, 1 elsewhere (Ruder et al. 2016, section 4.2).

    Args:
        there: w, from the picture that is warped to the one that it becomes, in pixels.
        back: w-hat, from the latter to the former.
    """
    return (~disoccluded(there, back) & ~at_motion_boundary(back)).to(back.dtype)


def disoccluded(there: Flow, back: Flow) -> Bool[Tensor, "n 1 h w"]:
    """|w~ + w^|^2 > 0.01 (|w~|^2 + |w^|^2) + 0.5 with w~(x) = w(x + w^(x)).

    Sundaram, Brox and Keutzer, "Dense point trajectories by GPU-accelerated large displacement optical flow", ECCV
    2010; Ruder et al. 2016, equations 4 and 5. What comes from outside the picture or from an unknown flow is so too.
    """
    there_again, inside = warp(there, back)
    apart = (there_again + back).square().sum(1, keepdim=True)
    lengths = (there_again.square() + back.square()).sum(1, keepdim=True)
    return ~(inside & (apart <= 0.01 * lengths + 0.5))  # a comparison with NaN is false


def at_motion_boundary(back: Flow) -> Bool[Tensor, "n 1 h w"]:
    """|grad u^|^2 + |grad v^|^2 > 0.01 |w^|^2 + 0.002, Ruder et al. 2016, equation 6, with central differences."""
    padded = F.pad(back, (1, 1, 1, 1), mode="replicate")
    across = (padded[..., 1:-1, 2:] - padded[..., 1:-1, :-2]) / 2
    down = (padded[..., 2:, 1:-1] - padded[..., :-2, 1:-1]) / 2
    slope = (across.square() + down.square()).sum(1, keepdim=True)
    return ~(slope <= 0.01 * back.square().sum(1, keepdim=True) + 0.002)


def filled(flow: Flow, weights: Trust) -> Flow:
    """The flow where it is trusted, and elsewhere what lies around: the mean over ever larger squares.

    Gortler, Grzeszczuk, Szeliski and Cohen, "The lumigraph", SIGGRAPH 1996, section 3.4: pull and push.

    >>> flow = torch.tensor([[1.0, 1.0, 9.0, 3.0], [1.0, 1.0, 3.0, 3.0]]).expand(1, 2, 2, 4)
    >>> filled(flow, (flow < 5)[:, :1].float())[0, 0, 0]
    tensor([1., 1., 3., 3.])
    """
    if max(flow.shape[-2:]) == 1 or bool((weights == 1).all()):
        return flow * (weights > 0)
    height, width = flow.shape[-2:]
    pad = [0, width % 2, 0, height % 2]
    shares = F.avg_pool2d(F.pad(weights, pad), 2)
    sums = F.avg_pool2d(F.pad(torch.where(weights > 0, flow * weights, 0), pad), 2)
    coarse = filled(sums / shares.clamp(min=1e-6), (4 * shares).clamp(max=1))
    around = F.interpolate(coarse, scale_factor=2.0, mode="bilinear", align_corners=False)[..., :height, :width]
    return torch.where(weights > 0, torch.lerp(around, flow, weights), around)
