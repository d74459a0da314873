"""The loop for one picture: it lowers losses, keeps to its box, stops as asked, and resumes bit for bit."""

import itertools

import pytest
import torch
from torch import nn

from limner.errors import LimnerError, TrainingStopped
from limner.loops.optimize import Optimization, OptimizeConfig, Progress, RunControl, optimize
from limner.loops.optimizers import ScheduleConfig
from limner.loops.pictures import Pixels

TARGET = torch.linspace(0.1, 0.9, 48).view(1, 3, 4, 4)


def distance(image):
    return {"near": (image - TARGET).square().sum()}


def curved(image):
    """Rosenbrock's valley over neighbouring pixels, for which plain gradient steps are slow."""
    x = image.flatten()
    return {"valley": 100 * (x[1:] - x[:-1].square()).square().sum(), "side": (1 - x[:-1]).square().sum()}


def jittered(image):
    return {"near": (image - TARGET + 0.05 * torch.randn(())).square().sum()}


def grey():
    return torch.full((1, 3, 4, 4), 0.5)


@pytest.mark.parametrize("method", ["adam", "lbfgs"])
def test_pixels_reach_a_target(method):
    result = optimize(Pixels(grey()), distance, OptimizeConfig(steps=300, method=method))
    torch.testing.assert_close(result.image, TARGET, atol=1e-3, rtol=0)
    assert (result.step, result.reason) == (300, "all steps")


def test_lbfgs_lowers_the_loss_at_every_step_and_beats_adam_in_a_valley():
    found = {
        method: optimize(Pixels(grey(), None), curved, OptimizeConfig(steps=60, method=method)).totals
        for method in ("adam", "lbfgs")
    }
    lbfgs = found["lbfgs"]
    assert all(after <= before for before, after in itertools.pairwise(lbfgs))
    assert lbfgs[-1] < 0.01 * found["adam"][-1]


@pytest.mark.parametrize("method", ["adam", "lbfgs"])
def test_pixels_stay_in_their_box(method):
    picture = Pixels(grey(), (0.25, 0.6))
    result = optimize(
        picture,
        distance,
        OptimizeConfig(steps=100, method=method),
        control=RunControl(watch=lambda p: bool(p.image.max() > 0.6)),
    )
    assert result.reason == "all steps"
    torch.testing.assert_close(result.image, TARGET.clamp(0.25, 0.6), atol=1e-3, rtol=0)


@pytest.mark.parametrize("method", ["adam", "lbfgs"])
def test_a_resumed_run_equals_one_that_was_never_stopped(tmp_path, method):
    config = OptimizeConfig(steps=12, method=method, schedule=ScheduleConfig(kind="cosine"), seed=3)
    whole = optimize(Pixels(grey()), jittered, config)
    state = tmp_path / "state.pt"
    first = optimize(
        Pixels(grey()), jittered, config, control=RunControl(state=state, watch=lambda progress: progress.step == 5)
    )
    assert (first.step, first.reason) == (5, "stopped")
    again = optimize(Pixels(grey()), jittered, config, control=RunControl(state=state, resume=True))
    assert again.step == 12
    assert torch.equal(again.image, whole.image)
    assert again.totals == whole.totals


def test_what_cannot_be_resumed_is_refused(tmp_path):
    state, config = tmp_path / "state.pt", OptimizeConfig(steps=4)
    optimize(
        Pixels(grey()), distance, config, control=RunControl(state=state, watch=lambda progress: progress.step == 2)
    )
    with pytest.raises(LimnerError, match="made with another configuration"):
        optimize(
            Pixels(grey()), distance, OptimizeConfig(steps=4, seed=1), control=RunControl(state=state, resume=True)
        )
    with pytest.raises(LimnerError, match="is of another picture"):
        optimize(Pixels(torch.rand(1, 3, 5, 4)), distance, config, control=RunControl(state=state, resume=True))
    with pytest.raises(LimnerError, match="was made of other pictures or options"):
        optimize(Pixels(grey()), distance, config, control=RunControl(state=state, resume=True), made_of=[TARGET])
    with pytest.raises(LimnerError, match="there is nothing to resume"):
        optimize(Pixels(grey()), distance, config, control=RunControl(state=tmp_path / "none.pt", resume=True))
    with pytest.raises(LimnerError, match="to resume, say where"):
        optimize(Pixels(grey()), distance, config, control=RunControl(resume=True))


def test_a_run_without_gain_ends_early():
    result = optimize(Pixels(grey()), distance, OptimizeConfig(steps=5000, method="lbfgs", patience=10))
    assert result.reason == "no gain"
    assert 20 <= result.step < 100
    slow = optimize(Pixels(grey()), distance, OptimizeConfig(steps=30, learning_rate=1e-3, patience=3))
    assert slow.reason == "all steps"


def test_the_watcher_sees_losses_by_name_and_the_image_after_the_step():
    seen: list[Progress] = []
    optimize(Pixels(grey()), curved, OptimizeConfig(steps=3), control=RunControl(watch=seen.append))
    assert [(p.step, p.steps) for p in seen] == [(1, 3), (2, 3), (3, 3)]
    assert seen[0].losses == {name: loss.item() for name, loss in curved(grey()).items()}
    assert seen[0].total == sum(seen[0].losses.values())
    assert not seen[0].image.requires_grad
    assert not torch.equal(seen[0].image, grey())


def test_what_l_bfgs_tells_of_a_step_is_what_the_losses_were_before_it():
    """Not those of the last picture of its line search, of which there are several."""
    picture, config = Pixels(grey(), None), OptimizeConfig(steps=6, method="lbfgs")
    run = Optimization(picture, curved, config)
    for _ in range(config.steps):
        before = {name: loss.item() for name, loss in curved(picture().detach()).items()}
        assert run.step().losses == pytest.approx(before)
        assert run.totals[-1] == pytest.approx(sum(before.values()))


@pytest.mark.parametrize(
    ("totals", "ends"),
    [
        ([1, 1, 1, 1, 1], False),  # not yet twice three steps
        ([1, 1, 1, 1, 1, 1], True),
        ([9, 1, 1, 1, 1, 1, 1], True),  # a gain of long ago
        ([9, 1, 1, 1, 1, 1], False),  # the first of the three before counts
        ([1, 1, 9, 1, 1, 1], False),  # and the last
        ([9, 1, 1, 9, 1, 1], True),  # the first of the last three counts, and is no gain
        ([100, 100, 100, 99, 99, 99], True),  # a hundredth is not more than a hundredth
        ([100, 100, 100, 99, 99, 98], False),
        ([1, 1, 1, 5, 5, 5], True),  # worse
    ],
)
def test_patience_compares_as_many_steps_with_as_many_before(totals, ends):
    run = Optimization(Pixels(grey()), distance, OptimizeConfig(patience=3, least_gain=0.01))
    run.totals = totals
    assert run.gains_nothing() is ends


def test_a_network_that_paints_is_optimised_as_pixels_are():
    class Painter(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer, self.z = nn.Conv2d(8, 3, 1), torch.randn(1, 8, 4, 4)

        def forward(self):
            return self.layer(self.z).sigmoid()

    result = optimize(Painter(), distance, OptimizeConfig(steps=200))
    assert result.totals[-1] < 0.5 * result.totals[0]


def test_the_learning_rate_follows_its_schedule():
    config = OptimizeConfig(steps=4, learning_rate=0.1, schedule=ScheduleConfig(kind="linear"))
    run, rates = Optimization(Pixels(grey()), distance, config), []
    for _ in range(4):
        run.step()
        rates.append(run.optimizer.param_groups[0]["lr"])
    assert rates == pytest.approx([0.1, 0.075, 0.05, 0.025])


def test_what_is_not_finite_stops_the_run_by_name():
    with pytest.raises(TrainingStopped, match=r"^diverged at step 1: loss log is not finite: "):
        optimize(Pixels(torch.zeros(1, 3, 2, 2)), lambda image: {"log": image.log().sum()}, OptimizeConfig(steps=3))


def test_nothing_to_optimise_is_refused():
    with pytest.raises(LimnerError, match="Identity has no parameters to optimise"):
        optimize(nn.Identity(), distance, OptimizeConfig())


def test_a_resumed_run_that_ends_leaves_no_state(tmp_path):
    state, config = tmp_path / "state", OptimizeConfig(steps=5)
    optimize(
        Pixels(torch.zeros_like(TARGET)), distance, config, control=RunControl(watch=lambda p: p.step == 2, state=state)
    )
    assert state.exists()
    assert (
        optimize(Pixels(torch.zeros_like(TARGET)), distance, config, control=RunControl(state=state, resume=True)).step
        == 5
    )
    assert not state.exists()


def test_a_control_can_show_something_else_than_the_image():
    seen = []
    control = RunControl(lambda progress: seen.append(progress.image)).showing(lambda image: image[..., :1])
    optimize(Pixels(grey()), distance, OptimizeConfig(steps=2), control=control)
    assert [image.shape[-1] for image in seen] == [1, 1]
    assert RunControl().showing(torch.neg) == RunControl()


class Killed(BaseException):
    """What comes without warning."""


def test_the_state_is_saved_every_now_and_then_so_that_a_kill_loses_little(tmp_path):
    state, config = tmp_path / "x.state", OptimizeConfig(steps=6)
    whole = optimize(Pixels(torch.zeros_like(TARGET)), distance, config)

    def kill(progress):
        if progress.step == 4:
            raise Killed

    control = RunControl(watch=kill, state=state, save_every=0.0)
    with pytest.raises(Killed):
        optimize(Pixels(torch.zeros_like(TARGET)), distance, config, control=control)
    resumed = optimize(Pixels(torch.zeros_like(TARGET)), distance, config, control=RunControl(state=state, resume=True))
    assert (resumed.step, resumed.totals) == (6, whole.totals)
    assert torch.equal(resumed.image, whole.image)
    assert not state.exists()


def test_within_a_minute_nothing_is_saved(tmp_path):
    state = tmp_path / "x.state"
    seen = []
    control = RunControl(watch=lambda progress: seen.append(state.exists()), state=state)
    optimize(Pixels(torch.zeros_like(TARGET)), distance, OptimizeConfig(steps=5), control=control)
    assert seen == [False] * 5


def test_a_diverged_run_keeps_the_last_good_state(tmp_path):
    state = tmp_path / "x.state"
    calls = []

    def breaking(image):
        calls.append(image)
        return {"a": (image.square().mean() if len(calls) < 4 else image.mean() * torch.nan)}

    control = RunControl(state=state, save_every=0.0)
    with pytest.raises(TrainingStopped, match="diverged at step 4"):
        optimize(Pixels(grey()), breaking, OptimizeConfig(steps=9), control=control)
    found = optimize(Pixels(grey()), distance, OptimizeConfig(steps=4), control=RunControl(state=state, resume=True))
    assert found.step == 4
    assert bool(found.image.isfinite().all())
