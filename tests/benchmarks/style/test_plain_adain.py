"""The plain way trains AdaIN as Limner does: the same loss, and the same step."""

import copy

import pytest
import torch
from benchmarks.style.plain_adain import PlainTraining

from limner.data.style_pairs import Styled
from limner.loops.fit import Fit
from limner.systems.feedforward.adain import FIT_2017, AdaIN, AdaINConfig


def test_both_ways_make_the_same_step():
    torch.manual_seed(0)
    system = AdaIN(AdaINConfig(channels=(8, 6, 4)))
    plain = PlainTraining(copy.deepcopy(system), FIT_2017.optimizer.learning_rate)
    batch = Styled(torch.rand(2, 3, 32, 32), torch.rand(2, 3, 32, 32).sqrt())
    loss, report = plain.step(batch), Fit(system, FIT_2017).step([batch])
    assert sum(float(one) for one in report.losses.values()) == pytest.approx(loss, rel=1e-4)
    for one, other in zip(system.decoder.parameters(), plain.decoder.parameters(), strict=True):
        torch.testing.assert_close(one, other, atol=2e-5, rtol=1e-3)
    assert plain.step(batch) < loss
