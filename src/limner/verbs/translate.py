"""`translate`: a picture of one kind into one of another, by a trained system."""

from collections.abc import Callable
from os import PathLike
from pathlib import Path

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from limner.arguments import check_seed, model_text
from limner.catalog.models import load
from limner.files.image import losses
from limner.media.any_picture import PictureT, as_same_kind, check_output, open_picture
from limner.media.names import Naming, model_name
from limner.ports import Ported, least_of, multiple_of
from limner.runtime.device import choose_device
from limner.runtime.memory import check_memory
from limner.tasks.draw_inputs import with_drawn
from limner.tasks.translate import TRANSLATE, one_way
from limner.types import Image


def translate(
    photo: PictureT,
    model: str | PathLike[str],
    *,
    direction: str | None = None,
    output: str | PathLike[str] | None = None,
    seed: int = 0,
    device: str = "auto",
    quality: int | None = None,
    overwrite: bool = False,
    on_note: Callable[[str], None] = lambda note: None,
) -> PictureT:
    """A picture of the other kind, of the same size, in the kind that was given: a path for a path.

    Args:
        photo: As for `open_picture`.
        model: The name of an embedded model, or a path to a weight file.
        direction: Of a model that translates both ways: `AB`, `BA`, or what the wanted kind is called; None is AB.
        output: Where to write the result; None puts that of a path beside it as `<name>_<model>`.
        seed: Of the noise that the model is given.
        device: `auto`, `cpu`, `cuda` or `mps`.
        quality: Of JPEG, WebP and AVIF, 1 to 100; None takes the usual.
        overwrite: Replace an existing output.
        on_note: Called, before the work, with what of the picture in a file is not kept.

    Raises:
        LimnerError: If the photo cannot be read, there is no such model, it does not translate so, or the output is
            there.

    Example:
        >>> limner.translate("map.png", "runs/pix2pix")  # doctest: +SKIP
        'map_pix2pix.png'
    """
    check_seed(seed)
    model = model_text(model)
    naming = translate_naming(model)
    check_output(photo, output, naming.path, quality=quality, overwrite=overwrite)
    opened, system = open_picture(photo), translator(model, direction)
    if isinstance(photo, str | PathLike) and opened.picture:
        target = output or naming.path(Path(photo))
        for note in (*opened.picture.notes, *losses(target, opened.picture)):
            on_note(note)
    made = translated(system.to(choose_device(device)), opened.image, seed)
    return as_same_kind(
        made.expand(-1, 3, -1, -1), photo, opened.picture, output, naming.path, quality=quality, overwrite=overwrite
    )


def translate_naming(model: str, *, seed: int = 0, template: str | None = None) -> Naming:
    """How translated pictures are called: by their model.

    Raises:
        LimnerError: If the template does not fit.
    """
    usual = "{stem}_{model}"
    return Naming(template or usual, None, (usual,), model=model_name(model), seed=seed)


def translator(model: str, direction: str | None = None) -> nn.Module:
    """A trained system that translates.

    Args:
        model: The name of an embedded one, or a path to a weight file.
        direction: Of one that translates both ways, as for `translate`.

    Raises:
        LimnerError: If there is none of that name, or it does something else.
    """
    return one_way(load(model, TRANSLATE)[0], direction, model)


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
