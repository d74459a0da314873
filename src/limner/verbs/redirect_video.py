"""Eyes that look elsewhere in a video, or that wander in a photo."""

from collections.abc import Callable, Iterator
from os import PathLike
from pathlib import Path
from typing import TypeVar

from limner.arguments import check_path, check_whole, model_text
from limner.errors import LimnerError
from limner.files.atomic import check_place
from limner.files.picture import Picture, Samples, from_tensor, to_tensor
from limner.files.video import written_suffix
from limner.media.names import Naming
from limner.media.video_frames import WrittenVideo, each_frame
from limner.types import Image, OnProgress
from limner.verbs.redirect import MODEL, Eye, Redirector, allowed, redirect_naming

LOOK_AGAIN = 12
"""Frames after which faces are looked for anew; between them eyes are followed."""

PathT = TypeVar("PathT", str, Path)


def redirect_video(
    source: PathT,
    angle: tuple[float, float],
    *,
    model: str | PathLike[str] = MODEL,
    output: str | PathLike[str] | None = None,
    crf: int | None = None,
    device: str = "auto",
    overwrite: bool = False,
    on_progress: OnProgress | None = None,
    on_note: Callable[[str], None] = lambda note: None,
) -> PathT:
    """The video with all eyes turned, frame by frame; audio, times and colour stay.

    Args:
        source: An MP4, MOV, Matroska, WebM or AVI.
        angle: Yaw to the right of the frame and pitch upwards, in degrees, on top of where the eyes look.
        model: The name of an embedded model, a path to a weight file, or the folder of a run.
        output: A video file; None puts it beside the source, as `<name>_redirected`.
        crf: The rate factor of H.264, 0 to 51: less is better and larger. None takes 17.
        device: `auto`, `cpu`, `cuda` or `mps`.
        overwrite: Replace an existing output.
        on_progress: Called with how many frames are done, and of how many.
        on_note: Called with whatever is not kept, and with how many frames show no eyes.

    Raises:
        LimnerError: If the video cannot be read or written, no eye is found in it, or there is no such model.

    Example:
        >>> limner.redirect_video("call.mp4", (0, 10))  # doctest: +SKIP
        'call_redirected.mp4'
    """
    check_path("source", source)
    if output is not None:
        check_path("output", output)
    model = model_text(model)
    naming: Naming = redirect_naming(model)
    target = Path(output) if output else naming.path(Path(source), written_suffix(Path(source)))
    check_place(target, overwrite=overwrite)
    turn = allowed(angle, on_note)
    turn_video(
        Redirector(model, device), Path(source), target, turn,
        crf=crf, overwrite=overwrite, on_progress=on_progress, on_note=on_note,
    )  # fmt: skip
    return type(source)(target)


def turn_video(
    redirector: Redirector,
    source: Path,
    target: Path,
    angle: tuple[float, float],
    *,
    crf: int | None = None,
    overwrite: bool = False,
    on_progress: OnProgress | None = None,
    on_note: Callable[[str], None] = lambda note: None,
) -> WrittenVideo:
    """The same with a network that is ready.

    Raises:
        LimnerError: If the video cannot be read or written, or no eye is found in it.
    """
    follower = Follower(redirector, angle)

    def work(pixels: Samples) -> Samples:
        return from_tensor(follower.next(to_tensor(Picture(pixels))), like=Picture(pixels)).pixels

    written = each_frame(
        source, target, work, crf=crf, overwrite=overwrite, on_progress=on_progress, on_note=on_note
    )  # fmt: skip
    if follower.without == written.num_frames:
        on_note(f"{source}: no eyes are found in any frame, so nothing is changed: take a video of a face")
    elif follower.without:
        on_note(
            f"{source}: {follower.without} of {written.num_frames} frames show no open eyes, and are left as they are"
        )
    return written


class Follower:
    """Turns the eyes of one frame after the other: they are looked for now and then, and followed between.

    Attributes:
        without: Frames so far that show no eyes.
    """

    def __init__(self, redirector: Redirector, angle: tuple[float, float]) -> None:
        self.redirector, self.angle, self.without = redirector, angle, 0
        self._eyes: list[Eye] = []
        self._count = 0

    def next(self, image: Image) -> Image:
        """The next frame (1, 3, h, w), turned."""
        followed = self.redirector.followed(image, self._eyes)
        if self._count % LOOK_AGAIN == 0 or len(followed) < len(self._eyes):
            self._eyes = self._found(image, followed)
        else:
            self._eyes = followed
        self._count += 1
        self.without += not self._eyes
        return self.redirector.look(image, self._eyes, self.angle)

    def _found(self, image: Image, followed: list[Eye]) -> list[Eye]:
        """All eyes of a frame; where one was followed, that goes on, for what is found anew lies a little elsewhere."""
        try:
            found = self.redirector.eyes_of(image)
        except LimnerError:
            return followed
        near = [
            next((old for old in followed if (old.middle - eye.middle).norm() < eye.width / 2), eye) for eye in found
        ]
        return near or followed


def wandering(
    redirector: Redirector,
    image: Image,
    eyes: list[Eye],
    ends: tuple[tuple[float, float], tuple[float, float]],
    frames: int,
) -> Iterator[Image]:
    """A photo whose eyes wander from one angle to another, in degrees, and back: pictures for an endless animation.

    Raises:
        LimnerError: If `frames` is less than 2.
    """
    check_whole("frames", frames, 2, "the eyes go from one angle to another")
    (yaw, pitch), (last_yaw, last_pitch) = ends
    half = frames // 2
    for number in range(frames):
        share = min(number, frames - number) / half
        yield redirector.look(image, eyes, (yaw + share * (last_yaw - yaw), pitch + share * (last_pitch - pitch)))
