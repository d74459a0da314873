"""`translate`: a picture of one kind into one of another, by a trained system."""

from collections.abc import Callable
from os import PathLike
from pathlib import Path

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from limner.catalog.models import load, tasks_of
from limner.errors import LimnerError
from limner.files.image import losses, written_image_suffix
from limner.media.any_picture import PictureT, as_same_kind, open_picture
from limner.ports import Ported, least_of, multiple_of
from limner.runtime.device import choose_device
from limner.runtime.memory import check_memory
from limner.tasks.draw_inputs import with_drawn
from limner.tasks.translate import TRANSLATE
from limner.types import Image


def translate(
    photo: PictureT,
    model: str,
    *,
    output: str | PathLike[str] | None = None,
    seed: int = 0,
    device: str = "auto",
    overwrite: bool = False,
    on_note: Callable[[str], None] = lambda note: None,
) -> PictureT:
    """A picture of the other kind, of the same size, in the kind that was given: a path for a path.

    Args:
        photo: As for `open_picture`.
        model: The name of an embedded model, or a path to a weight file.
        output: Where to write the result of a path; None puts it beside the photo as `<name>_translated`.
        seed: Of the noise that the model is given.
        device: `auto`, `cpu`, `cuda` or `mps`.
        overwrite: Replace an existing output.
        on_note: Called, before the work, with what of the picture in a file is not kept.

    Raises:
        LimnerError: If the photo cannot be read, there is no such model, or it does not translate.
    """
    opened, system = open_picture(photo), translator(model)
    if isinstance(photo, str | PathLike) and opened.picture:
        target = output or translated_path(Path(photo))
        for note in (*opened.picture.notes, *losses(target, opened.picture)):
            on_note(note)
    made = translated(system.to(choose_device(device)), opened.image, seed)
    return as_same_kind(made, photo, opened.picture, output, translated_path, overwrite=overwrite)


def translated_path(source: Path) -> Path:
    """Where a translated picture goes by default: `map.png` -> `map_translated.png`."""
    return source.with_name(f"{source.stem}_translated{written_image_suffix(source)}")


def translator(model: str) -> nn.Module:
    """A trained system that translates.

    Raises:
        LimnerError: If there is none of that name, or it does something else.
    """
    system, header = load(model)
    if TRANSLATE not in tasks_of(header):
        raise LimnerError(f"{model} is a {header.system}, which does not translate: see `limner models`")
    return system


@torch.inference_mode()
def translated(system: nn.Module, image: Image, seed: int = 0) -> Float[Tensor, "n c h w"]:
    """What a system makes of a picture in [0, 1], with the last row and column again where it needs larger sides."""
    assert isinstance(system, Ported)
    ports, scale = system.inputs, system.outputs[0].scale
    height, width = image.shape[-2:]
    multiple, least = multiple_of(ports), least_of(ports)
    down, across = (-(-max(side, least) // multiple) * multiple for side in (height, width))
    check_memory(down, across)
    padded = F.pad(image, (0, across - width, 0, down - height), mode="replicate")
    inputs = with_drawn(ports, [padded], number=len(image), rng=torch.Generator().manual_seed(seed))
    device = next(system.parameters()).device
    made: Tensor = system(*(one.to(device) for one in inputs))
    return made[..., : round(scale * height), : round(scale * width)].float().cpu().clamp(0, 1)
