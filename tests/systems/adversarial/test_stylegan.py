"""What only this paper has: its layers, styles and their mixture, noise at each layer, growth."""

import itertools
import math
import os
import signal
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limner.data.labelled import Labelled, LabelledPictures
from limner.errors import LimnerError
from limner.layers.adaptive_augment import AdaptiveConfig
from limner.layers.growth import GrowthConfig
from limner.loops.checkpoint import seed_everything
from limner.loops.fit import FitConfig, fit
from limner.loops.step_report import StepReport
from limner.losses.adversarial import GameConfig
from limner.systems.adversarial.stylegan import (
    FIT_2019,
    STYLEGAN_2019,
    TRADITIONAL_2019,
    Discriminator,
    Generator,
    Modulated,
    StyleGAN,
    StyleGANConfig,
)
from limner.types import Progress

SMALL = StyleGANConfig(
    side=16, channels=1, latent_channels=6, mapping_layers=2, channels_at_64=2, most_channels=8,
    growth=GrowthConfig(first_side=4, phase_share=0.1),
)  # fmt: skip
FIXED = SMALL.model_copy(update={"growth": GrowthConfig(phase_share=0)})
WIDTHS = {4: 512, 8: 512, 16: 512, 32: 512, 64: 256, 128: 128, 256: 64, 512: 32, 1024: 16}


def count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def batch(number: int = 4) -> Labelled:
    return Labelled(torch.rand(number, 1, 16, 16), torch.zeros(number, dtype=torch.int64))


def test_the_generator_has_26_2_million_weights() -> None:
    """Table 2 of the paper says 26.2 million at 1024 pixels."""
    mapping = 8 * (512 * 512 + 512)
    convolutions = 9 * 512**2 + sum(9 * (a * b + b * b) for a, b in itertools.pairwise(WIDTHS.values()))
    after = sum(2 * (c + c + (512 + 1) * 2 * c) for c in WIDTHS.values())  # noise, biases, styles
    pictures = sum(3 * c + 3 for c in WIDTHS.values())
    expected = mapping + 512 * 16 + convolutions + after + pictures
    with torch.device("meta"):
        assert count(Generator(STYLEGAN_2019)) == expected == 26_219_627
        assert STYLEGAN_2019.num_layers == 18


@pytest.mark.parametrize(
    ("side", "generator", "discriminator"),
    [
        (64, 25_137_935, 22_498_049),
        (128, 25_843_858, 22_941_313),
        (256, 26_086_229, 23_052_353),
        (1024, 26_219_627, 23_087_249),
    ],
)
def test_smaller_ones_have_the_weights_of_the_authors_code(side: int, generator: int, discriminator: int) -> None:
    config = StyleGANConfig(side=side)
    with torch.device("meta"):
        assert (count(Generator(config)), count(Discriminator(config))) == (generator, discriminator)


def test_the_traditional_generator_has_23_1_million() -> None:
    """Table 2: 23.1 million, without mapping, styles and noise."""
    convolutions = 9 * 512**2 + sum(9 * (a * b + b * b) for a, b in itertools.pairwise(WIDTHS.values()))
    expected = 512 * 512 * 16 + convolutions + sum(2 * c + 3 * c + 3 for c in WIDTHS.values())
    with torch.device("meta"):
        assert count(Generator(TRADITIONAL_2019)) == expected == 23_079_115


def test_how_it_is_trained() -> None:
    """Appendix C: Adam of beta_1 = 0 and beta_2 = 0.99, R1 of gamma 10, weights halved out of the average in 10,000."""
    own = FIT_2019.optimizer
    assert (own.kind, own.learning_rate, own.betas) == ("adam", 1e-3, (0.0, 0.99))
    assert STYLEGAN_2019.game == GameConfig(kind="non_saturating", r1=10.0)
    assert FIT_2019.ema_decay is not None
    assert FIT_2019.ema_decay ** (10_000 / FIT_2019.batch_size) == pytest.approx(0.5)
    assert (STYLEGAN_2019.mixing, STYLEGAN_2019.mapping_rate, STYLEGAN_2019.mapping_layers) == (0.9, 0.01, 8)


@pytest.mark.parametrize("config", [SMALL, FIXED, SMALL.model_copy(update={"generator": "traditional"})])
def test_pictures_are_of_their_side_and_in_their_range(config: StyleGANConfig) -> None:
    system = StyleGAN(config)
    made = system(*(torch.randn(3, port.channels) for port in system.inputs))
    assert made.shape == (3, 1, 16, 16)
    assert 0 <= made.min() < made.max() <= 1
    assert system.discriminator(made).shape == (3, 1)


def test_equation_1_by_hand() -> None:
    torch.manual_seed(0)
    layer = Modulated(2, SMALL)
    layer.noise_gain.data.copy_(torch.tensor([0.5, -1.0]).view(2, 1, 1))
    layer.bias.data.copy_(torch.tensor([0.1, 0.2]).view(2, 1, 1))
    x, style, noise = torch.randn(3, 2, 4, 4), torch.randn(3, 6), torch.randn(3, 1, 4, 4)
    scale, shift = (style @ (layer.style.weight / math.sqrt(6)).T).chunk(2, 1)
    for picture, channel in itertools.product(range(3), range(2)):
        own = x[picture, channel] + (0.5, -1.0)[channel] * noise[picture, 0] + (0.1, 0.2)[channel]
        own = torch.where(own > 0, own, 0.2 * own)
        own = (own - own.mean()) / own.std(unbiased=False)
        expected = (1 + scale[picture, channel]) * own + shift[picture, channel]
        torch.testing.assert_close(layer(x, style, noise)[picture, channel], expected)


def test_maps_begin_from_a_constant_of_ones_and_noise_counts_for_nothing() -> None:
    generator = Generator(FIXED)
    assert torch.equal(generator.first(torch.randn(2, 6)), torch.ones(2, 8, 4, 4))
    latent = torch.randn(2, 6)
    silent = generator(latent)
    torch.testing.assert_close(generator(latent, torch.randn(2, FIXED.noise_channels)), silent)


def test_each_plane_of_noise_belongs_to_one_layer() -> None:
    generator = Generator(FIXED)
    noise = torch.arange(float(FIXED.noise_channels))[None]
    planes = generator._planes(noise)
    assert [plane.shape[-1] for plane in planes] == [4, 4, 8, 8, 16, 16]
    assert torch.equal(torch.cat([plane.flatten() for plane in planes]), noise[0])
    with torch.no_grad():
        for name, parameter in generator.named_parameters():
            if name.endswith("noise_gain"):
                parameter.fill_(0.3)
        quiet = torch.zeros_like(noise)
        fine = torch.cat([quiet[:, :-256], torch.randn(1, 256)], 1)
        before, after = generator(torch.ones(1, 6), quiet), generator(torch.ones(1, 6), fine)
    assert not torch.equal(before, after)


def test_styles_of_later_layers_leave_the_earlier_maps() -> None:
    """What layers of 4 pixels make hangs on their styles alone."""
    seen: list[Tensor] = []
    generator = Generator(FIXED)
    generator.layers[1].register_forward_hook(lambda module, given, made: seen.append(made))
    styles = generator.styles_of(torch.randn(1, 6)).clone()
    others = styles.clone()
    others[:, 2:] += 1
    made = [generator.picture_of(one) for one in (styles, others)]
    assert torch.equal(seen[0], seen[1])
    assert not torch.equal(made[0], made[1])


def test_mixing_takes_styles_of_a_second_latent_from_a_random_layer_on() -> None:
    torch.manual_seed(0)
    system = StyleGAN(FIXED.model_copy(update={"mixing": 0.75}))
    styles = system._mixed_styles(2000, 6)
    changes = (styles[:, 1:] != styles[:, :-1]).any(-1)
    assert changes.sum(1).max() == 1
    assert changes.any(1).float().mean().item() == pytest.approx(0.75, abs=0.05)
    assert changes.float().mean(0).tolist() == pytest.approx([0.15] * 5, abs=0.04)


def test_the_center_follows_the_mean_style() -> None:
    torch.manual_seed(0)
    system = StyleGAN(FIXED)
    with torch.no_grad():
        for _ in range(1500):
            system._mixed_styles(16, 6)
        mean = system.generator.mapping(torch.randn(20_000, 6)).mean(0)
    torch.testing.assert_close(system.generator.center, mean, atol=0.08, rtol=0)


def test_a_level_fades_in_for_both_players() -> None:
    system = StyleGAN(SMALL)
    generator, styles = system.generator, system.generator.styles_of(torch.randn(2, 6))
    generator.shown.copy_(torch.tensor([1.0, 0.25, 0.0]))
    coarse, fine = generator.synthesis(styles, level=0), generator.synthesis(styles, level=1)
    generator.shown.fill_(1)
    torch.testing.assert_close(
        fine, torch.lerp(F.interpolate(coarse, scale_factor=2.0), generator.synthesis(styles, level=1), 0.25)
    )
    judge, image = system.discriminator, torch.randn(2, 1, 8, 8)
    halved = F.avg_pool2d(image, 2)
    torch.testing.assert_close(judge(image, 0.0), judge(halved))
    assert not torch.allclose(judge(image, 0.5), judge(image), atol=1e-4)


def test_the_turns_are_the_game_of_a_level() -> None:
    """In the first phase pictures have 4 pixels a side; the whole generator shows them enlarged."""
    torch.manual_seed(0)
    system = StyleGAN(SMALL.model_copy(update={"game": GameConfig(r1=3.0)}))
    seen: list[Tensor] = []
    system.discriminator.register_forward_pre_hook(lambda module, given: seen.append(given[0]))
    first, second = system.turns(batch(), Progress())
    assert (first.player, second.player) == ("discriminator", "generator")
    assert {one.shape[-1] for one in seen} == {4}
    real, fake = seen[0], seen[1]
    expected = F.softplus(-system.discriminator(real)).mean() + F.softplus(system.discriminator(fake)).mean()
    torch.testing.assert_close(first.losses["adversarial"], expected)
    place = real.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(system.discriminator(place).sum(), place)
    torch.testing.assert_close(first.losses["r1"], 1.5 * gradient.square().sum((1, 2, 3)).mean(), rtol=1e-4, atol=1e-6)
    made = system(torch.randn(1, 6), torch.randn(1, SMALL.noise_channels))
    torch.testing.assert_close(made, F.interpolate(F.avg_pool2d(made, 4), scale_factor=4.0))


def run(tmp_path: Path, name: str, *steps: int) -> dict[str, Tensor]:
    """Train in pieces that end after so many steps."""
    samples = LabelledPictures((255 * batch(12).image).to(torch.uint8), torch.zeros(12, dtype=torch.int64))
    config = SMALL.model_copy(update={"adaptive": AdaptiveConfig(target=0.01, thousands=1)})
    state: dict[str, Tensor] = {}
    for last in steps:
        fit_config = FitConfig(steps=steps[-1], batch_size=4, ema_decay=0.9)
        seed_everything(0)
        system = StyleGAN(config)
        system.augment.probability.fill_(0.5)
        stop = Until(last)
        result = fit(system, samples, fit_config, run=tmp_path / name, resume=last != steps[0], watchers=[stop])
        state = {**system.state_dict(), **{f"average.{key}": one for key, one in result.system.state_dict().items()}}
    return state


class Until:
    """Asks a run to stop after a step, as a signal would."""

    def __init__(self, last: int) -> None:
        self.last = last

    def start(self, step: int) -> None:
        pass

    def step(self, report: StepReport) -> None:
        if report.step == self.last:
            os.kill(os.getpid(), signal.SIGTERM)

    def close(self) -> None:
        pass


def test_a_resumed_run_equals_one_without_a_pause(tmp_path: Path) -> None:
    """Through growth, fading, lazy penalties and the probability of changes."""
    torch.manual_seed(1)
    state = torch.get_rng_state()
    whole = run(tmp_path, "whole", 20)
    torch.set_rng_state(state)
    paused = run(tmp_path, "paused", 9, 20)
    assert whole["augment.probability"].item() not in (0, 0.5)
    assert whole["generator.shown"].tolist() == [1, 1, 1]
    for name, tensor in whole.items():
        assert torch.equal(paused[name], tensor), name


def test_it_learns_what_pictures_have_in_common() -> None:
    """Pictures of one gray each, dark above and bright below: those that it makes become so, too."""
    seed_everything(0)
    image = torch.cat([torch.full((8, 1, 8, 16), 40), torch.full((8, 1, 8, 16), 200)], 2).to(torch.uint8)
    samples = LabelledPictures(image, torch.zeros(8, dtype=torch.int64))
    config = FitConfig(steps=250, batch_size=8, optimizer=FIT_2019.optimizer.model_copy(update={"learning_rate": 3e-3}))
    made = fit(StyleGAN(FIXED), samples, config).system(torch.randn(16, 6), torch.randn(16, FIXED.noise_channels))
    upper, lower = made[:, :, :7].mean().item(), made[:, :, 9:].mean().item()
    assert upper == pytest.approx(40 / 255, abs=0.15)
    assert lower == pytest.approx(200 / 255, abs=0.15)


@pytest.mark.parametrize("side", [12, 24, 100])
def test_a_side_that_doublings_do_not_reach_is_refused(side: int) -> None:
    with pytest.raises(LimnerError, match=f"side must be a power of two, got {side}"):
        StyleGANConfig.parse({"side": side})


def test_growth_from_a_side_that_is_not_there_is_refused() -> None:
    with pytest.raises(LimnerError, match=r"growth must begin with one of the sides \[4, 8, 16\], got 32"):
        StyleGANConfig.parse({"side": 16, "growth": {"first_side": 32}})
