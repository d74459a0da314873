"""A trained system that translates, ready to be run on pictures of any size."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, cast

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from limner.catalog.models import load
from limner.data.derived import SCALE, Derivation, derived, gray_of, with_holes
from limner.data.label_colors import labels_of, nearest_labels, palette_of
from limner.data.label_maps import edges_between
from limner.errors import LimnerError
from limner.files.picture import Picture, alpha_tensor, to_tensor
from limner.files.visible import visible_tensor
from limner.media.any_picture import picture_of
from limner.media.names import model_name
from limner.ops.framing import extended
from limner.ops.resample import imresize
from limner.ops.transparency import over
from limner.ports import Port, Ported, least_of, multiple_of
from limner.runtime.probes import results_of
from limner.runtime.run_options import RunOptions
from limner.runtime.runner import Runner
from limner.tasks.draw_inputs import with_drawn
from limner.tasks.translate import TRANSLATE, Styled, TwoWay, one_way
from limner.types import Image, OnProgress


class Translator:
    """Runs a trained system that translates.

    Args of the constructor:
        model: The name of an embedded model, a path to a weight file, or the folder of a run.
        options: How it is run.
        direction: Of one that translates both ways: `AB`, `BA`, or what the wanted kind is called; None is AB.
        nearest: Take the nearest colour of the palette for each other one of a label picture.
        derive: Make what the model takes from photos, as its training did.
        choices: Give all pictures that the model makes of one, side by side.
        style: A photo in [0, 1] whose colours and light all results take.

    Raises:
        LimnerError: If there is none of that name, it does something else or not in this direction, it learnt from no
            derived pairs, it makes one picture, or it knows no styles.
    """

    def __init__(
        self,
        model: str,
        options: RunOptions = RunOptions(),
        *,
        direction: str | None = None,
        nearest: bool = False,
        derive: bool = False,
        choices: bool = False,
        style: Image | None = None,
    ) -> None:
        whole, header = load(model, TRANSLATE)
        system = one_way(whole, direction, model)
        self.background = whole.background if isinstance(whole, TwoWay) else None
        self.model, self.nearest, self.derive = model, nearest, derive
        self.ports, self.outputs = cast(Ported, system).inputs, cast(Ported, system).outputs
        self.classes = palette_of(header.config)
        self.derived: Derivation | None = header.config.get("derived")
        named = model_name(model)
        if derive and not self.derived:
            raise LimnerError(f"{named} has not learnt from pairs that were made of photos: leave out derive")
        if choices and len(self.outputs) == 1:
            raise LimnerError(f"{named} makes one picture of each: leave out choices")
        self.choices, self.latent = choices, None if style is None else _style_of(named, system, style)
        self.runner = Runner(system, options)

    @property
    def scale(self) -> int:
        """Sides of a result over those of the picture."""
        return SCALE if self.derived == "low-resolution" and not self.derive else 1

    def translate(
        self, image: Image, name: str = "the picture", *, lossy: bool = False, seed: int = 0
    ) -> Float[Tensor, "n c H W"]:
        """What the system makes of RGB pictures in [0, 1], of 1, 3 or 4 channels.

        Args:
            image: Pictures of one size.
            name: Of the picture, for errors.
            lossy: Whether colours of label pictures are those of a JPEG file or the like.
            seed: Of the noise.

        Raises:
            LimnerError: If a colour of a label picture is no class's.
        """
        if self.derived == "mask-holes" and not self.derive:
            raise LimnerError(f"{name} has no holes: make what is to be filled transparent, and save it as PNG")
        given = [self._given(one, name, lossy) for one in image]
        batch = map(torch.stack, zip(*given, strict=True))
        return translated(self.runner, self.ports, *batch, seed=seed, latent=self.latent, choices=self.choices)

    def translate_picture(
        self,
        picture: Picture,
        name: str = "the picture",
        *,
        lossy: bool = False,
        seed: int = 0,
        on_progress: OnProgress | None = None,
    ) -> Picture:
        """The same of a picture; depth, profile, metadata and, unless the system makes it, transparency stay."""
        self.runner.on_tile = on_progress
        alpha = alpha_tensor(picture)
        if self.derived == "mask-holes" and not self.derive and alpha is not None:
            return self._filled(picture, alpha, seed)
        if self.background and alpha is not None:
            made = self.translate(over(to_tensor(picture), alpha, self.background), name, seed=seed)
            return picture_of(made, replace(picture, alpha=None))
        is_drawn = bool(self.classes) or self.ports[0].kind == "label_map"
        image = to_tensor(picture) if is_drawn else visible_tensor(picture)
        made = self.translate(image, name, lossy=lossy, seed=seed)
        if made.shape[1] == 4:
            clear = replace(picture, alpha=_samples_of(made[:, 3:], picture))
            return picture_of(made[:, :3], clear)
        return picture_of(made.expand(-1, 3, -1, -1), picture)

    def _filled(self, picture: Picture, alpha: Float[Tensor, "1 1 h w"], seed: int) -> Picture:
        """What is transparent by half or more is made, the rest stays; the result is opaque."""
        image, known = visible_tensor(picture), (alpha > 0.5).float()
        made = translated(self.runner, self.ports, with_holes(image[0], known[0])[None], seed=seed)
        return picture_of(known * image + (1 - known) * made, replace(picture, alpha=None))

    def _given(self, image: Float[Tensor, "3 h w"], name: str, lossy: bool) -> list[Tensor]:
        """What the system is given of one picture, without what is drawn."""
        port = self.ports[0]
        if port.kind == "label_map":
            label = torch.from_numpy(self._labels(image, name, lossy))[None]
            edges = [edges_between(label) for other in self.ports if other.kind == "mask"]
            return [label, *edges]
        if self.classes:
            colors = torch.tensor([one.color for one in self.classes]) / 255
            return [colors[torch.from_numpy(self._labels(image, name, lossy))].permute(2, 0, 1)]
        if self.derive:
            assert self.derived
            return [derived(image, self.derived)]
        if self.derived == "low-resolution":
            sides = SCALE * image.shape[-2], SCALE * image.shape[-1]
            return [imresize(image[None], size=sides)[0].clamp(0, 1)]
        return [_channels(image, port)]

    def _labels(self, image: Float[Tensor, "3 h w"], name: str, lossy: bool) -> np.ndarray:
        """The numbers of classes (h, w): by colour, or a gray picture holds them itself."""
        pixels = (image * 255).round().to(torch.uint8).permute(1, 2, 0).numpy()
        is_gray = bool((pixels[..., :1] == pixels).all())
        if is_gray and not any(one.color[0] == one.color[1] == one.color[2] for one in self.classes):
            return _numbers(pixels[..., 0], len(self.classes) or self.ports[0].channels, name)
        if self.nearest:
            return nearest_labels(pixels, self.classes)
        return labels_of(pixels, self.classes, name, nearest=lossy)


def _numbers(values: np.ndarray, num_classes: int, name: str) -> np.ndarray:
    beyond = np.argwhere(values >= num_classes)
    if len(beyond):
        row, column = beyond[0].tolist()
        raise LimnerError(
            f"{name}: {values[row, column]} at column {column}, row {row} is no class: a gray label picture holds the "
            f"numbers 0 to {num_classes - 1}; or paint it with the colours that limner info shows of the model"
        )
    return values.astype(np.int64)


def _channels(image: Float[Tensor, "3 h w"], port: Port) -> Float[Tensor, "c h w"]:
    if port.channels == 1:
        return gray_of(image)
    return torch.cat([image, torch.ones_like(image[:1])]) if port.channels == 4 else image


def _samples_of(alpha: Float[Tensor, "1 1 h w"], like: Picture) -> np.ndarray:
    most = np.iinfo(like.pixels.dtype).max
    return np.asarray((alpha[0, 0].numpy() * most + 0.5).astype(like.pixels.dtype))


@torch.inference_mode()
def _style_of(model: str, system: nn.Module, photo: Image) -> Tensor:
    if not isinstance(system, Styled):
        raise LimnerError(f"{model} knows no styles: leave the photo of a style out")
    return system.style_of(photo)


@torch.inference_mode()
def translated(
    run: Callable[..., Any],
    ports: Sequence[Port],
    *given: Tensor,
    seed: int = 0,
    latent: Float[Tensor, "1 z"] | None = None,
    choices: bool = False,
) -> Float[Tensor, "n k H W"]:
    """What a system makes of what it is given, in [0, 1]; mirrored at the borders where it needs larger sides.

    Args:
        run: The system, or what runs it.
        ports: What it takes.
        given: Of any size, without latents and noise.
        seed: Of these.
        latent: Of all pictures, instead of one that is drawn.
        choices: All pictures that are made of each, side by side; else the first.
    """
    height, width = given[0].shape[-2:]
    multiple, least = multiple_of(ports), least_of(ports)
    more = [-(-max(side, least) // multiple) * multiple - side for side in (height, width)]
    whole = [extended(one.float(), *more).to(one.dtype) for one in given]
    inputs = with_drawn(ports, whole, number=len(given[0]), rng=torch.Generator().manual_seed(seed))
    if latent is not None:
        known = latent.expand(len(given[0]), -1)
        inputs = tuple(known if port.kind == "latent" else one for port, one in zip(ports, inputs, strict=True))
    results = results_of(run(*inputs))
    scale = results[0].shape[-1] / whole[0].shape[-1]
    kept = results if choices else results[:1]
    return torch.cat(
        [one[..., : round(scale * height), : round(scale * width)].float().cpu().clamp(0, 1) for one in kept], -1
    )
