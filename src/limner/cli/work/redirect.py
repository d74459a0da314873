"""The work of `limner redirect`."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from limner.cli.commands.redirect import Options
from limner.cli.errors import note
from limner.cli.printing import print_json
from limner.cli.work.dry_run import show, show_jobs
from limner.cli.work.file_report import FileReport
from limner.errors import LimnerError
from limner.features.eyes import EyeBox
from limner.files.animation import write_animation
from limner.files.image import Picture, read_image
from limner.files.video import is_video_path
from limner.files.visible import visible_tensor
from limner.media.any_picture import picture_of
from limner.media.inputs import find_pictures
from limner.media.many_files import Observer, Worker, work_through
from limner.media.outputs import Job, plan_outputs, refuse_existing
from limner.verbs.morph import check_animation, frames_of
from limner.verbs.redirect import Redirector, allowed, redirect_naming
from limner.verbs.redirect_video import turn_video, wandering


class RedirectWorker(Worker):
    """Turns the eyes of each photo and video.

    Args of the constructor:
        redirector: That does it.
        angle: Yaw and pitch, in degrees.
        boxes: Around the eyes; None looks for them in each photo.
        quality: Of JPEG, WebP and AVIF.
        crf: Of videos: less is better and larger.
        overwrite: Whether files that are there may be replaced.
    """

    def __init__(
        self,
        redirector: Redirector,
        angle: tuple[float, float],
        boxes: Sequence[EyeBox] | None,
        *,
        quality: int | None,
        crf: int | None,
        overwrite: bool,
    ) -> None:
        super().__init__(quality=quality, overwrite=overwrite)
        self.redirector, self.angle, self.boxes, self.crf = redirector, angle, boxes, crf

    def is_alone(self, job: Job) -> bool:
        """Videos."""
        return is_video_path(job.source)

    def work_alone(self, job: Job, observer: Observer) -> tuple[int, int, Mapping[str, Any]]:
        """Turn the eyes of a video, frame by frame."""
        video = turn_video(
            self.redirector, job.source, job.target, self.angle,
            crf=self.crf, overwrite=self.overwrite, on_progress=observer.part_done, on_note=note,
        )  # fmt: skip
        return video.width, video.height, {"frames": video.num_frames}

    def work(self, job: Job, picture: Picture, observer: Observer) -> Picture:
        """Find the eyes and turn them."""
        made = self.redirector.turned(visible_tensor(picture), self.angle, self.boxes, note)
        return picture_of(made, picture)


def run(options: Options) -> None:
    """Redirect all, and say where the results lie.

    Raises:
        LimnerError: If an output is there already, the model does not fit, or the only photo is bad.
        typer.Exit: With 1, if one of many photos is bad.
    """
    yaw, pitch = _numbers("--angle", options.angle, 2)
    angle, boxes = allowed((yaw, pitch), note), [_box(one) for one in options.eyes] or None
    found = find_pictures(options.photos, recursive=options.recursive, on_note=note)
    if options.to is not None:
        _wander(options, [one.path for one in found], angle, boxes)
        return
    _check_together(options, [one.path for one in found])
    planned = plan_outputs(
        found, redirect_naming(options.model, template=options.name), output=options.output, suffix=options.suffix,
        force=options.force, resume=options.resume, on_note=note,
    )  # fmt: skip
    if options.dry_run:
        show_jobs(
            planned.jobs, as_json=options.as_json, is_alone=len(found) == 1, quality=options.quality,
            crf=options.crf, model=options.model,
        )  # fmt: skip
        return
    redirector = Redirector(options.model, options.device)
    report = FileReport(len(found), as_json=options.as_json)
    overwrite = options.force or options.resume
    worker = RedirectWorker(redirector, angle, boxes, quality=options.quality, crf=options.crf, overwrite=overwrite)
    with report:
        work_through(planned.jobs, worker, report)
    report.raise_if_alone()
    if options.as_json:
        device = str(redirector.device)
        report.print_json(finished=[str(job.target) for job in planned.finished], model=options.model, device=device)
    what = "files" if any(is_video_path(job.source) for job in planned.jobs) else "photos"
    report.conclude(f"{what} are redirected")


def _check_together(options: Options, found: Sequence[Path]) -> None:
    """Refuse options that what was found has no use for."""
    videos = [path for path in found if is_video_path(path)]
    if not videos and options.crf is not None:
        raise LimnerError("--crf is for videos, and there is none: leave it out")
    for name, value in (("--eyes", options.eyes), ("--format", options.format)):
        if value and videos:
            raise LimnerError(f"{name} is for photos, and {videos[0]} is a video: redirect it without {name}")


def _wander(
    options: Options, found: Sequence[Path], angle: tuple[float, float], boxes: Sequence[EyeBox] | None
) -> None:
    """Write an animation of one photo whose eyes go from one angle to another and back."""
    if len(found) != 1 or is_video_path(found[0]):
        raise LimnerError("--to is for one photo: name a single one, or leave it out")
    yaw, pitch = _numbers("--to", options.to or "", 2)
    last = allowed((yaw, pitch), note)
    naming = redirect_naming(options.model, template=options.name)
    target = Path(options.output) if options.output else naming.path(found[0], ".gif")
    if not options.force:
        refuse_existing(target)
    check_animation(target)
    if options.dry_run:
        show([(str(found[0]), target)], as_json=options.as_json)
        return
    redirector, image = Redirector(options.model, options.device), visible_tensor(read_image(found[0]))
    eyes = redirector.eyes_of(image, boxes, note)
    made = [frames_of(one)[0] for one in wandering(redirector, image, eyes, (angle, last), options.frames)]
    write_animation(target, made, overwrite=options.force)
    height, width = image.shape[-2:]
    if options.as_json:
        print_json({"output": str(target), "width": width, "height": height, "frames": len(made)})
    else:
        print(f"{target}  {width}x{height}, {len(made)} pictures")


def _box(text: str) -> EyeBox:
    return EyeBox(*_numbers("--eyes", text, 4))


def _numbers(option: str, text: str, count: int) -> tuple[float, ...]:
    try:
        found = tuple(float(one) for one in text.split(","))
    except ValueError:
        found = ()
    if len(found) != count:
        example = "15,0" if count == 2 else "310,220,60,40"
        raise LimnerError(f"{option} takes {count} numbers with commas between, got {text!r}: write {option} {example}")
    return found
