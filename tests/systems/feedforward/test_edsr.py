import pytest
import torch
import torch.nn.functional as F
from torch import nn

from limner.data.pairs import Pair
from limner.systems.feedforward.edsr import BASELINE_2017, EDSR, EDSR_2017, FIT_2017, LIGHT, EDSRConfig
from limner.types import Progress

TINY = EDSRConfig(num_blocks=2, channels=4)


def number_of_weights(config: EDSRConfig) -> int:
    with torch.device("meta"):
        return sum(parameter.numel() for parameter in EDSR(config).parameters())


@pytest.mark.parametrize(("config", "blocks", "width"), [(BASELINE_2017, 16, 64), (EDSR_2017, 32, 256)])
@pytest.mark.parametrize(("scale", "factors"), [(2, [2]), (3, [3]), (4, [2, 2])])
def test_number_of_weights_follows_table_1(config, blocks, width, scale, factors):
    """B blocks of two 3x3 convolutions of F and one after them, head and tail of 3 colours, sub-pixel layers."""
    square = width * width * 9 + width
    head, tail = 3 * width * 9 + width, width * 3 * 9 + 3
    upsample = sum(factor**2 * square for factor in factors)
    found = number_of_weights(config.override([f"scale={scale}"]))
    assert found == head + (2 * blocks + 1) * square + upsample + tail


def test_the_papers_networks_are_as_large_as_it_prints():
    """Table 1: 1.5 million weights and 43 million, of the networks for x4."""
    assert round(number_of_weights(BASELINE_2017.override(["scale=4"])) / 1e6, 1) == 1.5
    assert round(number_of_weights(EDSR_2017.override(["scale=4"])) / 1e6) == 43
    assert EDSR_2017.residual_scale == 0.1


@pytest.mark.parametrize(("scale", "expected"), [(2, 276_732), (3, 283_227), (4, 292_320)])
def test_the_light_network_has_less_than_300000_weights(scale, expected):
    """13 convolutions of 48 channels, one from 3 and one to 3 colours of scale^2 pixels."""
    assert expected == 13 * (48 * 48 * 9 + 48) + (3 * 48 * 9 + 48) + scale**2 * 3 * (48 * 9 + 1)
    assert number_of_weights(LIGHT.override([f"scale={scale}"])) == expected


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("extra", [{}, {"direct": True}, {"direct": True, "skip": True}, {"skip": True}])
def test_output_is_scale_times_as_large(scale, extra):
    system = EDSR(EDSRConfig(num_blocks=1, channels=4, scale=scale, **extra)).eval()
    assert system(torch.rand(2, 3, 5, 7)).shape == (2, 3, 5 * scale, 7 * scale)
    assert system.scales == (scale,)


def test_forward_is_the_plain_chain_of_figure_3():
    system, image = EDSR(TINY.model_copy(update={"residual_scale": 0.1})), torch.rand(2, 3, 6, 5)
    weights = dict(system.named_parameters())

    def convolved(x, name):
        return F.conv2d(x, weights[f"{name}.weight"], weights[f"{name}.bias"], padding=1)

    mean = torch.tensor([0.4488, 0.4371, 0.4040])[:, None, None]
    x = first = convolved(image - mean, "head")
    for block in ("blocks.0", "blocks.1"):
        x = x + 0.1 * convolved(convolved(x, f"{block}.body.0").relu(), f"{block}.body.2")
    large = F.pixel_shuffle(convolved(first + convolved(x, "middle"), "upsample.0.0"), 2)
    torch.testing.assert_close(system(image), convolved(large, "upsample.1") + mean)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_a_skip_is_painted_on(scale):
    """A silent end leaves the cubic enlargement with a = -0.75, which is torch's (Keys 1981, equation 4)."""
    system = EDSR(EDSRConfig(num_blocks=1, channels=4, scale=scale, direct=True, skip=True))
    nn.init.zeros_(system.upsample[0].weight)
    nn.init.constant_(system.upsample[0].bias, 0.25)
    line = torch.rand(9)
    found = system(line.expand(1, 3, 6, 9))[0, 0, 0] - 0.25
    for place in range(3 * scale, 6 * scale):
        at = (place + 0.5) / scale - 0.5
        expected = sum(keys(at - tap) * line[tap] for tap in range(9))
        torch.testing.assert_close(found[place], expected, atol=1e-6, rtol=0)


def keys(x: float, a: float = -0.75) -> float:
    x = abs(x)
    if x <= 1:
        return (a + 2) * x**3 - (a + 3) * x**2 + 1
    return a * x**3 - 5 * a * x**2 + 8 * a * x - 4 * a if x < 2 else 0.0


@pytest.mark.parametrize("direct", [False, True])
def test_training_begins_near_the_bicubic_enlargement(direct):
    """What the first weights paint is a tenth of what it is without the skip, but for biases."""
    torch.manual_seed(0)
    painted = EDSR(EDSRConfig(num_blocks=1, channels=16, direct=direct))
    torch.manual_seed(0)
    skipping = EDSR(EDSRConfig(num_blocks=1, channels=16, direct=direct, skip=True))
    for system in (painted, skipping):
        nn.init.zeros_(system.upsample[0 if direct else 1].bias)
    image = torch.rand(1, 3, 8, 8)
    change = skipping(image) - F.interpolate(image, scale_factor=2.0, mode="bicubic")
    torch.testing.assert_close(change, 0.1 * (painted(image) - painted.mean), atol=1e-6, rtol=1e-4)


def test_turn_is_the_mean_absolute_error():
    system = EDSR(TINY)
    batch = Pair(torch.rand(2, 3, 4, 4), torch.rand(2, 3, 8, 8))
    (turn,) = system.turns(batch, Progress())
    assert list(turn.losses) == ["l1"]
    torch.testing.assert_close(turn.total, (system(batch.source) - batch.target).abs().mean())


def test_luminance_can_count_more():
    """MATLAB's luminance is (65.481 R + 128.553 G + 24.966 B + 16) / 255."""
    system = EDSR(TINY.model_copy(update={"luminance_weight": 2.0}))
    batch = Pair(torch.rand(2, 3, 4, 4), torch.rand(2, 3, 8, 8))
    (turn,) = system.turns(batch, Progress())
    error = system(batch.source) - batch.target
    gray = (error * torch.tensor([65.481, 128.553, 24.966])[:, None, None] / 255).sum(1)
    torch.testing.assert_close(turn.losses["luminance"], 2 * gray.abs().mean())
    torch.testing.assert_close(turn.losses["l1"], error.abs().mean())


def test_paper_schedule():
    """Section 4.2: rate 1e-4, halved every 200,000 updates, Adam's betas 0.9 and 0.999, batches of 16."""
    steps, highest = FIT_2017.steps, FIT_2017.optimizer.learning_rate
    rates = [highest * FIT_2017.schedule.factor_at(step, step / steps) for step in (0, 199_999, 200_000, 400_000)]
    assert rates == pytest.approx([1e-4, 1e-4, 5e-5, 2.5e-5])
    assert (FIT_2017.optimizer.betas, FIT_2017.batch_size) == ((0.9, 0.999), 16)


def test_enlarge_clips():
    system = EDSR(TINY)
    nn.init.constant_(system.upsample[1].bias, 100.0)
    assert system.enlarge(torch.rand(1, 3, 4, 4), 2).max() == 1
