"""`segment`: what each pixel of a picture belongs to, and the pictures and tables that show it."""

from os import PathLike
from pathlib import Path

from limner.arguments import check_whole
from limner.errors import LimnerError
from limner.files.atomic import check_place
from limner.files.bands import bands_of
from limner.files.visible import bands_tensor
from limner.media.any_picture import AnyPicture, OpenedPicture, open_picture
from limner.media.names import Naming, model_name
from limner.runtime.run_options import RunOptions
from limner.types import Precision
from limner.verbs.segment.findings import HeldFindings
from limner.verbs.segment.results import BESIDE, CLASSES, Contours, Wanted, write_results
from limner.verbs.segment.segmenter import Segmentation, Segmenter


def segment(
    photo: AnyPicture,
    model: str | PathLike[str],
    *,
    output: str | PathLike[str] | None = None,
    overlay: bool = False,
    objects: bool = False,
    contours: Contours | None = None,
    least_area: int = 1,
    probabilities: bool = False,
    views: bool = False,
    device: str = "auto",
    precision: Precision = "fast",
    memory: int | None = None,
    threads: int | None = None,
    overwrite: bool = False,
) -> Segmentation:
    """What each pixel of a picture belongs to: `labels`, `probabilities`, and the `names` and `colors` of classes.

    Args:
        photo: A path, also of a TIFF with other bands; a PIL image; an array (h, w) or (h, w, 1 | 3 | 4) of uint8,
            uint16, bool, or floats in [0, 1]; or a tensor (3, h, w) or (1, 3, h, w) of floats in [0, 1] or uint8.
        model: The name of an embedded model, a path to a weight file, or the folder of a run.
        output: A .png for the classes, whose numbers are `labels`; or a folder for those of a path, where they are
            called `<name>_classes.png`. None writes nothing.
        overlay: Write the photo with its classes beside it, `<name>_overlay.png`.
        objects: Write the objects by number, `<name>_objects.png` of 16 bits (a .tif of 32 where there are more than
            65,535), and measure them, `<name>_objects.csv`.
        contours: Write the outlines of the objects, `<name>_contours.svg` or `.geojson`.
        least_area: In pixels; smaller objects are left out.
        probabilities: Write a page of 32-bit floats for each class, `<name>_probabilities.tif`.
        views: Take the mean over eight positions of the picture, turned and mirrored: slower and better.
        device: `auto`, `cpu`, `cuda` or `mps`.
        precision: `fast` or `exact`.
        memory: Bytes that the process may hold in all; None takes half of what is free.
        threads: Of the CPU; None takes one for each core.
        overwrite: Replace existing outputs.

    Raises:
        LimnerError: If the picture cannot be read, there is no such model, it does not segment, or an output is there.

    Example:
        >>> found = limner.segment("cells.png", "runs/unet", output="found.png", objects=True)  # doctest: +SKIP
        >>> (found.labels == 1).mean()  # share of the picture  # doctest: +SKIP
        0.243
    """
    check_whole("least_area", least_area, 1, "give how many pixels the least object has")
    wanted = Wanted(overlay, probabilities, objects, contours, least_area)
    target = _target(photo, output, wanted, overwrite=overwrite)
    options = RunOptions(device=device, precision=precision, memory=memory, threads=threads)
    if isinstance(photo, str | PathLike) and Path(photo).is_file() and bands_of(Path(photo)):
        opened = OpenedPicture(bands_tensor(Path(photo)), None)
    else:
        opened = open_picture(photo)
    if len(opened.image) != 1:
        raise LimnerError(f"one picture is segmented, got {len(opened.image)}: pass them one by one")
    found = Segmenter(str(model), options, views=views).segment(opened.image)
    if target:
        dpi = opened.picture.dpi if opened.picture else None
        write_results(target, HeldFindings(found, opened.image), wanted, dpi=dpi, overwrite=overwrite)
    return found


def _target(photo: AnyPicture, output: str | PathLike[str] | None, wanted: Wanted, *, overwrite: bool) -> Path | None:
    """Where the classes go, if anywhere; what could not be written is refused."""
    if output is None:
        if wanted != Wanted():
            raise LimnerError("what is written beside the classes needs a place: pass output")
        return None
    path = Path(output)
    if path.is_dir() and isinstance(photo, str | PathLike):
        path = path / f"{CLASSES.format(stem=Path(photo).stem)}.png"
    if path.suffix.lower() != ".png":
        raise LimnerError(f"{path}: classes are written as .png: rename it")
    check_place(path, overwrite=overwrite)
    wanted.check_places(path, overwrite=overwrite)
    return path


def segment_naming(model: str, template: str | None = None) -> Naming:
    """How the pictures of classes are called; what may lie beside them is known again, too.

    Raises:
        LimnerError: If the template does not fit.
    """
    known = (CLASSES, *(f"{{stem}}_{what}" for what in BESIDE))
    return Naming(template or CLASSES, None, known, model=model_name(model))
