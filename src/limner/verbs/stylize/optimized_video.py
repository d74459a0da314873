"""`stylize_video`: a video, or pictures in order, in the style of other pictures, without flicker."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

import torch
from torch import Tensor

from limner.catalog.optimized import VIDEO_STYLE_TRANSFER
from limner.errors import LimnerError
from limner.features.optical_flow import import_cv2, optical_flow
from limner.files.flow import read_flow, read_flow_size
from limner.files.weights import sha256
from limner.loops.optimize import Optimized, Progress
from limner.media.any_picture import open_source
from limner.media.footage import Footage, open_footage, stylized_footage_path
from limner.media.frame_folder import FrameFolder, working_folder
from limner.ops.luminance_alone import in_gray, like_luminance, with_colors_of
from limner.ops.resample import imresize
from limner.ops.warp import rescale_flow
from limner.runtime.run_options import RunOptions
from limner.systems.optimize.style import Reference, style_network
from limner.systems.optimize.video_style import (
    FramePainter,
    Neighbour,
    Task,
    VideoStyleConfig,
    neighbour,
    tasks,
)
from limner.tasks.stylize import STYLIZE_VIDEO
from limner.types import Image, Precision
from limner.verbs.stylize.named_styles import style_picture
from limner.verbs.stylize.style import Style, check_weight, styles_of

Preset: TypeAlias = Literal["modern", "quick", "paper"]

FlowBetween: TypeAlias = Callable[[int, int], Tensor]
"""From the indices of two frames to the flow from the one to the other, (1, 2, h, w) in pixels of the working size."""


class VideoStep(NamedTuple):
    """What a watcher gets after each step of each frame.

    Attributes:
        done: Frames that are painted, counted over all passes.
        total: Frames there are to paint, over all passes.
        step: Of the present frame.
        steps: That the present frame has at most.
        losses: Before this step, by name.
    """

    done: int
    total: int
    step: int
    steps: int
    losses: Mapping[str, float]


OnStep: TypeAlias = Callable[[VideoStep], object]

GATYS_SIZE = 384
"""The longer side of what is painted by optimisation, in pixels, by default."""

PRESETS = VIDEO_STYLE_TRANSFER.configs(STYLIZE_VIDEO)


def stylize_video(
    source: str | PathLike[str] | Sequence[str | PathLike[str]],
    style: str | PathLike[str] | Style | Sequence[str | PathLike[str] | Style],
    *,
    output: str | PathLike[str] | None = None,
    preset: Preset = "modern",
    config: VideoStyleConfig | None = None,
    size: int | None = GATYS_SIZE,
    style_scale: float = 1.0,
    flow: str | PathLike[str] | None = None,
    keep_colors: bool = False,
    features: str | PathLike[str] | None = None,
    crf: int | None = None,
    device: str = "auto",
    precision: Precision = "fast",
    memory: int | None = None,
    seed: int = 0,
    resume: bool = False,
    overwrite: bool = False,
    on_step: OnStep | None = None,
    on_note: Callable[[str], None] | None = None,
) -> Path:
    """Paint a video, or pictures in order, in the style of one picture or several, and give back where it is.

    Of a video audio, frame times, colour tags, rotation (as upright frames) and metadata stay. Pictures become PNG
    files in a folder, with their names. Frames that are painted lie in a folder beside the output until all are, so
    memory does not grow with their number and a stopped run can go on.

    Args:
        source: A video, a folder of pictures, or pictures.
        style: The picture whose style is wanted or the name of a style that comes with Limner, or several, or each
            with its weight and scale; masks are for photos.
        output: A video or a folder; None puts it beside the source as `<name>_stylized`.
        preset: `modern`, `quick`, or `paper` as published.
        config: Instead of a preset.
        size: The longer side of the result in pixels; None leaves it, and nothing is enlarged.
        style_scale: Size of the strokes of all styles: 1 shows a style picture as large as the result.
        flow: A folder of .flo files, `forward_1_2.flo` from the first frame to the second, `backward_2_1.flo` back, and
            so for all frames that look to each other. None computes the flow.
        keep_colors: Take the luminance alone from the style.
        features: A file of weights of VGG-16 or VGG-19; None takes the embedded ones.
        crf: The rate factor of H.264, 0 to 51: less is better and larger. None takes 17.
        device: `auto`, `cpu`, `cuda` or `mps`.
        precision: `fast` or `exact`.
        memory: Bytes that the process may hold in all; None takes half of what is free.
        seed: Of the noise, where a scene begins with that.
        resume: Go on with the frames of a run that was stopped.
        overwrite: Replace an existing output, and drop the frames of a run that was stopped.
        on_step: Called after each step.
        on_note: Called, before the work, with each thing of the video that is not kept.

    Raises:
        LimnerError: If something cannot be read or written, or the options do not fit.
        KeyboardInterrupt: If it was stopped by Ctrl-C or SIGTERM; what is painted is kept.
    """
    config = config or PRESETS[preset]
    options = RunOptions(device=device, precision=precision, memory=memory)
    where = Path(source) if isinstance(source, str | PathLike) else [Path(one) for one in source]
    styles = _checked(styles_of(style))
    footage = open_footage(where, size)
    target = Path(output) if output else stylized_footage_path(where)
    longest = style_scale * max(footage.size)
    references = [Reference(_scaled(_image(one), one.scale * longest), one.weight) for one in styles]
    asked = {
        "source": footage.identity,
        "size": footage.size,
        "styles": [[sha256(_place(one)), one.weight, style_scale * one.scale] for one in styles],
        "config": config.model_dump(mode="json"),
        "flow": None if flow is None else str(Path(flow).absolute()),
        "keep_colors": keep_colors,
        "features": None if features is None else sha256(Path(features)),
        "precision": precision,
        "seed": seed,
    }
    with footage.writing(target, crf=crf, overwrite=overwrite, on_note=on_note or (lambda note: None)) as write:
        if flow is None:
            import_cv2()
        flows = None if flow is None else _FlowFiles(Path(flow), footage.size, tasks(footage.num_frames, config))
        folder = FrameFolder(
            working_folder(target), asked, bit_depth=footage.bit_depth, resume=resume, overwrite=overwrite
        )
        run = _Run(footage, folder, config, flows, keep_colors, options, seed, on_step)
        with folder.keeping(*map(_stage, range(config.num_passes))):
            footage.unpack(folder)
            run.prepare(references, None if features is None else Path(features))
            run.paint()
            write(run.painted)
    folder.discard()
    return target


def _checked(styles: list[Style]) -> list[Style]:
    for one in styles:
        check_weight(one.weight)
        if one.mask is not None:
            raise LimnerError("styles of a video have no masks, got one with a mask: leave it out")
    return styles


def _place(style: Style) -> Path:
    if not isinstance(style.image, str | PathLike):
        raise LimnerError("a style of a video is a file or a name, got pixels: save them first")
    return style_picture(style.image)


def _image(style: Style) -> Image:
    return open_source(_place(style))


def _scaled(image: Image, longest: float) -> Tensor:
    """The picture resized to a given longer side."""
    scale = longest / max(image.shape[-2:])
    if not scale > 0:
        raise LimnerError("the scale of a style must be above 0: 1 shows its picture as large as the result")
    return image if scale == 1 else imresize(image, scale).clamp(0, 1)


class _FlowFiles:
    """The flow between frames, from a folder; all that will be asked for is there, or it says which is not."""

    def __init__(self, folder: Path, size: tuple[int, int], asked: Iterable[Task]) -> None:
        self.folder, self.size = folder, size
        if folder.is_file():
            raise LimnerError(f"{folder}: flow is read from a folder of .flo files: name that")
        for task in asked:
            for other in task.neighbours:
                self._check(self._path(other, task.frame))
                self._check(self._path(task.frame, other))

    def __call__(self, start: int, end: int) -> Tensor:
        return rescale_flow(read_flow(self._path(start, end)), self.size)

    def _path(self, start: int, end: int) -> Path:
        direction = "forward" if start < end else "backward"
        return self.folder / f"{direction}_{start + 1}_{end + 1}.flo"

    def _check(self, path: Path) -> None:
        (width, height), (frame_height, frame_width) = read_flow_size(path), self.size
        if abs(width * frame_height - height * frame_width) > max(width, height, *self.size):
            raise LimnerError(
                f"{path}: flow must have the shape of the frames, got {width}x{height} for "
                f"{frame_width}x{frame_height}: compute it from these frames"
            )


@dataclass
class _Run:
    """The frames of one video on their way."""

    footage: Footage
    folder: FrameFolder
    config: VideoStyleConfig
    flows: FlowBetween | None
    keep_colors: bool
    options: RunOptions
    seed: int
    on_step: OnStep | None

    @property
    def device(self) -> torch.device:
        """Where frames are painted."""
        return self.options.chosen_device

    def prepare(self, references: Sequence[Reference], features: Path | None) -> None:
        """Make the network; one of others is scaled by its responses to the first frame and the styles."""
        style, first = self.config.style, self._content(0)
        references = [one._replace(image=one.image.to(self.device)) for one in references]
        if self.keep_colors:
            references = [one._replace(image=like_luminance(one.image, first)) for one in references]
        vgg = style_network(style, first, references, weights=features, precision=self.options.precision)
        self.painter = FramePainter(vgg, references, self.config, budget=self.options.activations_budget)

    def paint(self) -> None:
        """Paint every frame in every pass but those that are painted already.

        Raises:
            KeyboardInterrupt: If it was stopped; the present frame is lost.
        """
        wanted = list(tasks(self.footage.num_frames, self.config))
        begun = max((task.number for task in wanted if self.folder.has_stage(_stage(task.number))), default=0)
        for done, task in enumerate(wanted):
            if task.number < begun or self.folder.has(_stage(task.number), task.frame):
                continue
            self.folder.drop(_stage(task.number - 2))  # a pass needs the one before it alone
            result = self._paint(task, done, len(wanted))
            if result.reason == "stopped":
                raise KeyboardInterrupt
            self.folder.write(_stage(task.number), task.frame, result.image)

    def painted(self, index: int) -> Image:
        """What a frame has become."""
        image = self.folder.read(_stage(self.config.num_passes - 1), index)
        return with_colors_of(self.footage.frame(index), image) if self.keep_colors else image

    def _paint(self, task: Task, done: int, total: int) -> Optimized:
        before = None if task.number == 0 else self._kept(task.number - 1, task.frame)
        return self.painter(
            self._content(task.frame),
            [self._neighbour(task, other) for other in task.neighbours],
            before,
            is_held=task.is_held,
            seed=self.seed,
            watch=lambda progress: self._report_step(progress, done, total),
        )

    def _neighbour(self, task: Task, other: int) -> Neighbour:
        there, back = self._flow(other, task.frame), self._flow(task.frame, other)
        return neighbour(self._kept(task.number, other), there.to(self.device), back.to(self.device))

    def _flow(self, start: int, end: int) -> Tensor:
        if self.flows:
            return self.flows(start, end)
        return optical_flow(self.footage.frame(start), self.footage.frame(end))

    def _content(self, index: int) -> Image:
        frame = self.footage.frame(index).to(self.device)
        return in_gray(frame) if self.keep_colors else frame

    def _kept(self, number: int, index: int) -> Image:
        return self.folder.read(_stage(number), index).to(self.device)

    def _report_step(self, progress: Progress, done: int, total: int) -> None:
        if self.on_step:
            self.on_step(VideoStep(done, total, progress.step, progress.steps, progress.losses))


def _stage(number: int) -> str:
    return f"pass_{number + 1}"
