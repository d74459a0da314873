"""The work of `limner demo`."""

from collections.abc import Iterator
from pathlib import Path

from limner.catalog.models import find
from limner.cli.commands.demo import Options
from limner.cli.errors import say
from limner.cli.printing import print_json, print_line
from limner.cli.work.dry_run import show
from limner.errors import LimnerError
from limner.files.image import read_image, write_image
from limner.runtime.allocator import keep_freed_memory
from limner.runtime.run_options import RunOptions
from limner.verbs.upscale.before_after import before_after, with_truth
from limner.verbs.upscale.upscale import Upscaler

PHOTO = Path(__file__).parents[2] / "demo" / "astronaut.jpg"
SCALE = 2
WRITTEN = (
    PHOTO.name,
    *(f"{PHOTO.stem}_{ending}.png" for ending in (f"x{SCALE}", "compare", "truth")),
)


def run(options: Options) -> None:
    """Write the pictures, and print which."""
    folder = options.output
    if options.dry_run:
        show([(str(PHOTO), folder / name) for name in WRITTEN], as_json=options.as_json)
        return
    for line in demonstrate(folder, options.device):
        if not options.as_json:
            print_line(line)
    if options.as_json:
        print_json({"source": str(PHOTO), "files": [str(folder / name) for name in WRITTEN]})


def demonstrate(folder: Path, device: str) -> Iterator[str]:
    """Write the pictures into `folder`, and say which and what is to be seen in them."""
    keep_freed_memory()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LimnerError(
            f"{folder}: no folder can be here ({(error.strerror or '').lower()}): pass --output"
        ) from None
    photo = read_image(PHOTO)
    upscaler = Upscaler(scale=SCALE, options=RunOptions(device=device))
    title = find(upscaler.header.system).title
    say(f"enlarging a photo of {photo.width}x{photo.height} pixels with the embedded {title} (some seconds)")

    enlarged, before = upscaler.enlarge_picture(photo), folder / PHOTO.name
    write_image(before, photo, overwrite=True)
    after, comparison = folder / f"{PHOTO.stem}_x{SCALE}.png", folder / f"{PHOTO.stem}_compare.png"
    write_image(after, enlarged, overwrite=True)
    write_image(comparison, before_after(photo, enlarged, label=title), overwrite=True)
    yield f"{before}  {photo.width}x{photo.height}: the photo"
    yield f"{after}  {enlarged.width}x{enlarged.height}: enlarged"
    yield f"{comparison}: a part of it, before (bicubic) and after"

    truth = with_truth(upscaler, photo, label=title)
    shown = folder / f"{PHOTO.stem}_truth.png"
    write_image(shown, truth.sheet, overwrite=True)
    yield (
        f"{shown}: halved and enlarged again: "
        f"bicubic {truth.bicubic:.2f} dB, {title} {truth.model:.2f} dB, and the real photo"
    )
    yield f"Look at the fine lines in {shown}: those in the middle are nearer to the right than those on the left."
