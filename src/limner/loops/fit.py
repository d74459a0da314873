"""The training loop: players take turns, each lowers its loss in its own parameters; a killed run goes on exactly.

A regression is a game with one player; see `limner.loops.system.System` for what a system yields.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from pathlib import Path
from typing import Any, Literal, NamedTuple

import torch
from pydantic import Field
from torch import Tensor, nn

from limner import processes
from limner.config import Config
from limner.data.sampler import Samples, batch_bytes, batches
from limner.errors import LimnerError
from limner.files.json_text import parse_json
from limner.layers.faster_convolutions import FasterConvolutions
from limner.loops import checkpoint
from limner.loops.held_weights import HeldWeights
from limner.loops.interrupt import stop_on_signal
from limner.loops.nonfinite import keeping_the_start, refuse_nonfinite_loss, refuse_nonfinite_weights
from limner.loops.optimizers import ClipConfig, OptimizerConfig, ScheduleConfig
from limner.loops.step_report import GRADIENTS_EVERY, StepReport, Watcher
from limner.loops.system import layout_of
from limner.memory import free_bytes
from limner.processor import precision_on
from limner.runtime.memory import format_bytes
from limner.types import Progress, Turn

STATE_FILE = "training.pt"


class FitConfig(Config):
    """How a system is trained."""

    steps: int = Field(10_000, ge=1, description="optimiser steps of the whole run")
    batch_size: int = Field(16, ge=1)
    optimizer: OptimizerConfig = OptimizerConfig()
    players: dict[str, OptimizerConfig] = Field({}, description="the optimiser of a player that has its own")
    schedule: ScheduleConfig = ScheduleConfig()
    clip: ClipConfig = ClipConfig()
    precision: Literal["float32", "bfloat16"] = Field(
        "float32", description="bfloat16: forward passes under autocast, where that is faster"
    )
    ema_decay: float | None = Field(
        None, gt=0, lt=1, description="average the weights over about 1 / (1 - decay) steps"
    )
    accumulation: int = Field(1, ge=1, description="batches that make one step, played side by side")
    shard: bool = Field(False, description="processes that train as one share out weights and what optimisers remember")
    seed: int = Field(0, ge=0)


class FitResult(NamedTuple):
    """What a run came to."""

    system: nn.Module  # the averaged one where there is an average; in evaluation mode
    step: int
    seconds: float
    finished: bool  # False: stopped by a signal; the state was saved


class Fit:
    """A run in progress: the state between two steps, and how to make the next."""

    def __init__(
        self, system: nn.Module, config: FitConfig, *, device: str = "cpu", minutes: float | None = None
    ) -> None:
        """Move the system to the device and build an optimiser for each player.

        Raises:
            LimnerError: If `minutes` is not positive, or `config.players` names a player that the system does not have.
        """
        if minutes is not None and minutes <= 0:
            raise LimnerError(f"minutes must be positive, got {minutes}: leave it out for no limit")
        processes.check_shared(config.batch_size)
        self.config, self.minutes, self.device = config, minutes, torch.device(device)
        self._is_half = config.precision == "bfloat16" and precision_on(self.device, "fast") == "fast"
        self._layout = layout_of(system, self.device)
        self.weights = self._held(system)
        self.system: Any = self.weights.system
        self.players: Mapping[str, nn.Module] = self.system.players
        if unknown := [name for name in config.players if name not in self.players]:
            raise LimnerError(f"the system has no player {unknown[0]!r}; it has {', '.join(self.players)}")
        self.optimizer_configs = {name: config.players.get(name, config.optimizer) for name in self.players}
        self.optimizers = {
            name: own.build(self.weights.parameters[name]) for name, own in self.optimizer_configs.items()
        }
        self.average = self.weights.averaged(config.ema_decay)
        self.step_count, self.seconds = 0, 0.0
        self._gradients: dict[str, Tensor] = {}

    def _held(self, system: nn.Module) -> HeldWeights:
        if not self.config.shard or processes.place().size == 1:
            return HeldWeights(system.to(device=self.device, memory_format=self._layout))  # type: ignore[call-overload]
        from limner.loops.sharded_weights import ShardedWeights  # which takes seconds to import

        return ShardedWeights(system, self.device)

    @property
    def progress(self) -> Progress:
        """What has been done of the run."""
        by_time = self.seconds / (60 * self.minutes) if self.minutes else 0.0
        return Progress(self.step_count, min(1.0, max(self.step_count / self.config.steps, by_time)))

    def result_system(self) -> nn.Module:
        """The system to evaluate: the averaged one where there is an average. All processes ask for it together."""
        return self.weights.whole(self.average)

    def step(self, micro_batches: Sequence[Any]) -> StepReport:
        """Make one step from `accumulation` batches.

        The micro-batches are played side by side: a player moves once all of them have given its gradient, and only
        then do they go on to the next turn. So k batches of n are one of k n for every game, but for batch statistics.
        The price: what a system holds from one turn to the next, it holds for each micro-batch.

        Raises:
            TrainingStopped: If a loss is not finite; the message names the first module that went wrong.
        """
        started = time.perf_counter()
        rates = self._set_learning_rates()
        self._gradients = {}
        self.system.train()
        for player in self.players:
            self.weights.forget_gradients(player)
        self.weights.before_turns()
        processes.share_random_state()
        placed = [self._placed(batch) for batch in micro_batches]
        losses: dict[str, list[Tensor]] = {}
        progress = self.progress
        games = [self._play(batch, progress, len(placed), losses) for batch in placed]
        for turn in zip(*games, strict=True):
            assert len(set(turn)) == 1, f"micro-batches must agree on whose turn it is, got {turn}"
            self._move(turn[0], rates[turn[0]])
        processes.average([buffer for buffer in self.system.buffers() if buffer.is_floating_point()])
        if self.average:
            self.average.update(self.weights.followed())
        self.weights.after_turns()
        self.step_count += 1
        self.seconds += time.perf_counter() - started
        means = {name: torch.stack(values).mean() for name, values in losses.items()}
        processes.average(list(means.values()))
        samples = processes.place().size * sum(len(batch[0]) for batch in placed)
        return StepReport(*self.progress, self.seconds, samples, means, rates, self.result_system, self._gradients)

    def _set_learning_rates(self) -> dict[str, float]:
        factor = self.config.schedule.factor_at(*self.progress)
        rates = {name: own.learning_rate * factor for name, own in self.optimizer_configs.items()}
        for name, optimizer in self.optimizers.items():
            for group in optimizer.param_groups:
                group["lr"] = rates[name]
        return rates

    def _placed(self, batch: Any) -> Any:
        """The batch on the run's device, its images in the run's memory layout."""
        moved = (item.to(self.device, memory_format=self._layout if item.dim() == 4 else None) for item in batch)
        return type(batch)(*moved)

    def _play(self, batch: Any, progress: Progress, num_batches: int, losses: dict[str, list[Tensor]]) -> Iterator[str]:
        """Play a micro-batch: after each turn's backward pass comes its player's name, to be moved before going on."""
        turns: Iterator[Turn] = self.system.turns(batch, progress)
        while True:
            with self._autocast(), processes.as_one_batch(len(batch[0])), FasterConvolutions():
                turn = next(turns, None)
            if turn is None:
                return
            player, total = turn.player, turn.total
            refuse_nonfinite_loss(
                self.system, turn, batch, progress, self._autocast, can_play_alone=self.weights.can_play_alone
            )
            for name, loss in turn.losses.items():
                losses.setdefault(f"{player}/{name}", []).append(loss.detach().float())
            torch.autograd.backward(total / num_batches, inputs=self.weights.leaves(player))
            del turn, total, loss  # or their graph would outlive the turn
            yield player

    def _autocast(self) -> AbstractContextManager[Any]:
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self._is_half)

    def _move(self, player: str, learning_rate: float) -> None:
        own = self.weights.share_gradient(player)
        if self.step_count % GRADIENTS_EVERY == 0:
            self._gradients[player] = self.weights.norm(own)
        self.config.clip.apply(own, learning_rate, self.weights.norm)
        self.optimizers[player].step()
        self.weights.moved(player)
        self.weights.forget_gradients(player)

    def state(self) -> dict[str, Any]:
        """All that `restore` needs to go on exactly: weights, optimisers, average, random numbers, position."""
        return {
            "step": self.step_count,
            "seconds": self.seconds,
            "config": self.config.model_dump_json(),
            **self.weights.state(self.optimizers, self.average),
            "random": checkpoint.random_state(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a saved state, exactly if the configuration is that of the saved run.

        Its seed, kinds of optimiser and whether there is an average must be the same; the rest may change: more steps,
        another batch size or, after a loss that was not finite, a lower learning rate.

        Raises:
            LimnerError: If the state is of another system, or of another way to train it.
        """
        try:
            checkpoint.refuse_changes(
                *map(self._what_must_stay, (parse_json(state["config"]), self.config.model_dump(mode="json")))
            )
            self.weights.restore(state, self.optimizers, self.average)
            self.step_count, self.seconds = int(state["step"]), float(state["seconds"])
            checkpoint.restore_random_state(state["random"])
        except LimnerError:
            raise
        except Exception as error:  # a damaged state, or one that somebody else has made, may trip up anything
            reason = " ".join(str(error).split())[:200]  # torch lists every tensor that does not fit
            raise LimnerError(
                f"the saved run is of another system or configuration ({reason}): start a new run"
            ) from None

    def _what_must_stay(self, config: Mapping[str, Any]) -> dict[str, Any]:
        kinds = {f"the optimizer of {name}": config["players"].get(name, config["optimizer"]) for name in self.players}
        return {
            **{what: optimizer["kind"] for what, optimizer in kinds.items()},
            "the weight average": "on" if config["ema_decay"] else "off",
            "the seed": config["seed"],
        }


def fit(
    system: nn.Module,
    samples: Samples,
    config: FitConfig,
    *,
    run: Path | None = None,
    resume: bool = False,
    device: str = "cpu",
    minutes: float | None = None,
    save_every: float = 300.0,
    num_workers: int = 0,
    watchers: Sequence[Watcher] = (),
) -> FitResult:
    """Train `system` on `samples` until `config.steps` steps are made or `minutes` have been trained.

    Args:
        system: A `limner.loops.system.System`. Build it after `seed_everything(config.seed)` for reproducible weights.
        samples: Where batches are drawn from; batch k depends on (seed, k) alone.
        config: How to train.
        run: Folder for the training state, one for each run; None keeps nothing.
        resume: Go on from the state in `run`.
        device: A torch device.
        minutes: A limit on the time of drawing batches and making steps, over all resumptions; schedules then run over
            it, and a resumed run equals an uninterrupted one only as far as the clock does. None: steps alone count.
        save_every: Seconds between two saves of the training state.
        num_workers: Processes that draw samples; 0 draws them here. A script that asks for any needs the usual
            `if __name__ == "__main__":`, for they import it.
        watchers: Called for every step.

    Raises:
        LimnerError: If `resume` finds no state or that of another run, or, without it, `run` holds a state already.
        TrainingStopped: If a loss or, when a state is saved, a weight is not finite; the last saved state stays, or
            that of the beginning is saved.
    """
    if resume and run is None:
        raise LimnerError("resuming needs the folder of the run, got none: pass run=")
    if run and not resume and (run / STATE_FILE).exists():
        raise LimnerError(f"{run} holds a run already: pass --resume (resume=True in Python), or name another folder")
    checkpoint.seed_everything(config.seed)
    training = Fit(system, config, device=device, minutes=minutes)
    if resume and run:
        training.restore(checkpoint.load_state(run / STATE_FILE))
    if not processes.place().is_first:
        run, watchers = None, ()  # one writes and speaks
    if run:
        run.mkdir(parents=True, exist_ok=True)
    if (needed := batch_bytes(samples, config.batch_size // processes.place().size)) > (free := free_bytes()):
        raise LimnerError(
            f"a batch of {config.batch_size} samples takes {format_bytes(needed)} of memory, got {format_bytes(free)} "
            "free: make --batch-size smaller"
        )
    start = training.step_count * config.accumulation
    stream = batches(samples, config.batch_size, config.seed, start=start, num_workers=num_workers)
    with ExitStack() as watching, stop_on_signal() as stop:
        for watcher in watchers:
            watching.callback(watcher.close)
            watcher.start(training.step_count)
        with keeping_the_start(training.state, run / STATE_FILE if run else None):
            _train(training, stream, run, save_every, watchers, lambda: stop.asked)
    return FitResult(
        training.result_system().eval(), training.step_count, training.seconds, training.progress.share >= 1
    )


def _train(
    training: Fit,
    stream: Iterator[Any],
    run: Path | None,
    save_every: float,
    watchers: Sequence[Watcher],
    asked_to_stop: Callable[[], bool],
) -> None:
    """Make steps until the run is done or is asked to stop, and save."""
    saved = time.monotonic()
    while True:
        is_due = run is not None and time.monotonic() - saved >= save_every
        is_asked, training.seconds, must_save = processes.largest(
            float(asked_to_stop()), training.seconds, float(is_due)
        )
        if is_asked or training.progress.share >= 1:  # of all processes alike, by the slowest clock
            break
        if must_save:
            _save(training, run)
            saved = time.monotonic()
        drawing = time.perf_counter()
        micro_batches = [next(stream) for _ in range(training.config.accumulation)]
        training.seconds += time.perf_counter() - drawing  # slow data are part of what training costs
        report = training.step(micro_batches)
        training.weights.shown(partial(_watch, watchers, report), training.average)
    _save(training, run)


def _save(training: Fit, run: Path | None) -> None:
    """Save the state in `run`, if there is one; never one with broken weights, for nothing could go on from it."""
    refuse_nonfinite_weights(training.system, training.step_count)
    state = training.state()  # which processes that share out their weights gather
    if run:
        checkpoint.save_state(run / STATE_FILE, state)


def _watch(watchers: Sequence[Watcher], report: StepReport) -> None:
    for watcher in watchers:
        watcher.step(report)
