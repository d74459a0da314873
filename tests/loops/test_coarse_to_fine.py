"""From coarse to fine: each size begins with the result of the one before, and a stopped run goes on in its own."""

import pytest
import torch

from limner.errors import LimnerError
from limner.loops.coarse_to_fine import Pass, coarse_to_fine
from limner.loops.optimize import OptimizeConfig, RunControl

PASSES = [
    Pass(scale=0.5, optimize=OptimizeConfig(steps=200, learning_rate=0.05)),
    Pass(optimize=OptimizeConfig(steps=8)),
]


def brighten(begun=None):
    def objective(size):
        def mean(image):
            assert tuple(image.shape[-2:]) == size
            if begun is not None:
                begun.append(image.detach().mean().item())
            return {"mean": (image.mean() - 0.8).square()}

        return mean

    return objective


def test_coarse_to_fine_begins_each_size_with_the_one_before():
    begun: list[float] = []
    steps: list[tuple[int, int]] = []
    start = torch.zeros(1, 3, 2, 2)
    result = coarse_to_fine(
        start, (9, 12), PASSES, brighten(begun), multiple=2, control=RunControl(watch=lambda p: steps.append(p[:2]))
    )
    assert result.image.shape == (1, 3, 8, 12)
    assert begun[0] == 0
    assert begun[200] == pytest.approx(0.8, abs=0.01)
    assert steps == [(step + 1, 208) for step in range(208)]
    assert (result.step, len(result.totals), result.reason) == (208, 208, "all steps")


def test_what_wraps_is_enlarged_without_a_border():
    start = torch.rand(1, 3, 6, 9, generator=torch.Generator().manual_seed(0))

    def enlarged(image):
        still = [Pass(optimize=OptimizeConfig(steps=1, learning_rate=1e-12))]
        keep = lambda size: lambda image: {"nothing": 0 * image.sum()}  # noqa: E731
        return coarse_to_fine(image, (14, 12), still, keep, wrap=True).image

    moved = enlarged(start.roll((3, 3), (2, 3)))
    torch.testing.assert_close(moved, enlarged(start).roll((7, 4), (2, 3)), rtol=0, atol=1e-5)


@pytest.mark.parametrize("at", [3, 203])
def test_coarse_to_fine_goes_on_where_it_was_stopped(tmp_path, at):
    start, state = torch.zeros(1, 3, 2, 2), tmp_path / "state"
    whole = coarse_to_fine(start, (8, 12), PASSES, brighten())
    stopped = coarse_to_fine(
        start, (8, 12), PASSES, brighten(), control=RunControl(watch=lambda p: p.step == at, state=state)
    )
    assert (stopped.reason, stopped.step) == ("stopped", at)
    assert stopped.image.shape == whole.image.shape
    resumed = coarse_to_fine(start, (8, 12), PASSES, brighten(), control=RunControl(state=state, resume=True))
    assert torch.equal(resumed.image, whole.image)
    assert resumed.step == 208
    assert list(tmp_path.iterdir()) == []


def test_a_state_of_other_pictures_is_refused(tmp_path):
    start, state = torch.zeros(1, 3, 2, 2), tmp_path / "state"
    made_of = [torch.zeros(1, 3, 8, 12)]
    coarse_to_fine(
        start,
        (8, 12),
        PASSES,
        brighten(),
        control=RunControl(watch=lambda p: p.step == 3, state=state),
        made_of=made_of,
    )
    with pytest.raises(LimnerError, match="was made of other pictures or options"):
        coarse_to_fine(
            start,
            (8, 12),
            PASSES,
            brighten(),
            control=RunControl(state=state, resume=True),
            made_of=[torch.ones(1, 3, 8, 12)],
        )
    resumed = coarse_to_fine(
        start, (8, 12), PASSES, brighten(), control=RunControl(state=state, resume=True), made_of=made_of
    )
    assert resumed.step == 208


def test_no_passes_and_no_state_are_refused(tmp_path):
    start = torch.zeros(1, 3, 2, 2)
    with pytest.raises(LimnerError, match="passes must name one pass or more"):
        coarse_to_fine(start, (8, 8), [], brighten())
    with pytest.raises(LimnerError, match="there is no state of a run that was stopped"):
        coarse_to_fine(start, (8, 8), PASSES, brighten(), control=RunControl(state=tmp_path / "none", resume=True))
