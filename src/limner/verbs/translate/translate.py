"""`translate`: a picture of one kind into one of another, by a trained system."""

from collections.abc import Callable
from os import PathLike
from pathlib import Path

from torch import Tensor

from limner.arguments import check_seed, model_text
from limner.data.label_colors import is_lossy
from limner.errors import LimnerError
from limner.files.image import losses
from limner.files.picture import Picture
from limner.media.any_picture import AnyPicture, PictureT, as_same_kind, check_output, open_picture
from limner.media.names import Naming, model_name
from limner.runtime.run_options import RunOptions
from limner.types import Precision
from limner.verbs.translate.translator import Translator


def translate(
    photo: PictureT,
    model: str | PathLike[str],
    *,
    direction: str | None = None,
    output: str | PathLike[str] | None = None,
    seed: int = 0,
    nearest: bool = False,
    derive: bool = False,
    choices: bool = False,
    style: AnyPicture | None = None,
    device: str = "auto",
    precision: Precision = "fast",
    tile: int | None = None,
    memory: int | None = None,
    threads: int | None = None,
    quality: int | None = None,
    overwrite: bool = False,
    on_note: Callable[[str], None] = lambda note: None,
) -> PictureT:
    """A picture of the other kind, of the same size, in the kind that was given: a path for a path.

    Args:
        photo: As for `open_picture`. A label picture has the colours of the model's palette, or is gray and has the
            numbers of the classes. Holes of a picture that are to be filled are transparent.
        model: The name of an embedded model, a path to a weight file, or the folder of a run.
        direction: Of a model that translates both ways: `AB`, `BA`, or what the wanted kind is called; None is AB.
        output: Where to write the result; None puts that of a path beside it as `<name>_<model>`.
        seed: Of the noise that the model is given.
        nearest: Take the nearest colour of the palette for each other one of a label picture, as of smooth edges.
        derive: Make what the model takes, such as lines, from a photo, as its training did.
        choices: All pictures that the model makes of one, side by side, where it makes several.
        style: A photo whose colours and light the result takes, where the model knows styles; as for `open_picture`.
        device: `auto`, `cpu`, `cuda` or `mps`.
        precision: `fast` or `exact`.
        tile: Largest side of a part, in pixels; None takes what fits. The result does not depend on it.
        memory: Bytes that the process may hold in all; None takes half of what is free.
        threads: Of the CPU; None takes one for each core.
        quality: Of JPEG, WebP and AVIF, 1 to 100; None takes the usual.
        overwrite: Replace an existing output.
        on_note: Called, before the work, with what of the picture in a file is not kept.

    Raises:
        LimnerError: If the photo cannot be read, it has a colour that is no class's, there is no such model, it does
            not translate so, or the output is there.

    Example:
        >>> limner.translate("map.png", "runs/pix2pix")  # doctest: +SKIP
        'map_pix2pix.png'
    """
    check_seed(seed)
    model = model_text(model)
    naming = translate_naming(model)
    check_output(photo, output, naming.path, quality=quality, overwrite=overwrite)
    options = RunOptions(device=device, precision=precision, tile=tile, memory=memory, threads=threads)
    look = None if style is None else open_picture(style).image
    opened = open_picture(photo)
    translator = Translator(
        model, options, direction=direction, nearest=nearest, derive=derive, choices=choices, style=look
    )
    path = Path(photo) if isinstance(photo, str | PathLike) else None
    if path and opened.picture:
        for note in (*opened.picture.notes, *losses(output or naming.path(path), opened.picture)):
            on_note(note)
    made: Picture | Tensor
    if opened.picture is None:
        made = translator.translate(opened.image, seed=seed)
        if made.shape[1] == 4:
            raise LimnerError("this model gives transparency, which a tensor of RGB does not hold: pass an array")
        made = made.expand(-1, 3, -1, -1)
    else:
        lossy = path is not None and is_lossy(path)
        made = translator.translate_picture(opened.picture, str(path or "the picture"), lossy=lossy, seed=seed)
    return as_same_kind(made, photo, opened.picture, output, naming.path, quality=quality, overwrite=overwrite)


def translate_naming(model: str, *, seed: int = 0, template: str | None = None) -> Naming:
    """How translated pictures are called: by their model.

    Raises:
        LimnerError: If the template does not fit.
    """
    usual = "{stem}_{model}"
    return Naming(template or usual, None, (usual,), model=model_name(model), seed=seed)
