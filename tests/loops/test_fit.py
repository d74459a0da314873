"""Turns, accumulation, precision and the ends of a run, on games small enough to play by hand."""

import copy
import threading
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import pytest
import torch
from torch import Tensor, nn

from limner.errors import LimnerError
from limner.loops.fit import Fit, FitConfig, fit
from limner.loops.optimizers import ClipConfig, OptimizerConfig, ScheduleConfig
from limner.loops.step_report import StepReport
from limner.types import Progress, Turn

SGD = OptimizerConfig(kind="sgd", learning_rate=0.1)


class Batch(NamedTuple):
    source: Tensor
    target: Tensor


class Points:
    """Pairs (x, 2 x + noise) of a few numbers."""

    def __init__(self, count: int = 10, width: int = 3) -> None:
        self.count, self.width = count, width

    def __len__(self) -> int:
        return self.count

    def draw(self, index: int, rng: torch.Generator) -> Batch:
        x = torch.randn(self.width, generator=rng) + index
        return Batch(x, 2 * x.sum()[None])


class Regression(nn.Module):
    """One player, one turn."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Linear(3, 1)

    @property
    def players(self) -> Mapping[str, nn.Module]:
        return {"network": self.net}

    def turns(self, batch: Batch, progress: Progress) -> Iterator[Turn]:
        yield Turn("network", {"mse": (self.net(batch.source) - batch.target).square().mean()})


class Duel(nn.Module):
    """Two players; the critic moves twice, then the generator, in whose loss the critic stands."""

    def __init__(self) -> None:
        super().__init__()
        self.generator, self.critic = nn.Linear(3, 1), nn.Linear(1, 1)
        self.seen: list[Tensor] = []

    @property
    def players(self) -> Mapping[str, nn.Module]:
        return {"critic": self.critic, "generator": self.generator}

    def turns(self, batch: Batch, progress: Progress) -> Iterator[Turn]:
        fake = self.generator(batch.source)
        for _ in range(2):
            self.seen.append(self.critic.weight.detach().clone())
            gap = self.critic(fake.detach()).tanh() - self.critic(batch.target).tanh()
            yield Turn("critic", {"gap": gap.mean(), "norm": self.critic.weight.square().sum()})
        self.seen.append(self.critic.weight.detach().clone())
        yield Turn("generator", {"gap": -self.critic(fake).tanh().mean(), "size": 0.1 * fake.square().mean()})
        self.seen.append(self.generator.weight.detach().clone())


def batch_of(samples: int) -> Batch:
    source = torch.randn(samples, 3)
    return Batch(source, 2 * source.sum(1, keepdim=True))


def split(batch: Batch, parts: int) -> list[Batch]:
    return [Batch(*pair) for pair in zip(*(item.chunk(parts) for item in batch), strict=True)]


def duel_step_by_hand(duel: Duel, batch: Batch, rate: float) -> dict[str, Tensor]:
    """One step of the duel with SGD, with autograd.grad and in-place subtraction alone."""

    def move(loss: Tensor, player: nn.Module) -> None:
        parameters = list(player.parameters())
        for parameter, gradient in zip(parameters, torch.autograd.grad(loss, parameters), strict=True):
            parameter.data -= rate * gradient

    g, c = duel.generator, duel.critic
    fake = g(batch.source)
    for _ in range(2):
        gap = c(fake.detach()).tanh() - c(batch.target).tanh()
        move(gap.mean() + c.weight.square().sum(), c)
    move(-c(fake).tanh().mean() + 0.1 * fake.square().mean(), g)
    return duel.state_dict()


def test_a_step_of_two_players_is_the_one_written_out_by_hand():
    duel, batch = Duel(), batch_of(4)
    expected = duel_step_by_hand(copy.deepcopy(duel), batch, 0.1)
    Fit(duel, FitConfig(optimizer=SGD)).step([batch])
    for name, value in duel.state_dict().items():
        torch.testing.assert_close(value, expected[name], msg=name)


def test_a_player_has_moved_when_the_generator_goes_on():
    duel = Duel()
    before = duel.generator.weight.detach().clone()
    Fit(duel, FitConfig(optimizer=SGD)).step([batch_of(4)])
    first, second, third, generator = duel.seen
    assert not torch.equal(first, second)
    assert not torch.equal(second, third)
    assert torch.equal(third, duel.critic.weight)  # the generator's turn did not move the critic
    assert not torch.equal(generator, before)


def test_a_turn_moves_its_own_player_alone():
    class OnlyGenerator(Duel):
        def turns(self, batch: Batch, progress: Progress) -> Iterator[Turn]:
            yield Turn("generator", {"gap": -self.critic(self.generator(batch.source)).mean()})

    system = OnlyGenerator()
    before = copy.deepcopy(system.state_dict())
    Fit(system, FitConfig(optimizer=SGD)).step([batch_of(4)])
    moved = {name.split(".")[0] for name, value in system.state_dict().items() if not torch.equal(value, before[name])}
    assert moved == {"generator"}
    assert all(parameter.grad is None for parameter in system.parameters())


def test_gradients_left_over_from_before_the_run_do_not_count():
    clean, dirty = Regression(), Regression()
    dirty.load_state_dict(clean.state_dict())
    batch = batch_of(4)
    dirty.net.weight.grad = torch.full_like(dirty.net.weight, 100.0)
    for system in (clean, dirty):
        Fit(system, FitConfig(optimizer=SGD)).step([batch])
    assert torch.equal(clean.net.weight, dirty.net.weight)


def test_frozen_parameters_stay():
    system = Regression()
    system.net.bias.requires_grad_(False)
    bias = system.net.bias.clone()
    Fit(system, FitConfig(optimizer=SGD)).step([batch_of(4)])
    assert torch.equal(system.net.bias, bias)


def test_a_player_may_have_its_own_optimizer():
    config = FitConfig(optimizer=SGD, players={"critic": OptimizerConfig(kind="adam", learning_rate=0.5)})
    training = Fit(Duel(), config)
    assert isinstance(training.optimizers["critic"], torch.optim.Adam)
    assert type(training.optimizers["generator"]) is torch.optim.SGD
    report = training.step([batch_of(4)])
    assert report.learning_rates == {"critic": 0.5, "generator": 0.1}


def test_a_configured_player_must_exist():
    with pytest.raises(LimnerError, match="no player 'discriminater'; it has critic, generator"):
        Fit(Duel(), FitConfig(players={"discriminater": SGD}))


def test_losses_are_named_by_player_and_are_means_over_repeated_turns():
    duel, batch = Duel(), batch_of(4)
    report = Fit(duel, FitConfig(optimizer=SGD)).step([batch])
    assert list(report.losses) == ["critic/gap", "critic/norm", "generator/gap", "generator/size"]
    squares = [seen.square().sum() for seen in duel.seen[:2]]
    torch.testing.assert_close(report.losses["critic/norm"], (squares[0] + squares[1]) / 2)
    assert not any(loss.requires_grad for loss in report.losses.values())
    assert report.samples == 4


def test_samples_are_those_of_all_micro_batches():
    assert Fit(Duel(), FitConfig(accumulation=3)).step([batch_of(2), batch_of(3), batch_of(4)]).samples == 9


def test_a_system_that_a_watcher_has_set_to_evaluation_trains_on_in_training():
    seen: list[bool] = []

    class Moody(Regression):
        def turns(self, batch: Batch, progress: Progress) -> Iterator[Turn]:
            seen.append(self.training and self.net.training)
            yield from super().turns(batch, progress)

    training = Fit(Moody().eval(), FitConfig(optimizer=SGD))
    for _ in range(2):
        training.step([batch_of(2)]).system.eval()
    assert seen == [True, True]


@pytest.mark.parametrize("game", [Regression, Duel])
@pytest.mark.parametrize("parts", [2, 4])
def test_micro_batches_equal_one_large_batch(game: type[nn.Module], parts: int):
    whole = game().double()
    parted = copy.deepcopy(whole)
    config = FitConfig(optimizer=SGD, clip=ClipConfig(kind="norm", threshold=0.5))
    one, many = Fit(whole, config), Fit(parted, config.override([f"accumulation={parts}"]))
    for _ in range(3):
        batch = Batch(*(item.double() for item in batch_of(8)))
        first, second = one.step([batch]), many.step(split(batch, parts))
        for name, loss in first.losses.items():
            torch.testing.assert_close(second.losses[name], loss, msg=name)
    for name, value in whole.state_dict().items():
        torch.testing.assert_close(parted.state_dict()[name], value, rtol=1e-12, atol=1e-12, msg=name)


def test_accumulation_frees_each_graph_before_the_next_forward_pass():
    alive, most = 0, 0

    class Watched(Regression):
        def turns(self, batch: Batch, progress: Progress) -> Iterator[Turn]:
            def kept(x: Tensor) -> Tensor:
                nonlocal alive, most
                alive, most = alive + 1, max(most, alive + 1)
                return x

            class Held:
                def __init__(self, tensor: Tensor) -> None:
                    self.tensor = kept(tensor)

                def __del__(self) -> None:
                    nonlocal alive
                    alive -= 1

            with torch.autograd.graph.saved_tensors_hooks(Held, lambda held: held.tensor):
                loss = self.net(batch.source).square().mean()
            yield Turn("network", {"size": loss})

    training = Fit(Watched(), FitConfig(optimizer=SGD, accumulation=4))
    training.step([batch_of(2)])
    alone, most = most, 0
    training.step([batch_of(2) for _ in range(4)])
    assert alone > 0
    assert most == alone


def test_the_schedule_reaches_every_optimizer():
    schedule = ScheduleConfig(kind="linear", final=0.0)
    training = Fit(Duel(), FitConfig(steps=4, optimizer=SGD, schedule=schedule))
    rates = [training.step([batch_of(2)]).learning_rates["generator"] for _ in range(4)]
    assert rates == pytest.approx([0.1, 0.075, 0.05, 0.025])
    assert training.optimizers["critic"].param_groups[0]["lr"] == pytest.approx(0.025)


def test_the_adjustable_clip_follows_the_scheduled_rate():
    system = Regression()
    nn.init.zeros_(system.net.weight)
    batch = Batch(torch.full((1, 3), 100.0), torch.full((1, 1), 1e4))  # a gradient far over every threshold
    config = FitConfig(
        steps=2,
        optimizer=SGD,
        schedule=ScheduleConfig(kind="linear", final=0.0),
        clip=ClipConfig(kind="adjustable", threshold=0.01),
    )
    training = Fit(system, config)
    for step in (1, 2):  # rate * theta / rate = theta, whatever the rate
        training.step([batch])
        torch.testing.assert_close(system.net.weight.detach(), torch.full((1, 3), step * 0.01))


def test_bfloat16_is_for_forward_passes_alone(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("limner.processor.bfloat16_pays", lambda device: True)
    seen: dict[str, object] = {}

    class Half(Regression):
        def turns(self, batch: Batch, progress: Progress) -> Iterator[Turn]:
            for _ in range(2):
                output = self.net(batch.source)
                seen["forward"] = output.dtype
                yield Turn("network", {"size": output.square().mean().bfloat16()})

    system = Half()
    training = Fit(system, FitConfig(optimizer=SGD, precision="bfloat16"))
    step = training.optimizers["network"].step

    def spy() -> None:
        seen["move"] = torch.is_autocast_enabled("cpu")
        seen["gradient"] = system.net.weight.grad.dtype
        step()

    monkeypatch.setattr(training.optimizers["network"], "step", spy)
    before = system.net.weight.detach().clone()
    report = training.step([batch_of(4)])
    assert seen == {"forward": torch.bfloat16, "move": False, "gradient": torch.float32}
    assert system.net.weight.dtype == torch.float32
    assert not torch.equal(before, system.net.weight)
    assert report.losses["network/size"].dtype == torch.float32


def test_bfloat16_is_float32_where_that_is_faster(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("limner.processor.bfloat16_pays", lambda device: False)
    seen: list[torch.dtype] = []

    class Half(Regression):
        def turns(self, batch: Batch, progress: Progress) -> Iterator[Turn]:
            seen.append(self.net(batch.source).dtype)
            yield from super().turns(batch, progress)

    Fit(Half(), FitConfig(optimizer=SGD, precision="bfloat16")).step([batch_of(4)])
    assert seen == [torch.float32]


def test_under_bfloat16_the_second_turn_sees_moved_weights(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("limner.processor.bfloat16_pays", lambda device: True)
    outputs: list[Tensor] = []

    class Twice(Regression):
        def turns(self, batch: Batch, progress: Progress) -> Iterator[Turn]:
            for _ in range(2):
                outputs.append(self.net(batch.source))
                yield Turn("network", {"size": outputs[-1].float().square().mean()})

    Fit(Twice(), FitConfig(optimizer=SGD, precision="bfloat16")).step([batch_of(4)])
    assert not torch.equal(outputs[0], outputs[1])  # autocast keeps no stale copy of the weights


def test_float32_is_not_autocast():
    class Plain(Regression):
        def turns(self, batch: Batch, progress: Progress) -> Iterator[Turn]:
            assert self.net(batch.source).dtype == torch.float32
            yield from super().turns(batch, progress)

    Fit(Plain(), FitConfig(optimizer=SGD)).step([batch_of(4)])


@pytest.mark.parametrize("layout", [torch.channels_last, torch.contiguous_format])
def test_images_and_convolutions_have_the_layout_of_the_processor(monkeypatch, layout):
    monkeypatch.setattr("limner.loops.system.layout_on", lambda device, learner: {"weights": layout}[learner])

    class Convolution(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = nn.Conv2d(3, 4, 3)

        @property
        def players(self) -> Mapping[str, nn.Module]:
            return {"network": self.net}

        def turns(self, batch: Batch, progress: Progress) -> Iterator[Turn]:
            assert batch.source.is_contiguous(memory_format=layout)
            yield Turn("network", {"size": self.net(batch.source).square().mean() + batch.target.sum() * 0})

    training = Fit(Convolution(), FitConfig())
    training.step([Batch(torch.rand(2, 3, 8, 8), torch.rand(2))])
    assert training.system.net.weight.is_contiguous(memory_format=layout)


def config(**changes: object) -> FitConfig:
    return FitConfig.parse({"steps": 5, "batch_size": 2, "optimizer": SGD.override(["learning_rate=0.001"]), **changes})


class Reports:
    """A watcher that keeps what it was told."""

    def __init__(self) -> None:
        self.reports: list[StepReport] = []
        self.started: list[int] = []
        self.closed = 0

    def start(self, step: int) -> None:
        self.started.append(step)

    def step(self, report: StepReport) -> None:
        self.reports.append(report)

    def close(self) -> None:
        self.closed += 1


def test_steps_end_the_run_and_watchers_see_each(tmp_path):
    watcher = Reports()
    result = fit(Regression(), Points(), config(), run=tmp_path / "a" / "b", watchers=[watcher])
    assert (result.step, result.finished) == (5, True)
    assert [report.step for report in watcher.reports] == [1, 2, 3, 4, 5]
    assert [report.share for report in watcher.reports] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])
    assert (watcher.started, watcher.closed) == ([0], 1)
    assert [path.name for path in (tmp_path / "a" / "b").iterdir()] == ["training.pt"]


def test_the_result_is_the_average_in_evaluation_mode():
    system = Regression()
    result = fit(system, Points(), config(ema_decay=0.9))
    assert result.system is not system
    assert not result.system.training
    plain = Regression()
    assert fit(plain, Points(), config()).system is plain


def test_minutes_end_the_run_by_trained_time_and_schedules_follow(monkeypatch: pytest.MonkeyPatch):
    now = iter(range(10**6))
    monkeypatch.setattr("limner.loops.fit.time.perf_counter", lambda: float(next(now)))  # each look takes a second
    watcher = Reports()
    schedule = ScheduleConfig(kind="linear", final=0.0)
    result = fit(
        Regression(), Points(), config(steps=10**6, schedule=schedule), minutes=10 / 60, watchers=[watcher]
    )  # a second to draw, a second to step: ten seconds are five steps
    assert (result.step, result.seconds, result.finished) == (5, 10.0, True)
    factors = [report.learning_rates["network"] / 0.001 for report in watcher.reports]
    assert factors == pytest.approx([0.9, 0.7, 0.5, 0.3, 0.1])


def test_steps_end_the_run_where_minutes_would_last_longer():
    assert fit(Regression(), Points(), config(), minutes=60).step == 5


@pytest.mark.parametrize("minutes", [0.0, -1.0])
def test_minutes_must_be_positive(minutes: float):
    with pytest.raises(LimnerError, match="minutes must be positive"):
        fit(Regression(), Points(), config(), minutes=minutes)


def test_a_run_is_not_overwritten(tmp_path):
    fit(Regression(), Points(), config(), run=tmp_path)
    saved = (tmp_path / "training.pt").read_bytes()
    with pytest.raises(LimnerError, match=r"holds a run already: pass --resume .resume=True in Python., or name"):
        fit(Regression(), Points(), config(), run=tmp_path)
    assert (tmp_path / "training.pt").read_bytes() == saved


def test_resuming_needs_a_folder_with_a_run(tmp_path):
    with pytest.raises(LimnerError, match="needs the folder of the run"):
        fit(Regression(), Points(), config(), resume=True)
    with pytest.raises(LimnerError, match="nothing to resume"):
        fit(Regression(), Points(), config(), run=tmp_path, resume=True)


def test_watchers_are_closed_when_the_run_fails():
    class Failing(Reports):
        def step(self, report: StepReport) -> None:
            raise OSError("disk full")

        def close(self) -> None:
            super().close()
            raise OSError("still full")

    first, second = Reports(), Failing()
    with pytest.raises(OSError, match="full"):
        fit(Regression(), Points(), config(), watchers=[first, second])
    assert (first.closed, second.closed) == (1, 1)


def test_fit_works_outside_the_main_thread():
    results = []
    thread = threading.Thread(target=lambda: results.append(fit(Regression(), Points(), config())))
    thread.start()
    thread.join()
    assert results[0].finished


def test_no_samples_is_an_error():
    with pytest.raises(LimnerError, match="no samples"):
        fit(Regression(), Points(count=0), config())
