"""A picture that a command optimises, shown while it grows."""

import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import typer

from limner.cli.errors import note, say
from limner.cli.options import GrowingOptions
from limner.cli.printing import print_json, print_line
from limner.cli.progress import StepBar
from limner.errors import LimnerError
from limner.files.atomic import beside
from limner.files.image import Picture, check_writable, losses, write_image
from limner.files.lock import alone_at
from limner.loops.optimize import Optimized, Progress, RunControl
from limner.media.any_picture import picture_of
from limner.media.outputs import refuse_existing


def preset_name(preset: str, *, quick: bool) -> str:
    """The preset that is meant.

    Raises:
        LimnerError: If two are.
    """
    if quick and preset != "modern":
        raise LimnerError(f"--quick and --preset {preset} are two presets: leave one of them out")
    return "quick" if quick else preset


def state_of(target: Path) -> Path:
    """Where a run that was stopped is kept."""
    return beside(target, f".{target.stem}.state")


class GrowingPicture(StepBar):
    """A picture in progress: a bar with the losses, previews, and the file in the end.

    Args of the constructor:
        target: Where the result goes.
        like: What the result takes depth, metadata and transparency from.
        options: When previews are written, what may be replaced, and how the result is reported. With `resume` the
            target may be there from a run that was stopped, along with its state.
        is_alone: Whether it is the only picture, whose facts are printed as JSON here.

    Raises:
        LimnerError: If the target is there already, cannot be written, or there is nothing to resume.
    """

    def __init__(self, target: Path, like: Picture, options: GrowingOptions, *, is_alone: bool = True) -> None:
        super().__init__()
        self.is_alone, self.facts = is_alone, dict[str, Any]()
        replaces = options.force or options.resume
        check_writable(target, like, quality=options.quality)
        if target.is_dir():
            raise LimnerError(f"{target}: is a folder, and one picture is made: name a file in it with --output")
        if not replaces:
            refuse_existing(target)
        self.target, self.like, self.options = target, like, options
        self.preview = beside(target, f"{target.stem}_preview.png")
        if options.preview_every and self.preview.exists() and not replaces:
            raise LimnerError(
                f"{self.preview}: is already there, and previews go there: move it, or name another --output"
            )
        self.state = state_of(target)
        self.resume = options.resume
        self._losses: Mapping[str, float] = {}
        self._begun = time.monotonic()
        for text in (*like.notes, *losses(target, like)):
            note(text)

    def __enter__(self) -> Self:
        self._alone = alone_at(self.target, "this picture")
        self._alone.__enter__()
        return super().__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, trace)
        self._alone.__exit__(None, None, None)
        if self.options.preview_every:
            self.preview.unlink(missing_ok=True)

    @property
    def control(self) -> RunControl:
        """What the run is given, so that this shows it and goes on with it."""
        return RunControl(self.watch, self.state, self.resume)

    def watch(self, progress: Progress) -> None:
        """A step has been made."""
        self._losses, every = progress.losses, self.options.preview_every
        named = "  ".join(f"{name} {loss:.3g}" for name, loss in progress.losses.items())
        self.step(progress.step, progress.steps, named)
        if every and progress.step % every == 0:
            write_image(self.preview, picture_of(progress.image.cpu(), self.like).as_8_bit(), overwrite=True)

    def finish(self, result: Optimized, picture: Picture | None = None, **facts: Any) -> None:
        """Write the result and tell of it.

        Args:
            result: How the run ended.
            picture: What is written; None takes the image of the result.
            facts: Printed as JSON with the others.

        Raises:
            typer.Exit: With 1, if it was stopped.
        """
        picture = picture or picture_of(result.image.cpu(), self.like)
        write_image(self.target, picture, quality=self.options.quality, overwrite=True)
        seconds = time.monotonic() - self._begun
        self.facts = {
            "output": str(self.target),
            "width": picture.width,
            "height": picture.height,
            "steps": result.step,
            "seconds": round(seconds, 1),
            "ended": result.reason,
            "losses": dict(self._losses),
            **facts,
        }
        if not self.options.as_json:
            print_line(f"{self.target}  {picture.width}x{picture.height}  {result.step} steps, {seconds:.0f} s")
        elif self.is_alone:
            print_json(self.facts)
        if result.reason == "stopped":
            say(f"stopped after {result.step} steps: the picture is what was reached; --resume goes on with it")
            raise typer.Exit(1)
