import math

import pytest
import torch
from torch import nn

from limner.errors import LimnerError
from limner.losses.adversarial import (
    GameConfig,
    discriminator_loss,
    generator_loss,
    gradient_penalty,
    squared_gradient,
    with_instance_noise,
)
from limner.types import Progress

REAL, FAKE = [[2.0], [-0.5], [0.3]], [[1.5], [-3.0], [0.0]]
KINDS = ["minimax", "non_saturating", "least_squares", "hinge", "wasserstein"]


def sigmoid(logit):
    return 1 / (1 + math.exp(-logit))


def mean(values):
    return sum(values) / 3


REAL_LOGS = mean(-math.log(sigmoid(logit)) for (logit,) in REAL)
FAKE_LOGS = mean(-math.log(1 - sigmoid(logit)) for (logit,) in FAKE)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("minimax", REAL_LOGS + FAKE_LOGS),
        ("non_saturating", REAL_LOGS + FAKE_LOGS),
        ("least_squares", (1 + 2.25 + 0.49) / 3 + (2.25 + 9 + 0) / 3),
        ("hinge", (0 + 1.5 + 0.7) / 3 + (2.5 + 0 + 1) / 3),
        ("wasserstein", -1.5 / 3 - 1.8 / 3),
    ],
)
def test_the_discriminators_loss_by_hand(kind, expected):
    assert discriminator_loss(torch.tensor(REAL), torch.tensor(FAKE), kind).item() == pytest.approx(expected)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("minimax", mean(math.log(1 - sigmoid(logit)) for (logit,) in FAKE)),
        ("non_saturating", mean(-math.log(sigmoid(logit)) for (logit,) in FAKE)),
        ("least_squares", (0.25 + 16 + 1) / 3),
        ("hinge", 0.5),
        ("wasserstein", 0.5),
    ],
)
def test_the_generators_loss_by_hand(kind, expected):
    assert generator_loss(torch.tensor(FAKE), kind).item() == pytest.approx(expected)


def test_the_usual_game_is_the_one_that_does_not_saturate():
    real, fake = torch.tensor(REAL), torch.tensor(FAKE)
    assert torch.equal(discriminator_loss(real, fake), discriminator_loss(real, fake, "non_saturating"))
    assert torch.equal(generator_loss(fake), generator_loss(fake, "non_saturating"))


def test_a_discriminator_that_cannot_tell_loses_log_4():
    assert discriminator_loss(torch.zeros(5, 1), torch.zeros(5, 1)).item() == pytest.approx(math.log(4))


def test_the_generators_gradient_vanishes_under_minimax_alone():
    """Of log(1 - sigmoid(l)) it is -sigmoid(l), of -log sigmoid(l) it is sigmoid(l) - 1."""
    slopes = {}
    for kind in KINDS:
        logit = torch.tensor([-40.0], requires_grad=True)
        generator_loss(logit, kind).backward()
        slopes[kind] = logit.grad.item()
    assert abs(slopes.pop("minimax")) < 1e-15
    assert slopes == pytest.approx({"non_saturating": -1, "least_squares": -82, "hinge": -1, "wasserstein": -1})


@pytest.mark.parametrize("kind", KINDS)
def test_half_precision_and_great_certainty_stay_finite(kind):
    sure = torch.tensor([300.0, -300.0], dtype=torch.bfloat16)
    assert discriminator_loss(sure, sure, kind).isfinite()
    assert generator_loss(sure, kind).dtype == torch.float32


def test_smoothed_labels_are_those_of_real_pictures_alone():
    """Cross entropy with the labels 0.9 and 0, and squares of what 0.9 is away."""
    real, fake = torch.tensor(REAL), torch.tensor(FAKE)
    found = discriminator_loss(real, fake, label_smoothing=0.1)
    expected = mean(-0.9 * math.log(sigmoid(x)) - 0.1 * math.log(1 - sigmoid(x)) for (x,) in REAL) + FAKE_LOGS
    assert found.item() == pytest.approx(expected)
    squares = discriminator_loss(real, fake, "least_squares", label_smoothing=0.1)
    assert squares.item() == pytest.approx((1.21 + 1.96 + 0.36) / 3 + 11.25 / 3)


def test_smoothing_labels_that_are_not_there_is_refused():
    with pytest.raises(LimnerError, match="label_smoothing needs labels, and hinge has none: take minimax"):
        GameConfig.parse({"kind": "hinge", "label_smoothing": 0.1})


def linear(*weights):
    """A discriminator of one logit whose gradient is its weights, whatever it is given."""
    layer = nn.Linear(len(weights), 1)
    layer.weight = nn.Parameter(torch.tensor([weights]))
    return layer


def test_penalties_of_a_linear_discriminator_by_hand():
    """Its gradient has the length 5 everywhere."""
    points = torch.rand(4, 2)
    assert squared_gradient(linear(3.0, 4.0), points).item() == pytest.approx(25)
    assert gradient_penalty(linear(3.0, 4.0), points, points + 1).item() == pytest.approx(16)
    assert gradient_penalty(linear(0.6, 0.8), points, points + 1).item() == pytest.approx(0, abs=1e-10)


def test_a_penalty_moves_the_weights_that_it_judges():
    """d (|w|^2) / dw = 2 w, and d (|w| - 1)^2 / dw = 2 (|w| - 1) w / |w|."""
    for penalty, expected in (
        (lambda d, x: squared_gradient(d, x), [6.0, 8.0]),
        (lambda d, x: gradient_penalty(d, x, x), [4.8, 6.4]),
    ):
        judge = linear(3.0, 4.0)
        penalty(judge, torch.rand(4, 2)).backward()
        assert judge.weight.grad[0].tolist() == pytest.approx(expected)


def test_gradients_are_taken_between_real_and_fake():
    """Of l = |x|^2 / 2 the gradient is x itself: on the way from 0 to (2, 0) its length is uniform in [0, 2]."""
    torch.manual_seed(0)
    real = torch.zeros(20_000, 2)
    fake = torch.tensor([2.0, 0.0]).expand_as(real)
    found = gradient_penalty(lambda x: x.square().sum(1, keepdim=True) / 2, real, fake)
    assert found.item() == pytest.approx(1 / 3, rel=0.02)
    assert squared_gradient(lambda x: x.square().sum(1, keepdim=True) / 2, fake).item() == pytest.approx(4)


def test_of_many_logits_the_mean_counts():
    """As of a PatchGAN: the penalty does not grow with the picture's number of patches."""
    judge = linear(3.0, 4.0)
    points = torch.rand(4, 2)
    assert squared_gradient(lambda x: judge(x).expand(-1, 7), points).item() == pytest.approx(25)


def test_a_game_adds_what_its_configuration_says():
    game = GameConfig(gradient_penalty=10, r1=3, r2=1, penalty_every=4)
    points = torch.rand(4, 2)
    found = game.penalties(linear(3.0, 4.0), points, points + 1, Progress(8, 0.5))
    assert {name: one.item() for name, one in found.items()} == pytest.approx(
        {"gradient_penalty": 4 * 160, "r1": 4 * 37.5, "r2": 4 * 12.5}
    )
    assert game.penalties(linear(3.0, 4.0), points, points + 1, Progress(9, 0.5)) == {}
    assert GameConfig().penalties(linear(3.0, 4.0), points, points, Progress()) == {}


def test_a_game_is_that_of_its_kind():
    game = GameConfig(kind="least_squares", label_smoothing=0.1)
    real, fake = torch.tensor(REAL), torch.tensor(FAKE)
    assert torch.equal(
        game.discriminator(real, fake), discriminator_loss(real, fake, "least_squares", label_smoothing=0.1)
    )
    assert torch.equal(game.generator(fake), generator_loss(fake, "least_squares"))


def test_instance_noise_falls_to_nothing():
    torch.manual_seed(0)
    image, game = torch.zeros(1, 3, 100, 100), GameConfig(instance_noise=0.2)
    assert game.noisy(image, Progress(0, 0.0)).std().item() == pytest.approx(0.2, rel=0.02)
    assert game.noisy(image, Progress(5, 0.75)).std().item() == pytest.approx(0.05, rel=0.02)
    assert game.noisy(image, Progress(9, 1.0)) is image
    assert with_instance_noise(image, 0.1).std().item() == pytest.approx(0.1, rel=0.02)
