"""A unit's response is what it should be, it is raised, and a picture is moved as it is said."""

import math

import pytest
import torch

from limner.features.squeezenet import SqueezeNet, class_scores
from limner.features.vgg16 import VGG
from limner.loops.optimize import OptimizeConfig
from limner.systems.optimize.activation import PRESETS, ActivationConfig, ActivationObjective, Unit, imagine, moved

STILL = ActivationConfig()


def patch():
    """One bright pixel of a smooth picture, to see where it goes."""
    y, x = torch.meshgrid(torch.arange(33.0), torch.arange(41.0), indexing="ij")
    return torch.exp(-((y - 10) ** 2 + (x - 28) ** 2) / 8).expand(1, 3, 33, 41).contiguous()


def centre_of(image):
    weight = image[0, 0] / image[0, 0].sum()
    rows, columns = torch.arange(image.shape[-2]), torch.arange(image.shape[-1])
    return (weight.sum(1) * rows).sum().item(), (weight.sum(0) * columns).sum().item()


def test_a_channel_answers_with_its_mean_and_a_neuron_with_the_middle():
    map = torch.arange(2 * 5 * 4.0).view(1, 2, 5, 4)
    assert Unit("x", 1).response({"x": map}).item() == pytest.approx(map[0, 1].mean().item())
    assert Unit("x", 1, is_neuron=True).response({"x": map}).item() == map[0, 1, 2, 2].item()


def test_the_losses_are_those_of_a_plain_formula():
    torch.manual_seed(0)
    vgg, first, image = VGG(["conv2_1"]), torch.rand(1, 3, 16, 16), torch.rand(1, 3, 16, 16)
    config = ActivationConfig(tv_weight=2.0, l2_weight=0.5)
    losses = ActivationObjective(vgg, Unit("conv2_1", 7), config, first)(image)
    usual = vgg(first)["conv2_1"].abs().mean()
    response = (vgg(image)["conv2_1"][0, 7].mean() / usual).item()
    assert losses["activation"].item() == pytest.approx(-math.asinh(response), rel=1e-5)
    assert losses["contrast"].item() == pytest.approx(0.5 * (2 * image - 1).pow(2).mean().item(), rel=1e-5)
    across, down = image.diff(dim=-1)[..., :-1, :], image.diff(dim=-2)[..., :-1]
    torch.testing.assert_close(losses["variation"], 2 * (across**2 + down**2).mean())


def test_a_picture_that_is_not_moved_is_itself():
    image = torch.rand(1, 3, 9, 12)
    assert moved(image, STILL) is image
    torch.testing.assert_close(moved(image, ActivationConfig(zoom=1e-9)), image, atol=1e-5, rtol=0)


def test_a_picture_is_moved_by_as_many_pixels_as_it_is_said(monkeypatch):
    for wanted, (down, right) in {(1.0, 0.0): (-4, 0), (0.0, 1.0): (0, -4)}.items():
        chance = torch.tensor([(wanted[0] + 1) / 2, (wanted[1] + 1) / 2, 0.5, 0.5])
        monkeypatch.setattr(torch, "rand", lambda *args, chance=chance, **options: chance)
        row, column = centre_of(moved(patch(), ActivationConfig(shift=4)))
        assert (row, column) == (pytest.approx(10 + down, abs=0.1), pytest.approx(28 + right, abs=0.1))


def test_a_picture_is_turned_about_its_middle_and_stays_in_shape(monkeypatch):
    monkeypatch.setattr(torch, "rand", lambda *args, **options: torch.tensor([0.5, 0.5, 1.0, 0.5]))
    row, column = centre_of(moved(patch(), ActivationConfig(turn=20)))
    angle = math.radians(20)
    dy, dx = 10 - 16, 28 - 20  # from the middle
    turned = (dy * math.cos(angle) - dx * math.sin(angle), dx * math.cos(angle) + dy * math.sin(angle))
    assert (row - 16, column - 20) == (pytest.approx(turned[0], abs=0.1), pytest.approx(turned[1], abs=0.1))


def test_a_picture_grows_from_its_middle(monkeypatch):
    monkeypatch.setattr(torch, "rand", lambda *args, **options: torch.tensor([0.5, 0.5, 0.5, 1.0]))
    row, column = centre_of(moved(patch(), ActivationConfig(zoom=0.25)))
    assert (row, column) == (pytest.approx(16 - 6 * 1.25, abs=0.15), pytest.approx(20 + 8 * 1.25, abs=0.15))


@pytest.mark.parametrize("prior", ["fourier", "tv", "dip"])
def test_a_channel_answers_more_and_more(prior):
    config = PRESETS[prior].model_copy(update={"optimize": OptimizeConfig(steps=12, learning_rate=0.03)})
    network = config.network.model_copy(update={name: getattr(config.network, name)[:2] for name in _LISTS})
    vgg = VGG(["conv2_1"])
    result = imagine(vgg, Unit("conv2_1", 3), (32, 40), config.model_copy(update={"network": network}))
    assert result.image.shape == (1, 3, 32, 40)
    assert min(result.totals[-3:]) < result.totals[0] - 0.3


_LISTS = ("down_channels", "up_channels", "skip_channels", "down_kernels", "up_kernels")


def test_a_class_is_recognized_in_its_picture():
    network = SqueezeNet(["conv10"])
    config = PRESETS["fourier"].model_copy(update={"optimize": OptimizeConfig(steps=25, learning_rate=0.05)})
    image = imagine(network, Unit("conv10", 1), (72, 72), config).image
    with torch.inference_mode():
        assert class_scores(network(image)["conv10"]).argmax().item() == 1


def test_one_seed_gives_one_picture():
    vgg = VGG(["conv1_2"])
    config = PRESETS["fourier"].model_copy(update={"optimize": OptimizeConfig(steps=3)})
    first, again, other = (imagine(vgg, Unit("conv1_2", 0), (16, 16), config, seed=seed).image for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
