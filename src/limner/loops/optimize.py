"""The loop for one picture: lower a loss over its pixels, or over whatever else it is painted by.

A picture is an `nn.Module` that is called without arguments and gives the current image; what it has as parameters is
what is changed. An objective takes that image and gives named losses, weighted already.
"""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol, TypeAlias

import torch
from pydantic import Field
from torch import Tensor, nn

from limner.config import Config
from limner.errors import LimnerError, TrainingStopped
from limner.layers.faster_convolutions import FasterConvolutions
from limner.loops.checkpoint import (
    are_alike,
    digest,
    load_state,
    random_state,
    restore_random_state,
    save_state,
    seed_everything,
)
from limner.loops.interrupt import stop_on_signal
from limner.loops.optimizers import OptimizerConfig, ScheduleConfig

Objective: TypeAlias = Callable[[Tensor], Mapping[str, Tensor]]
Reason: TypeAlias = Literal["all steps", "no gain", "stopped"]

_SAVING_SHARE = 50
_EVALUATIONS = 25  # of the objective at most in one line search of L-BFGS


class OptimizeConfig(Config):
    """How a picture is optimised."""

    steps: int = Field(500, ge=1)
    method: Literal["adam", "lbfgs"] = "adam"
    learning_rate: float = Field(0.02, gt=0, description="of Adam; L-BFGS searches its own step")
    schedule: ScheduleConfig = Field(ScheduleConfig(), description="of Adam's learning rate")
    history: int = Field(20, ge=1, description="steps that L-BFGS remembers")
    patience: int | None = Field(
        None, ge=1, description="stop once so many steps have gained less than least_gain over as many before them"
    )
    least_gain: float = Field(0.01, ge=0, lt=1, description="share of the loss")
    seed: int = Field(0, ge=0)


class Progress(NamedTuple):
    """What a watcher gets after a step.

    Attributes:
        step: How many are made.
        steps: How many there will be.
        losses: Before this step, by name.
        image: After it, without gradient; of a picture with a method `latest`, what that gives.
    """

    step: int
    steps: int
    losses: Mapping[str, float]
    image: Tensor

    @property
    def total(self) -> float:
        """The sum of the losses."""
        return sum(self.losses.values())


class Watch(Protocol):
    """Sees every step; what it returns ends the run if it is true."""

    def __call__(self, progress: Progress) -> object:
        """A step has been made."""


@dataclass(frozen=True)
class RunControl:
    """How a run is watched, and kept so that it can be stopped and resumed.

    Attributes:
        watch: Called after each step; a true answer ends the run.
        state: Where the state is kept, every now and then and if the run is stopped by Ctrl-C, SIGTERM or `watch`.
        resume: Go on from `state`.
        save_every: Seconds between two savings of the state; more where it is so large that they would take long.
        keep: Keep the state of a run that is finished too, for one that goes on with its result.
    """

    watch: Watch | None = None
    state: Path | None = None
    resume: bool = False
    save_every: float = 60.0
    keep: bool = False

    def showing(self, change: Callable[[Tensor], Tensor]) -> "RunControl":
        """The same, but `watch` sees what `change` makes of each image."""
        watch = self.watch
        if watch is None:
            return self
        return replace(self, watch=lambda progress: watch(progress._replace(image=change(progress.image))))


class Optimized(NamedTuple):
    """What a run came to.

    Attributes:
        image: The last one.
        step: How many steps were made, over all resumptions.
        totals: The loss before each step.
        reason: Why it ended.
    """

    image: Tensor
    step: int
    totals: list[float]
    reason: Reason


class Optimization:
    """A run in progress: the state between two steps, and how to make the next."""

    def __init__(
        self, picture: nn.Module, objective: Objective, config: OptimizeConfig, made_of: Sequence[Any] = ()
    ) -> None:
        """Build the optimiser; `made_of` is as for `optimize`.

        Raises:
            LimnerError: If the picture has nothing that can be changed.
        """
        self.picture, self.objective, self.config, self.made_of = picture, objective, config, digest(made_of)
        parameters = [parameter for parameter in picture.parameters() if parameter.requires_grad]
        if not parameters:
            raise LimnerError(f"{type(picture).__name__} has no parameters to optimise: give it some")
        self.optimizer: torch.optim.Optimizer
        if config.method == "adam":
            self.optimizer = OptimizerConfig(learning_rate=config.learning_rate).build(parameters)
        else:
            self.optimizer = torch.optim.LBFGS(
                parameters,
                max_iter=1,
                max_eval=_EVALUATIONS,
                history_size=config.history,
                line_search_fn="strong_wolfe",
                tolerance_grad=0,
                tolerance_change=0,
            )
        self.totals: list[float] = []

    @property
    def step_count(self) -> int:
        """How many steps are made."""
        return len(self.totals)

    def step(self) -> Progress:
        """Make one step.

        Raises:
            TrainingStopped: If a loss is not finite.
        """
        found: list[Mapping[str, Tensor]] = []

        def evaluate() -> Tensor:
            self.optimizer.zero_grad()
            with FasterConvolutions():
                losses = self.objective(self.picture())
            total = torch.stack(list(losses.values())).sum()
            found.append({name: loss.detach() for name, loss in losses.items()})
            total.backward()
            if hold := getattr(self.picture, "hold", None):
                hold()
            return total

        if self.config.method == "adam":
            rate = self.config.schedule.factor_at(self.step_count, self.step_count / self.config.steps)
            self.optimizer.param_groups[0]["lr"] = rate * self.config.learning_rate
        self.optimizer.step(evaluate)  # type: ignore[arg-type]  # torch takes a tensor
        losses = {name: loss.item() for name, loss in found[0].items()}
        for name, loss in losses.items():
            if not math.isfinite(loss):
                raise TrainingStopped(
                    f"diverged at step {self.step_count + 1}: loss {name} is not finite: "
                    "lower the learning rate, or check the pictures"
                )
        if constrain := getattr(self.picture, "constrain", None):
            constrain()
        self.totals.append(sum(losses.values()))
        latest = getattr(self.picture, "latest", self.picture)
        with torch.no_grad():
            return Progress(self.step_count, self.config.steps, losses, latest().detach())

    def gains_nothing(self) -> bool:
        """Whether the last `patience` steps are hardly better than those before."""
        patience = self.config.patience
        if patience is None or self.step_count < 2 * patience:
            return False
        before, last = (sum(part) for part in (self.totals[-2 * patience : -patience], self.totals[-patience:]))
        return before - last <= self.config.least_gain * abs(before)

    def save(self, path: Path) -> None:
        """Write the state, whole or not at all."""
        state = {
            "picture": self.picture.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "totals": self.totals,
            "config": self.config.model_dump(),
            "made_of": self.made_of,
            "random": random_state(),
        }
        save_state(path, state)

    def resume(self, path: Path) -> None:
        """Go on where a saved run was: the next steps are those that it would have made.

        Raises:
            LimnerError: If there is none, or it was of another picture or another configuration but for its steps.
        """
        state = load_state(path)
        try:
            self._restore(path, state)
        except LimnerError:
            raise
        except Exception:  # a damaged state, or one that somebody else has made, may trip up anything
            raise LimnerError(f"{path} is of another picture: resume with that one, or start a new run") from None

    def _restore(self, path: Path, state: Mapping[str, Any]) -> None:
        if {**state["config"], "steps": 0} != {**self.config.model_dump(), "steps": 0}:
            raise LimnerError(f"{path} was made with another configuration: resume with that, or start a new run")
        if not are_alike(state.get("made_of"), self.made_of):
            raise LimnerError(f"{path} was made of other pictures or options: resume with those, or start a new run")
        self.picture.load_state_dict(state["picture"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.totals = [float(total) for total in state["totals"]]
        restore_random_state(state["random"])


class _Saver:
    """Saves the state every now and then, so that a run that is killed has lost little."""

    def __init__(self, run: Optimization, control: RunControl) -> None:
        self._run, self._state, self._every = run, control.state, control.save_every
        self._next = time.monotonic() + self._every

    def save_if_time(self) -> None:
        """Save if it is time; the next time is so far off that saving takes a fiftieth of it at most."""
        begun = time.monotonic()
        if self._state and begun >= self._next:
            self._run.save(self._state)
            ended = time.monotonic()
            self._next = ended + max(self._every, _SAVING_SHARE * (ended - begun))


def optimize(
    picture: nn.Module,
    objective: Objective,
    config: OptimizeConfig,
    *,
    control: RunControl = RunControl(),
    made_of: Sequence[Any] = (),
) -> Optimized:
    """Lower an objective over a picture.

    Args:
        picture: Called without arguments it gives the image; its methods `hold` and `constrain`, if it has them,
            are called when there is a gradient and after each step, and `latest` to look at it where a call costs
            much. It is changed in place.
        objective: From the image to named losses.
        config: How.
        control: How it is watched, stopped and resumed.
        made_of: What the objective is made of, as for `digest`: a state that was made of something else is refused.

    Raises:
        LimnerError: If there is nothing to optimise or to resume.
        TrainingStopped: If a loss is not finite.
    """
    seed_everything(config.seed)
    run = Optimization(picture, objective, config, made_of)
    state = control.state
    if control.resume:
        if state is None:
            raise LimnerError("to resume, say where the state is kept")
        run.resume(state)
    reason: Reason = "all steps"
    saver = _Saver(run, control)
    with stop_on_signal() as request:
        while run.step_count < config.steps:
            progress = run.step()
            wanted = control.watch(progress) if control.watch else None
            if wanted or request.asked:
                reason = "stopped"
                break
            if run.gains_nothing():
                reason = "no gain"
                break
            saver.save_if_time()
    if state and (reason == "stopped" or control.keep):
        run.save(state)
    elif state:
        state.unlink(missing_ok=True)  # nothing is left to go on with
    with torch.no_grad():
        return Optimized(picture().detach(), run.step_count, run.totals, reason)
