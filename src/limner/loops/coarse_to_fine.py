"""A picture that is optimised at one size after another, from coarse to fine."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pydantic import Field
from torch import Tensor

from limner.config import Config
from limner.errors import LimnerError
from limner.loops.optimize import Objective, OptimizeConfig, Optimized, RunControl, Watch, optimize
from limner.loops.pictures import Pixels
from limner.ops.resample import imresize
from limner.ops.wrap import imresize_wrapped


class Pass(Config):
    """One of several sizes at which a picture is optimised, the next beginning with its result."""

    scale: float = Field(1.0, gt=0, le=1, description="of the sides of the result")
    optimize: OptimizeConfig = OptimizeConfig()


def with_steps(passes: Sequence[Pass], steps: int) -> tuple[Pass, ...]:
    """The same passes, with about so many steps in all, each with its share and at least one."""
    total = sum(one.optimize.steps for one in passes)
    shares = (max(1, round(one.optimize.steps * steps / total)) for one in passes)
    return tuple(
        one.model_copy(update={"optimize": one.optimize.model_copy(update={"steps": share})})
        for one, share in zip(passes, shares, strict=True)
    )


def coarse_to_fine(
    start: Tensor,
    size: tuple[int, int],
    passes: Sequence[Pass],
    objective: Callable[[tuple[int, int]], Objective],
    *,
    multiple: int = 1,
    wrap: bool = False,
    box: tuple[float, float] | None = (0.0, 1.0),
    control: RunControl = RunControl(),
    made_of: Sequence[Any] = (),
) -> Optimized:
    """Optimise pixels at one size after another, each beginning with the result of the one before, enlarged.

    Args:
        start: (n, c, h, w) of any size.
        size: Height and width of the last pass, if its scale is 1.
        passes: At least one.
        objective: Makes the objective for a size.
        multiple: That the sides of every pass are rounded to.
        wrap: Enlarge the picture as one that is repeated on all sides.
        box: As for `Pixels`.
        control: How it is watched, stopped and resumed. Steps are counted over all passes, and the name of the state
            has the number of its pass added to it.
        made_of: As for `optimize`.

    Returns:
        The last pass that was begun, with the steps and losses of those before it. Where it was stopped before the last
        of all, its image is enlarged to the size of that.

    Raises:
        LimnerError: If there are no passes, or nothing to resume.
        TrainingStopped: If a loss is not finite.
    """
    if not passes:
        raise LimnerError("passes must name one pass or more, got none")
    begun = _begun(control.state, len(passes)) if control.resume else 0
    total, image, losses = sum(one.optimize.steps for one in passes), start, list[float]()
    for number, one in list(enumerate(passes))[begun:]:
        here = _size_of(size, one.scale, multiple)
        done = sum(earlier.optimize.steps for earlier in passes[:number])
        result = optimize(
            Pixels(_resized(image, here, box, wrap=wrap), box),
            objective(here),
            one.optimize,
            control=RunControl(
                watch=_counted(control.watch, done, total) if control.watch else None,
                state=_of_pass(control.state, number) if control.state else None,
                resume=control.resume and number == begun,
                save_every=control.save_every,
                keep=number + 1 < len(passes),
            ),
            made_of=made_of,
        )
        image, losses = result.image, losses + result.totals
        if result.reason == "stopped":
            image = _resized(image, _size_of(size, passes[-1].scale, multiple), box, wrap=wrap)
            break
    else:
        _forget(control.state, len(passes))
    return Optimized(image, done + result.step, losses, result.reason)


def _of_pass(state: Path, number: int) -> Path:
    return state.with_name(f"{state.name}.{number}")


def _forget(state: Path | None, num_passes: int) -> None:
    """Remove what the passes have kept: nothing is left to go on with."""
    for number in range(num_passes if state else 0):
        assert state
        _of_pass(state, number).unlink(missing_ok=True)


def _begun(state: Path | None, num_passes: int) -> int:
    """The last pass that was begun: those before it have kept what they came to."""
    for number in reversed(range(num_passes)):
        if state and _of_pass(state, number).exists():
            return number
    raise LimnerError(f"{state}: there is no state of a run that was stopped: start a new one")


def _size_of(size: tuple[int, int], scale: float, multiple: int) -> tuple[int, int]:
    height, width = (max(1, round(scale * side / multiple)) * multiple for side in size)
    return height, width


def _resized(image: Tensor, size: tuple[int, int], box: tuple[float, float] | None, *, wrap: bool) -> Tensor:
    if tuple(image.shape[-2:]) == size:
        return image
    image = imresize_wrapped(image, size) if wrap else imresize(image, size=size)
    return image if box is None else image.clamp(*box)


def _counted(watch: Watch, done: int, total: int) -> Watch:
    """Sees the steps of one pass as those of all."""
    return lambda progress: watch(progress._replace(step=done + progress.step, steps=total))
