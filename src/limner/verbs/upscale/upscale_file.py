"""`enlarge_file`: enlarge a picture of any size from file to file, in bounded memory."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np

from limner.errors import LimnerError
from limner.files.image import MOST_PIXELS, losses
from limner.files.picture import Picture
from limner.files.strip_writer import StripWriter, part_folder
from limner.files.strips import StripReader, open_strips
from limner.ops.resample import Axis
from limner.ops.transparency import REACH
from limner.runtime.runner import Runner
from limner.types import OnProgress
from limner.verbs.upscale.blocks import (
    Blocks,
    Footprint,
    RowBytes,
    Side,
    Window,
    choose_blocks,
    footprint_of,
    least_bytes,
    windows,
)
from limner.verbs.upscale.upscale import Upscaler, scale_text

TORCH_BYTES = 350 * 2**20
"""What a process holds that has run a model once on a CPU."""


def enlarge_file(
    upscaler: Upscaler,
    source: Path,
    target: Path,
    *,
    memory: int,
    max_pixels: int | None = MOST_PIXELS,
    on_progress: OnProgress | None = None,
    on_note: Callable[[str], None] = lambda note: None,
    resume: bool = False,
    overwrite: bool = False,
    quality: int | None = None,
) -> tuple[int, int]:
    """Enlarge the picture in one file into another, strip by strip; the result is that of the whole picture.

    The rows that are done wait in a folder beside the target, named after it with `.part`, until it is whole. What
    interrupts the work leaves them there for a call with `resume`, and says so.

    Args:
        upscaler: The model, its scale and its device.
        source: A picture; one that does not fit needs the extra `large`, and must be a JPEG, PNG or TIFF.
        target: Its suffix names the format. A TIFF, PNG or JPEG may be larger than memory.
        memory: Bytes that this process may hold in all, with the 350 MiB that torch takes; a GPU's driver takes more.
        max_pixels: A source of more is refused before it is decoded; None lifts the limit.
        on_progress: Called with how many blocks of how many are done.
        on_note: Called, before the work, with what of the picture is not kept.
        resume: Go on with the rows of an interrupted call that was asked for the same; without such, begin.
        overwrite: Whether a target that is there may be replaced.
        quality: As for `write_image`.

    Returns:
        Width and height of the result, in pixels.

    Raises:
        LimnerError: The source cannot be read, the target not be written, the model not work block by block, or the
            memory does not do.
        WorkKept: The target could not be finished, and its rows are kept.
    """
    left = memory - TORCH_BYTES
    if left <= 0:
        raise LimnerError(
            f"{source}: torch alone takes {TORCH_BYTES // 10**6} MB, and {memory // 10**6} MB may be used: "
            "allow more memory"
        )
    is_shrunk = upscaler.network_scale != upscaler.scale
    footprint = footprint_of(upscaler.system, upscaler.network_scale, is_shrunk=is_shrunk)
    with open_strips(source, memory=left // 2, scratch=part_folder(target), max_pixels=max_pixels) as reader:
        if reader.frame.alpha is not None:
            footprint = _looking_further(footprint)
        size = upscaler.size(reader.height, reader.width)
        blocks = _choose_blocks(source, reader, footprint, upscaler.scale, left)
        with StripWriter(
            target,
            reader.frame,
            size,
            asked=_asked(upscaler, source),
            memory=left,
            quality=quality,
            overwrite=overwrite,
            resume=resume,
        ) as writer:
            for note in (*reader.frame.notes, *losses(target, reader.frame)):
                on_note(note)
            with _untiled(upscaler.runner):
                _enlarge_strips(upscaler, reader, writer, footprint.halo, blocks, on_progress)
            writer.finish()
    return size[1], size[0]


def _looking_further(footprint: Footprint) -> Footprint:
    """With a halo in which the colours of visible pixels can be carried outwards as on the whole."""
    halo = footprint.halo + REACH
    return footprint._replace(halo=-(-halo // footprint.phase) * footprint.phase)


def _choose_blocks(source: Path, reader: StripReader, footprint: Footprint, scale: float, memory: int) -> Blocks:
    frame, size = reader.frame, (reader.height, reader.width)
    has_alpha = frame.alpha is not None
    row = reader.width * (frame.pixels.shape[2] + has_alpha) * frame.bit_depth // 8
    # twice: while rows that the next strip needs again are put before its own; and while alpha is put beside colour
    cost = RowBytes(read=2 * row, made=math.ceil((1 + has_alpha) * scale**2 * row))
    blocks = choose_blocks(size, cost, footprint, memory - reader.held_bytes)
    if blocks is None:
        least = TORCH_BYTES + reader.held_bytes + least_bytes(cost, footprint)
        raise LimnerError(
            f"{source}: enlarging {size[1]}x{size[0]} pixels by {scale_text(scale)} with this model takes at least "
            f"{-(-least // 10**6)} MB, and {(memory + TORCH_BYTES) // 10**6} MB may be used: allow more memory"
        )
    return blocks


def _asked(upscaler: Upscaler, source: Path) -> dict[str, str | float]:
    """What the pixels of the result depend on."""
    status = source.stat()
    return {
        "source": str(source.resolve()),
        "source's size": status.st_size,
        "source's time": status.st_mtime_ns,
        "weights": upscaler.weights_hash,
        "scale": upscaler.scale,
        "precision": upscaler.precision,
    }


@contextmanager
def _untiled(runner: Runner) -> Iterator[None]:
    """Without a budget of the runner's own: blocks fit already, and what the process holds would count against them."""
    before, runner.memory = runner.memory, None
    try:
        yield
    finally:
        runner.memory = before


def _enlarge_strips(
    upscaler: Upscaler,
    reader: StripReader,
    writer: StripWriter,
    halo: int,
    blocks: Blocks,
    on_progress: OnProgress | None,
) -> None:
    """All strips that the writer does not have yet."""
    height, width = (Side(*lengths) for lengths in zip((reader.height, reader.width), writer.size, strict=True))
    across = windows(reader.width, blocks.columns, halo)
    begin = height.position(writer.rows)
    strips = windows(reader.height, blocks.rows, halo, begin)
    before = -(-begin // blocks.rows) * len(across)
    total, done = before + len(strips) * len(across), before
    for rows in strips:
        picture = reader.read(rows.window.start, rows.window.stop)
        down = height.axis(rows)
        strip = _blank(picture, (down.stop - down.start, width.after))
        for columns in across:
            _enlarge_block(upscaler, picture, strip, down, columns, width)
            done += 1
            if on_progress:
                on_progress(done, total)
        writer.write(strip)


def _enlarge_block(
    upscaler: Upscaler, picture: Picture, strip: Picture, down: Axis, columns: Window, width: Side
) -> None:
    """Enlarge a block with its halo, and put what it is without that into the strip."""
    seen, across = slice(columns.window.start, columns.window.stop), width.axis(columns)
    alpha = None if picture.alpha is None else picture.alpha[:, seen]
    result = upscaler.enlarge_part(replace(picture, pixels=picture.pixels[:, seen], alpha=alpha), down, across)
    place = slice(across.start, across.stop)
    strip.pixels[:, place] = result.pixels
    if strip.alpha is not None and result.alpha is not None:
        strip.alpha[:, place] = result.alpha


def _blank(like: Picture, size: tuple[int, int]) -> Picture:
    """An empty array for a strip."""
    pixels = np.empty((*size, like.pixels.shape[2]), like.pixels.dtype)
    return replace(like, pixels=pixels, alpha=None if like.alpha is None else np.empty(size, like.alpha.dtype))
