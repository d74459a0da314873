"""What `--dry-run` says: what would be made of what, and what would be refused, by the heads of the files alone."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import typer

from limner.cli.errors import say
from limner.cli.printing import print_json, print_line
from limner.cli.work.file_report import reason
from limner.files.bucket import BucketPath
from limner.files.image import MOST_PIXELS, Picture, check_writable
from limner.files.video_writer import CRF, check_video_kind
from limner.media.many_files import check_readable
from limner.media.outputs import Job
from limner.runtime.device import choose_device
from limner.runtime.memory import parse_bytes


def check_machine(*, device: str = "auto", memory: str | None = None, **others: Any) -> None:
    """Refuse a device or a memory that the run itself would refuse.

    Args:
        device: As commands take it.
        memory: As commands take it.
        others: Of the command's options, which are passed by.

    Raises:
        LimnerError: If there is no such device, or it is no size.
    """
    choose_device(device)
    if memory is not None:
        parse_bytes(memory)


def show_jobs(
    jobs: Sequence[Job],
    *,
    as_json: bool,
    is_alone: bool,
    max_pixels: int | None = MOST_PIXELS,
    factor: float = 1,
    quality: int | None = None,
    crf: int | None = None,
    like: Callable[[Job, Picture], Picture] = lambda job, picture: picture,
    **facts: Any,
) -> None:
    """Print what would become of each file.

    Args:
        jobs: The files.
        as_json: Whether as JSON.
        is_alone: Whether the only file is to be refused as a whole.
        max_pixels: Of a file that is read; None for any.
        factor: Sides of the results over those of the pictures.
        quality: Of JPEG, WebP and AVIF.
        crf: Of video.
        like: From a blank picture of the size and the channels of the photo, what the result is written like.
        facts: What else is shown, by name.

    Raises:
        LimnerError: If the only file would be refused.
        typer.Exit: With 1, if one of many would be.
    """
    planned, failed = list[tuple[str, Path]](), list[tuple[Job, Exception]]()
    for job in jobs:
        try:
            _check(job, like, max_pixels, factor, quality, crf)
        except Exception as error:
            if is_alone:
                raise
            failed.append((job, error))
        else:
            planned += [(str(job.source), place) for place in job.outputs]
    told = [{"source": str(job.source), "error": reason(job, error)} for job, error in failed]
    show(planned, as_json=as_json, failed=told, **facts)
    for one in told:
        say(f"error: {one['error']}")
    if failed:
        raise typer.Exit(1)


def show(
    made: Sequence[tuple[str, Path]], *, as_json: bool, failed: Sequence[dict[str, str]] = (), **facts: Any
) -> None:
    """Print what would be made from what, one a line, or all as JSON with other facts and what would be refused."""
    if as_json:
        planned = [{"source": one, "output": str(place)} for one, place in made]
        print_json({"dry_run": True, "planned": planned, **({"failed": failed} if failed else {}), **facts})
        return
    for one, place in made:
        print_line(f"{one} -> {place}")
    for name, value in facts.items():
        print_line(f"{name.replace('_', ' ')}: {value}")
    if not made:
        print("nothing is to be done")


def _check(
    job: Job,
    like: Callable[[Job, Picture], Picture],
    max_pixels: int | None,
    factor: float,
    quality: int | None,
    crf: int | None,
) -> None:
    """Refuse what the work would refuse; of a bucket nothing is read."""
    if isinstance(job.source, BucketPath):
        return
    header = check_readable(job, max_pixels)
    if header is None:
        check_video_kind(job.target, CRF if crf is None else crf)
        return
    sample = np.zeros((), np.uint8)
    alpha = np.broadcast_to(sample, (header.height, header.width)) if header.has_alpha else None
    blank = Picture(np.broadcast_to(sample, (header.height, header.width, 1)), alpha)  # takes no memory
    check_writable(job.target, like(job, blank), scale=factor, quality=quality)
