"""Schedules and clips, by hand."""

import copy
import math

import pytest
import torch
from torch import nn

from limner.errors import LimnerError
from limner.loops.optimizers import ClipConfig, OptimizerConfig, ScheduleConfig, restore_optimizer

HALF = math.sqrt(0.5)


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (ScheduleConfig(), [1, 1, 1, 1, 1]),
        (ScheduleConfig(kind="linear"), [1, 0.75, 0.5, 0.25, 0]),
        (ScheduleConfig(kind="linear", final=0.2), [1, 0.8, 0.6, 0.4, 0.2]),
        (ScheduleConfig(kind="cosine"), [1, (1 + HALF) / 2, 0.5, (1 - HALF) / 2, 0]),
        (ScheduleConfig(kind="cosine", final=0.5), [1, 0.75 + HALF / 4, 0.75, 0.75 - HALF / 4, 0.5]),
        (ScheduleConfig(kind="step"), [1, 0.1, 0.01, 0.001, 0.0001]),
        (ScheduleConfig(kind="step", every=0.5, factor=0.3), [1, 1, 0.3, 0.3, 0.09]),
        (ScheduleConfig(kind="inverse", final=0.2), [1, 1 / 2, 1 / 3, 1 / 4, 1 / 5]),
        (ScheduleConfig(kind="constant", hold=0.5), [1, 1, 1, 1, 1]),
        (ScheduleConfig(kind="linear", hold=0.5), [1, 1, 1, 0.5, 0]),  # arXiv:1703.10593, appendix 7.1
        (ScheduleConfig(kind="linear", hold=0.25, final=0.4), [1, 1, 0.8, 0.6, 0.4]),
        (ScheduleConfig(kind="cosine", hold=0.5), [1, 1, 1, 0.5, 0]),
        (ScheduleConfig(kind="inverse", hold=0.5, final=0.2), [1, 1, 1, 1 / 3, 1 / 5]),
        (ScheduleConfig(kind="step", hold=0.25, every=0.25, factor=0.3), [1, 1, 0.3, 0.09, 0.027]),
        (ScheduleConfig(kind="step", hold=0.1, every=0.25, factor=0.3), [1, 1, 0.3, 0.09, 0.027]),
    ],
)
def test_factors_at_quarters_of_the_run(schedule: ScheduleConfig, expected: list[float]):
    factors = [schedule.factor_at(1000, quarter / 4) for quarter in range(5)]
    assert factors == pytest.approx(expected)


def test_a_step_falls_exactly_where_it_should():
    schedule = ScheduleConfig(kind="step", every=0.1, factor=0.5)
    falls = [
        step
        for step in range(1, 1000)
        if schedule.factor_at(step, step / 1000) < schedule.factor_at(0, (step - 1) / 1000)
    ]
    assert falls == [100, 200, 300, 400, 500, 600, 700, 800, 900]


def test_what_is_held_falls_exactly_where_it_should():
    """A step of a run of 2,000 at 1,000, then every 200: arXiv:1603.03417, section 4."""
    schedule = ScheduleConfig(kind="step", hold=0.4, every=0.1, factor=0.7)
    rates = [schedule.factor_at(step, step / 2000) for step in range(2000)]
    falls = [step for step in range(1, 2000) if rates[step] < rates[step - 1]]
    assert falls == [1000, 1200, 1400, 1600, 1800]
    assert rates[0] == rates[999] == 1
    assert rates[-1] == pytest.approx(0.7**5)


def test_an_inverse_schedule_is_torch7_s_decay_step_by_step():
    """Its rate in step t, from 0, is rate / (1 + decay t)."""
    decay, steps = 5e-5, 160_000
    schedule = ScheduleConfig(kind="inverse", final=1 / (1 + decay * steps))
    for step in (0, 1, 999, 20_000, 159_999):
        assert schedule.factor_at(step, step / steps) == pytest.approx(1 / (1 + decay * step), rel=1e-9)


def test_an_inverse_schedule_needs_an_end_above_zero():
    with pytest.raises(LimnerError, match="never comes to 0: give it a final above 0"):
        ScheduleConfig.parse({"kind": "inverse"})


def test_warmup_rises_over_its_steps_on_top_of_the_schedule():
    schedule = ScheduleConfig(kind="linear", warmup_steps=4)
    factors = [schedule.factor_at(step, step / 10) for step in range(6)]
    assert factors == pytest.approx([0.25, 0.5 * 0.9, 0.75 * 0.8, 0.7, 0.6, 0.5])


def test_progress_beyond_the_ends_is_the_end():
    schedule = ScheduleConfig(kind="cosine", final=0.1)
    assert schedule.factor_at(10, 1.5) == pytest.approx(0.1)
    assert schedule.factor_at(10, -1.0) == 1.0


def clipped(clip: ClipConfig, learning_rate: float) -> list[list[float]]:
    parameters = [nn.Parameter(torch.zeros(2)), nn.Parameter(torch.zeros(1)), nn.Parameter(torch.zeros(1))]
    parameters[0].grad, parameters[1].grad = torch.tensor([3.0, -0.5]), torch.tensor([4.0])  # the last one has none
    clip.apply(parameters, learning_rate, lambda _: torch.tensor(math.sqrt(9 + 0.25 + 16)))
    return [parameter.grad.tolist() for parameter in parameters if parameter.grad is not None]


def test_no_clip():
    assert clipped(ClipConfig(), 0.1) == [[3.0, -0.5], [4.0]]


def test_norm_clip_scales_all_gradients_together():
    scale = 1 / math.sqrt(9 + 0.25 + 16)
    first, second = clipped(ClipConfig(kind="norm", threshold=1.0), 0.1)
    assert first == pytest.approx([3 * scale, -0.5 * scale], rel=1e-5)
    assert second == pytest.approx([4 * scale], rel=1e-5)


def test_norm_clip_leaves_small_gradients():
    assert clipped(ClipConfig(kind="norm", threshold=10.0), 0.1) == [[3.0, -0.5], [4.0]]


def test_value_clip():
    assert clipped(ClipConfig(kind="value", threshold=1.0), 0.1) == [[1.0, -0.5], [1.0]]


@pytest.mark.parametrize(("rate", "limit"), [(0.1, 0.2), (0.01, 2.0)])
def test_adjustable_clip_is_theta_over_the_learning_rate(rate: float, limit: float):
    first, second = clipped(ClipConfig(kind="adjustable", threshold=0.02), rate)
    assert first == pytest.approx([limit, -min(0.5, limit)])
    assert second == pytest.approx([min(4.0, limit)])


def test_adjustable_clip_at_a_rate_of_zero_clips_nothing():
    assert clipped(ClipConfig(kind="adjustable", threshold=0.02), 0.0) == [[3.0, -0.5], [4.0]]


def test_the_first_adam_step_is_the_learning_rate():
    parameter = nn.Parameter(torch.tensor([1.0, 1.0]))
    optimizer = OptimizerConfig(kind="adam", learning_rate=0.1, betas=(0.5, 0.9)).build([parameter])
    parameter.grad = torch.tensor([1e-3, -7.0])
    optimizer.step()
    torch.testing.assert_close(parameter.detach(), torch.tensor([0.9, 1.1]), atol=1e-5, rtol=0)
    assert optimizer.param_groups[0]["betas"] == (0.5, 0.9)


def test_sgd_with_momentum_and_weight_decay_by_hand():
    parameter = nn.Parameter(torch.tensor([2.0]))
    own = OptimizerConfig(kind="sgd", learning_rate=0.1, momentum=0.5, weight_decay=0.25)
    optimizer = own.build([parameter])
    value, velocity = 2.0, None
    for gradient in (1.0, -2.0, 0.5):
        parameter.grad = torch.tensor([gradient])
        optimizer.step()
        decayed = gradient + 0.25 * value
        velocity = decayed if velocity is None else 0.5 * velocity + decayed
        value -= 0.1 * velocity
    assert parameter.item() == pytest.approx(value)


def test_adamw_decays_apart_from_the_gradient():
    parameter = nn.Parameter(torch.tensor([2.0]))
    optimizer = OptimizerConfig(kind="adamw", learning_rate=0.1, weight_decay=0.5).build([parameter])
    parameter.grad = torch.tensor([0.0])
    optimizer.step()
    assert parameter.item() == pytest.approx(2.0 * (1 - 0.1 * 0.5))


@pytest.mark.parametrize("values", [{"betas": (0.9, 1.0)}, {"learning_rate": 0}, {"kind": "lion"}, {"momentum": 1}])
def test_impossible_settings_are_refused(values: dict[str, object]):
    with pytest.raises(LimnerError, match=f"OptimizerConfig.{next(iter(values))}"):
        OptimizerConfig.parse(values)


@pytest.mark.parametrize("kind", ["adam", "adamw", "sgd"])
def test_what_another_processor_saved_in_another_layout_is_not_mixed_up(kind: str) -> None:
    """A fused step goes through memory as it lies; weights on one processor may lie otherwise than on another."""
    gradients = torch.randn(2, 4, 3, 5, 5, generator=torch.Generator().manual_seed(0))
    config = OptimizerConfig.parse({"kind": kind, "learning_rate": 0.1, "momentum": 0.9})

    def begun(layout: torch.memory_format) -> tuple[nn.Parameter, torch.optim.Optimizer]:
        start = torch.randn(4, 3, 5, 5, generator=torch.Generator().manual_seed(1))
        weight = nn.Parameter(start.contiguous(memory_format=layout))
        return weight, config.build([weight])

    def step(weight: nn.Parameter, optimizer: torch.optim.Optimizer, gradient: torch.Tensor) -> None:
        weight.grad = torch.empty_like(weight).copy_(gradient)
        optimizer.step()

    first, optimizer = begun(torch.contiguous_format)
    step(first, optimizer, gradients[0])
    other, resumed = begun(torch.channels_last)
    with torch.no_grad():
        other.copy_(first)
    restore_optimizer(resumed, copy.deepcopy(optimizer.state_dict()))
    step(first, optimizer, gradients[1])
    step(other, resumed, gradients[1])
    torch.testing.assert_close(other.contiguous(), first)


def test_adagrad_divides_by_all_gradients_so_far() -> None:
    """Duchi et al. 2011: the rate over the root of the sum of squares."""
    weight = nn.Parameter(torch.tensor([1.0]))
    optimizer = OptimizerConfig(kind="adagrad", learning_rate=0.1).build([weight])
    for gradient in (3.0, 4.0):
        weight.grad = torch.tensor([gradient])
        optimizer.step()
    torch.testing.assert_close(weight.detach(), torch.tensor([1 - 0.1 * 3 / 3 - 0.1 * 4 / 5]))


@pytest.mark.parametrize("kind", ["adam", "adamw"])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_adam_moves_as_torch_does_and_copies_nothing(kind: str, layout: torch.memory_format):
    rng = torch.Generator().manual_seed(0)
    first = torch.randn(6, 5, 4, 4, generator=rng)
    ours, theirs = (nn.Parameter(first.clone(memory_format=layout)) for _ in range(2))
    biases = [nn.Parameter(torch.ones(6)) for _ in range(2)]
    config = OptimizerConfig(kind=kind, learning_rate=0.1, weight_decay=0.01)  # type: ignore[arg-type]
    own = config.build([ours, biases[0]])
    plain = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[kind]
    other = plain([theirs, biases[1]], 0.1, config.betas, weight_decay=0.01)
    for _ in range(3):
        gradient = torch.randn(first.shape, generator=rng)
        for weights, bias in ((ours, biases[0]), (theirs, biases[1])):
            weights.grad, bias.grad = gradient.clone(memory_format=layout), torch.full((6,), 0.5)
        with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as seen:
            own.step()
        other.step()
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(*biases)
    assert "aten::_fused_adam" in str([event.key for event in seen.key_averages()])
    assert "aten::clone" not in [event.key for event in seen.key_averages()]
    assert ours.is_contiguous(memory_format=layout)
    assert own.state[ours]["exp_avg"].shape == first.shape
    assert own.state[ours]["exp_avg"].stride() == ours.stride()


def test_a_gradient_of_another_layout_is_laid_out_like_its_weights():
    weights, gradient = torch.randn(2, 6, 5, 4, 4)
    ours = nn.Parameter(weights.clone(memory_format=torch.channels_last))
    theirs = nn.Parameter(weights.clone())
    ours.grad, theirs.grad = gradient.clone(), gradient.clone()
    OptimizerConfig(kind="adam").build([ours]).step()
    torch.optim.Adam([theirs], 1e-4).step()
    torch.testing.assert_close(ours.detach(), theirs.detach())
