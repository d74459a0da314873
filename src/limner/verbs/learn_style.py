"""`learn_style`: a painting of one's own as a style that paints in one pass, learnt in minutes.

Dumoulin, Shlens and Kudlur, "A learned representation for artistic style", ICLR 2017, arXiv:1610.07629, section 3.2: a
trained network learns a new style by its scales and shifts alone. It begins with those of the style that it knows best.
"""

from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from limner.arguments import REPLACE, check_finite, check_path, check_seed, check_whole, model_text
from limner.catalog.models import load
from limner.data.folder import find_images
from limner.data.stylization import StylizationConfig, read, squares_of
from limner.errors import LimnerError, did_you_mean
from limner.features.vgg16 import VGG
from limner.files.image import Picture, from_tensor, write_image
from limner.files.lock import alone_at
from limner.files.weights import Header, save_weights
from limner.loops.checkpoint import seed_everything
from limner.loops.fit import STATE_FILE, FitConfig, fit
from limner.loops.optimizers import OptimizerConfig, ScheduleConfig
from limner.loops.step_report import Watcher
from limner.loops.watch import Preview
from limner.losses.perceptual import mean_gram_targets, style_loss
from limner.ops.framing import middle_square
from limner.processor import precision_on
from limner.runtime.device import choose_device
from limner.systems.feedforward.many_styles import ManyStyles
from limner.types import Image
from limner.verbs.learnt_styles import check_kept, kept_as, run_folder
from limner.verbs.stylize.network_painter import EMBEDDED

TRUNK = EMBEDDED
"""The embedded network whose convolutions a new style keeps."""

PHOTOS = Path(__file__).parents[1] / "learning_photos"
"""What is painted while a style is learnt; NOTICE says whose they are."""

_PATCH = 192  # side of the crops that are painted, in pixels
_TRIED = 2  # photos that are painted in every style to find the nearest, and shown while it is learnt
_PREVIEW, _EVERY = 256, 10.0  # sides of its pictures in pixels, seconds between two
_UNENDING = 1_000_000  # steps
_BLANK = Picture(np.zeros((1, 1, 3), np.uint8))  # 8 bits, without metadata

FIT = FitConfig(
    steps=600,
    batch_size=1,
    optimizer=OptimizerConfig(kind="adam", learning_rate=0.03),
    schedule=ScheduleConfig(kind="cosine", final=0.1),
    precision="bfloat16",
    ema_decay=0.95,
)
"""Steps after which more bring little; `MINUTES` may end them earlier."""

MINUTES = 5.0
"""The longest that learning takes where nobody says how long."""


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
    output: str | PathLike[str] | None = None,
    *,
    minutes: float | None = None,
    config: FitConfig | None = None,
    name: str | None = None,
    size: int = 320,
    trunk: str | PathLike[str] | None = None,
    start: str | None = None,
    photos: str | PathLike[str] = PHOTOS,
    settings: Sequence[str] = (),
    seed: int = 0,
    device: str = "auto",
    preview: str | PathLike[str] | None = None,
    resume: bool = False,
    overwrite: bool = False,
    watchers: Sequence[Watcher] = (),
) -> LearntStyle:
    """Learn a style from one painting, and write a model that `stylize` takes.

    Beside the output, a folder of its name with `.learning` keeps what a resumed run needs, until the style is learnt.

    Args:
        painting: A picture.
        output: A `.safetensors` file; None keeps the style, so that `stylize` paints in it when it is given the
            painting, or its name.
        minutes: Of learning, over all resumptions, however many steps that are; None: the steps of `FIT`, and at most
            `MINUTES`.
        config: How it is learnt, instead: its steps count, and minutes where they are given.
        name: Of the style; None is that of the painting's file.
        size: The shorter side of the painting in pixels, as it is looked at: more gives broader strokes.
        trunk: A weight file of a `many-styles` whose convolutions are kept; None takes the embedded one.
        start: The style of the trunk that learning begins with; None takes the nearest.
        photos: A folder of pictures that are painted in learning.
        settings: `field=value` for the configuration of the network, such as `content_weight=0.2`.
        seed: Of what is random.
        device: `auto`, `cpu`, `cuda` or `mps`.
        preview: A picture that is written again every few seconds: the painting, and photos as they are painted so far;
            one that is there is replaced.
        resume: Go on with a run that was stopped.
        overwrite: Replace an existing output.
        watchers: Told of every step.

    Raises:
        LimnerError: If a picture cannot be read, the output is there, or there is nothing to resume.

    Example:
        >>> limner.learn_style("painting.jpg", "mine.safetensors", minutes=5)  # doctest: +SKIP
        LearntStyle(model=PosixPath('mine.safetensors'), ...)
    """
    check_path("a painting", painting)
    check_seed(seed)
    check_whole("size", size, 1, "give pixels")
    if minutes is not None:
        check_finite("minutes", minutes, "None takes the usual time")
    painting, photos = Path(painting), Path(photos)
    trunk = TRUNK if trunk is None else model_text(trunk)
    output = _checked_output(painting, output, overwrite)
    run = run_folder(output)
    samples = StylizationConfig(styles=(painting,), patch=_PATCH, style_size=size).load(photos)
    config, minutes = _length(config, minutes)
    config = config.model_copy(update={"seed": seed}) if seed else config
    chosen = choose_device(device)
    seed_everything(config.seed)
    known = _trunk(trunk)
    start = start or _nearest(known.to(chosen), painting, size, photos)
    network = _begun(known, start, name or painting.stem, settings)
    if preview is not None:
        watchers = [*watchers, Preview(Path(preview), _sheet_writer(painting, photos), _EVERY)]
    run.parent.mkdir(parents=True, exist_ok=True)
    with alone_at(run, "this style"):
        if not resume:
            (run / STATE_FILE).unlink(missing_ok=True)
        result = fit(
            network, samples, config, run=run, resume=resume, device=str(chosen), minutes=minutes, save_every=60.0,
            watchers=watchers,
        )  # fmt: skip
    if result.finished:
        provenance = f"limner learn-style {painting.name}, {result.step} steps, from {start} of {Path(trunk).stem}"
        figures = {"steps": float(result.step), "minutes": round(result.seconds / 60, 2)}
        learnt = network.config.model_dump(mode="json")
        header = Header(system="many-styles", config=learnt, provenance=provenance, metrics=figures)
        save_weights(output, result.system.state_dict(), header)
        (run / STATE_FILE).unlink(missing_ok=True)
        run.rmdir()
    return LearntStyle(output, result.step, result.seconds, result.finished, start)


def _length(config: FitConfig | None, minutes: float | None) -> tuple[FitConfig, float | None]:
    """How it is learnt, and for how long at most."""
    if config is not None:
        return config, minutes
    return (FIT, MINUTES) if minutes is None else (FIT.model_copy(update={"steps": _UNENDING}), minutes)


def _checked_output(painting: Path, output: str | PathLike[str] | None, overwrite: bool) -> Path:
    if not painting.is_file():
        raise LimnerError(f"{painting}: there is no such picture: check the name")
    path = kept_as(painting) if output is None else Path(output)
    if path.suffix != ".safetensors":
        raise LimnerError(f"a learnt style is written as .safetensors, got {path}: name such a file")
    if path.exists() and not overwrite:
        if output is None:
            raise LimnerError(
                f"{painting} is learnt already: paint in it, or pass --force "
                "(overwrite=True in Python) to learn it anew"
            )
        raise LimnerError(f"{path}: is already there: {REPLACE}, or name another output")
    check_kept(path)
    return path


def _sheet_writer(painting: Path, photos: Path) -> Callable[[nn.Module, Path], None]:
    """What writes the painting, and photos as a network paints them, side by side."""
    seen = torch.cat([middle_square(read(path)[None], _PREVIEW) for path in find_images(photos)[:_TRIED]])
    shown = middle_square(read(painting)[None], _PREVIEW)

    def write(network: nn.Module, path: Path) -> None:
        painted = network(seen.to(next(network.parameters()).device)).cpu()
        row = torch.cat([shown, *painted.split(1)], dim=-1).clamp(0, 1)
        write_image(path, from_tensor(row, like=_BLANK), overwrite=True)

    return write


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
