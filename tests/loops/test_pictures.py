"""What is optimised: pixels are tested with the loop; here, what a network paints from an input that stays."""

import pytest
import torch
from torch import nn

from limner.loops.optimize import OptimizeConfig, RunControl, optimize
from limner.loops.pictures import NetworkPrior

TARGET = torch.linspace(0.1, 0.9, 3 * 8 * 8).view(1, 3, 8, 8)


def network():
    torch.manual_seed(3)
    return nn.Sequential(nn.Conv2d(4, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 3, 1), nn.Sigmoid())


def prior(**options):
    return NetworkPrior(network(), torch.rand(1, 4, 8, 8, generator=torch.Generator().manual_seed(5)), **options)


def distance(image):
    return {"near": (image - TARGET).square().mean()}


def test_it_is_the_network_at_z():
    picture = prior(noise=0.0)
    torch.testing.assert_close(picture(), network()(picture.z), rtol=0, atol=0)


def test_its_weights_alone_are_optimised():
    picture = prior(noise=0.05)
    z, before = picture.z.clone(), [weight.detach().clone() for weight in picture.parameters()]
    result = optimize(picture, distance, OptimizeConfig(steps=60, learning_rate=0.03))
    assert result.totals[-1] < 0.3 * result.totals[0]
    assert torch.equal(picture.z, z)
    assert [name for name, _ in picture.named_parameters()] == [
        f"network.{name}" for name, _ in network().named_parameters()
    ]
    assert not any(torch.equal(a, b) for a, b in zip(before, picture.parameters(), strict=True))


def test_noise_is_added_where_a_gradient_is_wanted_and_has_its_deviation():
    seen = []

    class Watching(nn.Module):
        def forward(self, z):
            seen.append(z.detach())
            return z

    z = torch.zeros(1, 4, 64, 64)
    picture = NetworkPrior(Watching(), z, noise=0.25)
    picture(), picture()
    with torch.no_grad():
        picture()
    assert seen[0].std().item() == pytest.approx(0.25, rel=0.05)
    assert not torch.equal(seen[0], seen[1])
    assert torch.equal(seen[2], z)


def test_latest_is_what_was_painted_last_without_another_pass():
    picture = prior(noise=0.1)
    assert picture.latest().shape == (1, 3, 8, 8)
    painted = picture()
    assert picture.latest().data_ptr() == painted.data_ptr()
    seen = []
    result = optimize(
        picture, distance, OptimizeConfig(steps=3), control=RunControl(watch=lambda progress: seen.append(progress))
    )
    assert not seen[0].image.requires_grad
    for progress, total in zip(seen, result.totals, strict=True):  # the image that the losses are of
        assert distance(progress.image)["near"].item() == pytest.approx(total, rel=1e-6)


@pytest.mark.parametrize("precision", ["exact", "fast"])
def test_a_resumed_run_equals_one_that_was_never_stopped(tmp_path, precision):
    config, state = OptimizeConfig(steps=8, seed=2), tmp_path / "state.pt"
    whole = optimize(prior(noise=0.1, precision=precision), distance, config)
    optimize(
        prior(noise=0.1, precision=precision),
        distance,
        config,
        control=RunControl(state=state, watch=lambda p: p.step == 3),
    )
    other = NetworkPrior(network(), torch.zeros(1, 4, 8, 8), noise=0.1, precision=precision)  # z comes from the state
    again = optimize(other, distance, config, control=RunControl(state=state, resume=True))
    assert torch.equal(again.image, whole.image)
    assert again.totals == whole.totals


def test_fast_is_near_exact_and_gives_float32(monkeypatch):
    monkeypatch.setattr("limner.processor.bfloat16_pays", lambda device: True)
    exact, fast = prior()(), prior(precision="fast")()
    assert fast.dtype == torch.float32
    assert not torch.equal(exact, fast)
    torch.testing.assert_close(fast, exact, atol=0.02, rtol=0)
