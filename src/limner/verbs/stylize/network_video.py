"""`paint_video`: a video, or pictures in order, painted in one pass, each frame held to the one before."""

from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from limner.errors import LimnerError
from limner.features.optical_flow import both_ways, import_cv2
from limner.media.footage import Footage, open_footage, stylized_footage_path
from limner.media.frame_folder import FrameFolder, working_folder
from limner.systems.optimize.video_style import neighbour
from limner.types import Image, OnProgress
from limner.verbs.stylize.any_painter import AnyPainter
from limner.verbs.stylize.network_painter import Painter

_PAINTED = "painted"

STEADINESS = 0.7
"""Share of the painting before in what follows it, where the flow between the two frames can be trusted."""


class SteadyPainter:
    """Paints frames in order; where nothing has changed but its place, a frame is mixed with the painting before.

    Args of the constructor:
        painter: For each frame by itself.
        steadiness: From 0, every frame by itself, up to but not including 1.

    Raises:
        LimnerError: If the steadiness is not in [0, 1).
    """

    def __init__(self, painter: Painter, steadiness: float = STEADINESS) -> None:
        if not 0 <= steadiness < 1:
            raise LimnerError(f"steadiness must be at least 0 and below 1, got {steadiness:g}: 0.7 is a good choice")
        self.painter, self.steadiness = painter, steadiness
        self._before: tuple[Image, Image] | None = None

    def __call__(self, frame: Image) -> Tensor:
        """The painting of the frame that follows the last one."""
        painted = self.painter.paint(frame)
        if self._before and self.steadiness:
            last_frame, last_painted = self._before
            flows = both_ways(last_frame, frame)
            fetched = neighbour(last_painted, flows.forward, flows.backward)
            painted = torch.lerp(painted, fetched.image, self.steadiness * fetched.weights)
        self._before = frame, painted
        return painted

    def go_on_after(self, frame: Image, painted: Image) -> None:
        """Let this frame and what it was painted as be those before the next one."""
        self._before = frame, painted


def paint_video(
    painter: Painter | AnyPainter,
    source: str | PathLike[str] | Sequence[str | PathLike[str]],
    *,
    output: str | PathLike[str] | None = None,
    size: int | None = None,
    steadiness: float = STEADINESS,
    crf: int | None = None,
    asked: Mapping[str, Any] | None = None,
    resume: bool = False,
    overwrite: bool = False,
    on_progress: OnProgress | None = None,
    on_note: Callable[[str], None] | None = None,
) -> Path:
    """Paint a video, or pictures in order, and give back where it is.

    Of a video audio, frame times, colour tags, rotation (as upright frames) and metadata stay. Pictures become PNG
    files in a folder, with their names.

    Args:
        painter: Without a size of its own and without masks.
        source: A video, a folder of pictures, or pictures.
        output: A video or a folder; None puts it beside the source as `<name>_stylized`.
        size: The longer side of the result in pixels; None leaves it, and nothing is enlarged.
        steadiness: As for `SteadyPainter`; above 0 it needs the extra `video`.
        crf: The rate factor of H.264, 0 to 51: less is better and larger. None takes 17.
        asked: What the painter is made of, as JSON holds it: only the same may be resumed.
        resume: Go on with the frames of a run that was stopped.
        overwrite: Replace an existing output, and drop the frames of a run that was stopped.
        on_progress: Called with how many frames of how many are painted.
        on_note: Called, before the work, with each thing of the video that is not kept.

    Raises:
        LimnerError: If something cannot be read or written, or the options do not fit.
        KeyboardInterrupt: If it was stopped; what is painted is kept.
    """
    where = Path(source) if isinstance(source, str | PathLike) else [Path(one) for one in source]
    if steadiness:
        import_cv2()
    footage = open_footage(where, size)
    own = painter if isinstance(painter, Painter) else painter.for_frames(*footage.size)
    steady = SteadyPainter(own, steadiness)
    target = Path(output) if output else stylized_footage_path(where)

    with footage.writing(target, crf=crf, overwrite=overwrite, on_note=on_note or (lambda note: None)) as write:
        made_of = {"source": footage.identity, "size": footage.size, "steadiness": steadiness, **(asked or {})}
        folder = FrameFolder(
            working_folder(target), made_of, bit_depth=footage.bit_depth, resume=resume, overwrite=overwrite
        )
        with folder.keeping(_PAINTED):
            footage.unpack(folder)
            for index in range(footage.num_frames):
                _paint_frame(steady, footage, folder, index)
                if on_progress:
                    on_progress(index + 1, footage.num_frames)
            write(lambda index: folder.read(_PAINTED, index))
    folder.discard()
    return target


def _paint_frame(steady: SteadyPainter, footage: Footage, folder: FrameFolder, index: int) -> None:
    """Paint a frame that is not painted yet, after what the one before has become in its file."""
    if folder.has(_PAINTED, index):
        return
    if index:
        steady.go_on_after(footage.frame(index - 1), folder.read(_PAINTED, index - 1))
    folder.write(_PAINTED, index, steady(footage.frame(index)))
