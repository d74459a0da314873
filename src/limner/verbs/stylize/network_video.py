"""`paint_video`: a video, or pictures in order, painted in one pass, each frame held to the one before."""

from collections.abc import Callable, Sequence
from os import PathLike
from pathlib import Path

import torch
from torch import Tensor

from limner.errors import LimnerError
from limner.features.optical_flow import both_ways, import_cv2
from limner.media.footage import open_footage
from limner.media.frame_folder import FrameFolder
from limner.systems.optimize.video_style import neighbour
from limner.types import Image, OnProgress
from limner.verbs.stylize.adain_painter import AdaINPainter
from limner.verbs.stylize.network_painter import Painter

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


def paint_video(
    painter: Painter | AdaINPainter,
    source: str | PathLike[str] | Sequence[str | PathLike[str]],
    *,
    output: str | PathLike[str],
    size: int | None = None,
    steadiness: float = STEADINESS,
    crf: int | None = None,
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
        output: A video or a folder.
        size: The longer side of the result in pixels; None leaves it, and nothing is enlarged.
        steadiness: As for `SteadyPainter`; above 0 it needs the extra `video`.
        crf: The rate factor of H.264, 0 to 51: less is better and larger. None takes 17.
        overwrite: Replace an existing output.
        on_progress: Called with how many frames of how many are painted.
        on_note: Called, before the work, with each thing of the video that is not kept.

    Raises:
        LimnerError: If something cannot be read or written, or the options do not fit.
    """
    where = Path(source) if isinstance(source, str | PathLike) else [Path(one) for one in source]
    if steadiness:
        import_cv2()
    footage = open_footage(where, size)
    own = painter if isinstance(painter, Painter) else painter.for_frames(*footage.size)
    steady = SteadyPainter(own, steadiness)
    target = Path(output)

    def painted(index: int) -> Image:
        result = steady(footage.frame(index))
        if on_progress:
            on_progress(index + 1, max(index + 1, footage.num_frames))
        return result

    with footage.writing(target, crf=crf, overwrite=overwrite, on_note=on_note or (lambda note: None)) as write:
        place = target.with_name(f"{target.name}.frames")
        folder = FrameFolder(
            place, {"source": footage.identity}, bit_depth=footage.bit_depth, resume=False, overwrite=overwrite
        )
        try:
            footage.unpack(folder)
            write(painted)
        finally:
            folder.discard()
    return target
