"""Deep image prior: restore a picture by fitting an untrained network to what is left of it.

Ulyanov, Vedaldi and Lempitsky, "Deep image prior", CVPR 2018, arXiv:1711.10925.
Differs from the paper: a run can stop by itself (`loops.smoothing`). The settings that are named after a task are those
of the authors' published code, which says more than the paper. What that code also does, and this does not: a run whose
fit worsens by 5 dB returns to earlier weights. What it means to do, and does not: to perturb the weights of
`INPAINT_REGION`. It averages outputs for denoising alone; ours (`DENOISE`, `INPAINT`, `UPSCALE` and the quick ones) do
so for all tasks: in our enlargements the last output alone has 0.7 to 0.9 dB less.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from limner.config import Config
from limner.errors import LimnerError
from limner.layers.hourglass import NO_SKIPS, Hourglass, HourglassConfig
from limner.loops.checkpoint import seed_everything
from limner.loops.optimize import Objective, OptimizeConfig, Optimized, Progress, RunControl, optimize
from limner.loops.pictures import NetworkPrior
from limner.loops.smoothing import Smoothed, StoppingConfig
from limner.ops.resample import imresize
from limner.types import Precision

Picture = Float[Tensor, "n c h w"]


class DeepImagePriorConfig(Config):
    """The default settings of the paper's supplementary material, those of super-resolution."""

    network: HourglassConfig = HourglassConfig()
    input: Literal["noise", "grid"] = Field("noise", description="z: uniform noise, or each pixel's own coordinates")
    input_range: float = Field(0.1, gt=0, description="z ~ U(0, this)")
    noise: float = Field(1 / 30, ge=0, description="sigma_p, deviation of the noise added to z at each step")
    optimize: OptimizeConfig = OptimizeConfig(steps=2000, learning_rate=0.01)
    average: float = Field(
        0.0, ge=0, lt=1, description="gamma of the running average of the outputs, for denoising; 0 is the last"
    )
    stopping: StoppingConfig | None = Field(None, description="None makes all steps")
    most_pixels: int | None = Field(
        None, ge=64, description="a larger picture is painted smaller, and enlarged bicubically; None has no bound"
    )
    back_projections: int = Field(
        0, ge=0, description="times that an enlargement is given what it lacks, shrunk, to its source; not in the paper"
    )
    bicubic_within: float = Field(
        0.0,
        ge=0,
        description="of 1: where a bicubic enlargement, shrunk again, is nearer to its source than this, it outweighs "
        "the network; 0: nowhere; not in the paper",
    )
    runs: int = Field(1, ge=1, description="from other weights and another z, whose outputs are averaged")


def _adam(steps: int, learning_rate: float = 0.01) -> OptimizeConfig:
    return OptimizeConfig(steps=steps, learning_rate=learning_rate)


_TAPERED = HourglassConfig(
    down_channels=(16, 32, 64, 128, 128), up_channels=(16, 32, 64, 128, 128), skip_channels=(0,) * 5
)

DENOISE_2018 = DeepImagePriorConfig(optimize=_adam(1800), average=0.99)
DENOISE_RELEASED_CODE = DeepImagePriorConfig(optimize=_adam(3000), average=0.99)
DEBLOCK = DeepImagePriorConfig(
    network=HourglassConfig(
        in_channels=3,
        down_channels=(8, 16, 32, 64, 128),
        up_channels=(8, 16, 32, 64, 128),
        skip_channels=(0, 0, 0, 4, 4),
    ),
    optimize=_adam(2400),
    average=0.99,
)
"""Of JPEG."""
UPSCALE_X4 = DeepImagePriorConfig(noise=0.03, optimize=_adam(2000))
UPSCALE_X8 = DeepImagePriorConfig(noise=0.05, optimize=_adam(4000))
INPAINT_TEXT = DeepImagePriorConfig(
    network=HourglassConfig(skip_channels=(128,) * 5, upsampling="nearest"), noise=0.03, optimize=_adam(6001)
)
INPAINT_HOLE = DeepImagePriorConfig(
    network=NO_SKIPS.model_copy(update={"in_channels": 2, "upsampling": "nearest"}),
    input="grid",
    noise=0.03,
    optimize=_adam(5001),
)
INPAINT_REGION = DeepImagePriorConfig(
    network=HourglassConfig(
        in_channels=1,
        down_channels=(16, 32, 64, 128, 128, 128),
        up_channels=(16, 32, 64, 128, 128, 128),
        skip_channels=(0,) * 6,
        down_kernels=(5,) * 6,
        up_kernels=(3,) * 6,
        upsampling="nearest",
        pointwise=False,
    ),
    noise=0.0,
    optimize=_adam(3001),
)
INPAINT_HALF = DeepImagePriorConfig(noise=0.03, optimize=_adam(11000, 0.001))
"""Every other pixel is missing, at random."""
INPAINT_SPARSE = DeepImagePriorConfig(
    network=_TAPERED.model_copy(update={"downsampling": "average"}), noise=0.0, optimize=_adam(1000)
)
"""All but two pixels of a hundred are missing."""
_OURS = DeepImagePriorConfig(  # much less work than the paper's network
    network=_TAPERED.model_copy(update={"skip_channels": (4,) * 5}), noise=0.0, average=0.99
)
"""Without noise on its input a network learns a picture in fewer steps, and soon after it the harm too: there
the automatic stop helps."""
DENOISE = _OURS.model_copy(update={"optimize": _adam(800), "stopping": StoppingConfig(patience=200)})
INPAINT = _OURS.model_copy(update={"optimize": _adam(600)})
UPSCALE = _OURS.model_copy(
    update={"noise": 0.02, "optimize": _adam(900), "back_projections": 2, "bicubic_within": 0.01}
)
QUICK = _OURS.model_copy(
    update={
        "network": HourglassConfig(
            in_channels=4,
            down_channels=(16, 32, 64, 64, 64),
            up_channels=(16, 32, 64, 64, 64),
            skip_channels=(16,) * 5,
            pointwise=False,
        ),
        "most_pixels": 512**2,
        "optimize": _adam(220, 0.02),
    }
)
QUICK_UPSCALE = QUICK.model_copy(  # without noise on its input, it would show through where nothing is observed
    update={
        "noise": 0.03,
        "most_pixels": 256**2,
        "optimize": _adam(540, 0.02),
        "back_projections": 2,
        "bicubic_within": 0.01,
    }
)


def denoising(observed: Picture, weight: float = 1.0) -> Objective:
    """E(x; x_0) = ||x - x_0||^2 ("Denoising"), the mean over pixels and channels, as all energies here."""
    return lambda image: {"denoising": weight * (image - observed).square().mean()}


def inpainting(observed: Picture, known: Float[Tensor, "#n #c h w"], weight: float = 1.0) -> Objective:
    """E(x; x_0) = ||(x - x_0) m||^2 ("Inpainting").

    Args:
        observed: Of any value where it is not known.
        known: m, 1 where the picture is known and 0 where it is missing.
        weight: Of this energy among others.
    """
    kept = observed * known
    return lambda image: {"inpainting": weight * (image * known - kept).square().mean()}


def super_resolution(observed: Picture, weight: float = 1.0) -> Objective:
    """E(x; x_0) = ||d(x) - x_0||^2 ("Super-resolution"), d as `shrink`."""
    height, width = observed.shape[-2:]
    return lambda image: {"super_resolution": weight * (shrink(image, (height, width)) - observed).square().mean()}


def shrink(image: Picture, size: tuple[int, int]) -> Float[Tensor, "n c H W"]:
    """The paper's d: the Lanczos kernel of two lobes, the last pixel again beyond the border.

    Args:
        image: At least as large as `size`.
        size: Height and width of the result in pixels.
    """
    return imresize(image, size=size, kernel="lanczos2", border="replicate")


def enlargement(image: Picture, observed: Float[Tensor, "n c H W"], config: DeepImagePriorConfig) -> Picture:
    """What the network painted at full size, finished as the configuration says.

    A network that fits each edge makes small errors in what is smooth, where bicubic interpolation makes none. So the
    nearer bicubic's picture, shrunk, comes to what was observed, over 3x3 pixels of that, the more of it there is.

    Args:
        image: (n, c, h, w) in [0, 1].
        observed: What was enlarged, in [0, 1].
        config: Its `bicubic_within` and `back_projections`; without both the picture stays as it is.
    """
    if config.bicubic_within:
        size = (image.shape[-2], image.shape[-1])
        plain = imresize(observed, size=size)
        missed = (shrink(plain, (observed.shape[-2], observed.shape[-1])) - observed).square().mean(1, keepdim=True)
        missed = F.avg_pool2d(F.pad(missed, (1, 1, 1, 1), mode="replicate"), 3, 1)
        missed = imresize(missed, size=size).clamp(min=0)
        image = torch.lerp(plain, image, missed / (missed + config.bicubic_within**2))
    return back_projected(image, observed, config.back_projections)


def back_projected(image: Picture, observed: Float[Tensor, "n c H W"], times: int) -> Picture:
    """An enlargement whose shrunk picture comes nearer to what was observed each time.

    Irani and Peleg, "Improving resolution by image registration", CVGIP 53(3), 1991.
    """
    for _ in range(times):
        lacking = observed - shrink(image, (observed.shape[-2], observed.shape[-1]))
        image = image + imresize(lacking, size=(image.shape[-2], image.shape[-1]))
    return image.clamp(0, 1) if times else image


def painter(
    size: tuple[int, int],
    config: DeepImagePriorConfig,
    precision: Precision = "exact",
    device: torch.device | str = "cpu",
) -> Smoothed:
    """The network with its z for a picture of so many rows and columns, as the seed has them.

    Too small a picture gets fewer scales.

    Raises:
        LimnerError: If even one scale does not fit.
    """
    network = config.network.fitting(min(size))
    if network.least_side > min(size):
        raise LimnerError(
            f"a picture must have {network.least_side} pixels a side or more, got {size[1]}x{size[0]}: enlarge it first"
        )
    seed_everything(config.optimize.seed)
    net = Hourglass(network)  # before z: both draw from one seed
    prior = NetworkPrior(net, _input(size, config), noise=config.noise, precision=precision, device=device)
    return Smoothed(prior, (1, network.out_channels, *size), config.average, config.stopping).to(device)


def _input(size: tuple[int, int], config: DeepImagePriorConfig) -> Tensor:
    if config.input == "noise":
        return config.input_range * torch.rand(1, config.network.in_channels, *size)
    down, across = (torch.linspace(0, 1, side) for side in size)
    return torch.stack(torch.meshgrid(across, down, indexing="xy"))[None]


def sample(size: tuple[int, int], config: DeepImagePriorConfig) -> Picture:
    """A picture from the prior itself: what the network paints before it has seen any."""
    with torch.no_grad():
        return painter(size, config)()


def restore(
    energy: Objective,
    size: tuple[int, int],
    config: DeepImagePriorConfig,
    *,
    device: torch.device | str = "cpu",
    precision: Precision = "exact",
    control: RunControl = RunControl(),
    made_of: Sequence[Any] = (),
) -> Optimized:
    """theta* = argmin E(f_theta(z); x_0), x* = f_theta*(z) (equation 2).

    Args:
        energy: How far a picture is from what was observed.
        size: Height and width of the picture in pixels.
        config: How.
        device: Where the energy wants the picture.
        precision: `exact` (float32) or `fast` (bfloat16 where it pays).
        control: How it is watched, stopped and resumed.
        made_of: What the energy is made of, as for `optimize`.

    Returns:
        The picture, averaged as the configuration says; the reason is `no gain` where the run has stopped by itself.

    Raises:
        LimnerError: If the picture is too small, or there is nothing to resume, or more than one run.
    """
    if control.state and config.runs > 1:
        raise LimnerError(f"a state is kept of a single run, got runs={config.runs}: restore once for each seed")
    results = []
    for run in range(config.runs):
        own = config.optimize.model_copy(update={"seed": config.optimize.seed + run})
        picture = painter(size, config.model_copy(update={"optimize": own}), precision, device)
        results.append(_run(picture, energy, own, control, [config, *made_of]))
        if results[-1].reason == "stopped":
            break
    return results[-1]._replace(image=torch.stack([result.image for result in results]).mean(dim=0))


def _run(
    picture: Smoothed,
    energy: Objective,
    config: OptimizeConfig,
    control: RunControl,
    made_of: Sequence[Any],
) -> Optimized:
    def ends(progress: Progress) -> bool:
        return bool(control.watch and control.watch(progress)) or picture.is_past_best()

    found = optimize(picture, energy, config, control=replace(control, watch=ends), made_of=made_of)
    if found.reason == "stopped" and picture.is_past_best():
        found = found._replace(reason="no gain")
    if control.state and found.reason != "stopped":
        control.state.unlink(missing_ok=True)  # nothing is left to go on with
    return found._replace(image=picture.result().clone())
