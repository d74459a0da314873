"""`learn_style`: a painting of one's own as a style that paints in one pass, learnt in minutes.

Dumoulin, Shlens and Kudlur, "A learned representation for artistic style", ICLR 2017, arXiv:1610.07629, section 3.2: a
trained network learns a new style by its scales and shifts alone. It begins with those of the style that it knows best.
"""

from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from limner.catalog.models import load
from limner.data.folder import find_images
from limner.data.stylization import StylizationConfig, read, squares_of
from limner.errors import LimnerError, did_you_mean
from limner.features.vgg16 import VGG
from limner.files.weights import Header, save_weights
from limner.loops.checkpoint import seed_everything
from limner.loops.fit import STATE_FILE, FitConfig, Watcher, fit
from limner.loops.optimizers import OptimizerConfig, ScheduleConfig
from limner.losses.perceptual import mean_gram_targets, style_loss
from limner.ops.framing import middle_square
from limner.processor import precision_on
from limner.runtime.device import choose_device
from limner.systems.feedforward.many_styles import ManyStyles
from limner.types import Image
from limner.verbs.stylize.network_painter import MANY_STYLES

TRUNK = MANY_STYLES
"""The embedded network whose convolutions a new style keeps."""

PHOTOS = Path(__file__).parents[1] / "learning_photos"
"""What is painted while a style is learnt; NOTICE says whose they are."""

_PATCH = 192  # side of the crops that are painted, in pixels
_TRIED = 2  # photos that are painted in every style to find the nearest
FIT = FitConfig(
    steps=100_000,
    batch_size=1,
    optimizer=OptimizerConfig(kind="adam", learning_rate=0.03),
    schedule=ScheduleConfig(kind="cosine", final=0.1),
    precision="bfloat16",
    ema_decay=0.95,
)
"""Minutes end it, not steps."""


class LearntStyle(NamedTuple):
    """What learning came to.

    Attributes:
        model: The weight file.
        step: Steps made, over all resumptions.
        seconds: Spent on them.
        finished: False if a signal stopped it; then there is no weight file yet.
        start: The style that it began with.
    """

    model: Path
    step: int
    seconds: float
    finished: bool
    start: str


def learn_style(
    painting: str | PathLike[str],
    output: str | PathLike[str],
    *,
    minutes: float | None = 5.0,
    config: FitConfig = FIT,
    name: str | None = None,
    size: int = 320,
    trunk: str | None = None,
    start: str | None = None,
    photos: Path = PHOTOS,
    settings: Sequence[str] = (),
    device: str = "auto",
    resume: bool = False,
    overwrite: bool = False,
    watchers: Sequence[Watcher] = (),
) -> LearntStyle:
    """Learn a style from one painting, and write a model that `stylize` takes.

    Beside the output, a folder of its name with `.learning` keeps what a resumed run needs, until the style is learnt.

    Args:
        painting: A picture.
        output: A `.safetensors` file.
        minutes: Of learning, over all resumptions; None: the steps of `config` count.
        config: How it is learnt.
        name: Of the style; None is that of the painting's file.
        size: The shorter side of the painting in pixels, as it is looked at: more gives broader strokes.
        trunk: A weight file of a `many-styles` whose convolutions are kept; None takes the embedded one.
        start: The style of the trunk that learning begins with; None takes the nearest.
        photos: A folder of pictures that are painted in learning.
        settings: `field=value` for the configuration of the network, such as `content_weight=0.2`.
        device: `auto`, `cpu`, `cuda` or `mps`.
        resume: Go on with a run that was stopped.
        overwrite: Replace an existing output.
        watchers: Told of every step.

    Raises:
        LimnerError: If a picture cannot be read, the output is there, or there is nothing to resume.

    Example:
        >>> limner.learn_style("painting.jpg", "mine.safetensors", minutes=5)  # doctest: +SKIP
        LearntStyle(model=PosixPath('mine.safetensors'), ...)
    """
    painting, output = Path(painting), Path(output)
    check_output(output, overwrite)
    run = output.with_suffix(".learning")
    samples = StylizationConfig(styles=(painting,), patch=_PATCH, style_size=size).load(photos)
    chosen = choose_device(device)
    seed_everything(config.seed)
    known = _trunk(trunk or TRUNK)
    start = start or _nearest(known.to(chosen), painting, size, photos)
    network = _begun(known, start, name or painting.stem, settings)
    if not resume:
        (run / STATE_FILE).unlink(missing_ok=True)
    result = fit(
        network, samples, config, run=run, resume=resume, device=str(chosen), minutes=minutes, save_every=60.0,
        watchers=watchers,
    )  # fmt: skip
    if result.finished:
        provenance = (
            f"limner learn-style {painting.name}, {result.step} steps, from {start} of {Path(trunk or TRUNK).stem}"
        )
        figures = {"steps": float(result.step), "minutes": round(result.seconds / 60, 2)}
        learnt = network.config.model_dump(mode="json")
        header = Header(system="many-styles", config=learnt, provenance=provenance, metrics=figures)
        save_weights(output, result.system.state_dict(), header)
        (run / STATE_FILE).unlink(missing_ok=True)
        run.rmdir()
    return LearntStyle(output, result.step, result.seconds, result.finished, start)


def check_output(output: Path, overwrite: bool) -> None:
    """Refuse a place that a learnt style cannot have, before the work.

    Raises:
        LimnerError: If the suffix is another, or a file is there that may not be replaced.
    """
    if output.suffix != ".safetensors":
        raise LimnerError(f"a learnt style is written as .safetensors, got {output}: name such a file")
    if output.exists() and not overwrite:
        raise LimnerError(f"{output}: is already there: pass --force to replace, or name another with --output")


def _trunk(model: str) -> ManyStyles:
    trunk, header = load(model)
    if not isinstance(trunk, ManyStyles):
        raise LimnerError(f"a style is learnt by a model of many-styles, got {model}, a {header.system}: name another")
    return trunk


def _nearest(trunk: ManyStyles, painting: Path, size: int, photos: Path) -> str:
    """The style of the trunk that is nearest to a painting."""
    seen = [middle_square(read(path)[None], _PATCH) for path in find_images(photos)[:_TRIED]]
    distances = style_distances(trunk, squares_of(read(painting), size), torch.cat(seen))
    return min(distances, key=distances.__getitem__)


def _begun(trunk: ManyStyles, start: str, name: str, settings: Sequence[str]) -> ManyStyles:
    """The trunk with the scales and shifts of one of its styles, under a new name."""
    alone = trunk.at(one_style(trunk, start))
    config = alone.config.model_copy(update={"styles": (name,), "train_trunk": False}).override(settings)
    network = ManyStyles(config)
    network.load_state_dict(alone.state_dict())
    return network


def one_style(network: ManyStyles, name: str) -> Tensor:
    """The mixture (styles,) of one of a network's styles alone.

    Raises:
        LimnerError: If the network does not know it.
    """
    names = network.config.styles
    if name not in names:
        raise LimnerError(f"the network knows {', '.join(names)}, got {name!r}: {did_you_mean(name, names)}")
    return F.one_hot(torch.tensor(names.index(name)), len(names)).float()


@torch.inference_mode()
def style_distances(network: ManyStyles, style: Float[Tensor, "k 3 s s"], photos: Image) -> Mapping[str, float]:
    """How far each style of a network is from a painting: the style loss of photos painted in it, relative to nothing.

    Args:
        network: Of many styles.
        style: Pictures whose mean Gram matrices are the style.
        photos: (n, 3, h, w), sides multiples of 4.
    """
    device = next(network.parameters()).device
    layers = network.config.style_layers
    vgg = VGG(layers, precision=precision_on(device, "fast")).to(device)
    targets = mean_gram_targets(vgg(style.to(device)), layers)
    found = {}
    for name in network.config.styles:
        painted = network.at(one_style(network, name)).to(device)(photos.to(device))
        found[name] = style_loss(vgg(painted), targets, layers, relative=True).item()
    return found
