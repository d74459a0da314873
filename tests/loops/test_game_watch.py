"""A run never dies silently: what goes wrong in a game is named within 500 steps, with advice."""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import pytest
import torch
from torch import Tensor, nn

from limner.loops.fit import FitConfig, fit
from limner.loops.game_watch import GameWatch
from limner.loops.optimizers import OptimizerConfig
from limner.loops.picture_looks import AllAlike, Pictures, difference
from limner.losses.adversarial import GameConfig, GameKind
from limner.types import Progress, Turn


class Batch(NamedTuple):
    image: Tensor


class Points:
    """Pictures of one pixel whose colours lie on a line."""

    def __len__(self) -> int:
        return 64

    def draw(self, index: int, rng: torch.Generator) -> Batch:
        return Batch(0.2 + 0.6 * torch.rand(1, 1, 1, generator=rng).expand(3, 1, 1))


class Dull(nn.Module):
    """A game whose generator shows `width` of what it draws, and never learns."""

    generator: nn.Module
    discriminator: nn.Module

    def __init__(self, kind: GameKind, width: float) -> None:
        super().__init__()
        self.generator, self.discriminator = (
            nn.Linear(1, 3),
            nn.Sequential(nn.Linear(3, 32), nn.ReLU(), nn.Linear(32, 1)),
        )
        self.game, self.width = GameConfig(kind=kind), width

    @property
    def players(self) -> Mapping[str, nn.Module]:
        return {"discriminator": self.discriminator, "generator": self.generator}

    def made(self, number: int) -> Tensor:
        drawn = self.width * torch.rand(number, 1)
        return (drawn + 0 * self.generator(drawn))[:, :, None, None]

    def turns(self, batch: Batch, progress: Progress) -> Iterator[Turn]:
        fake = self.made(len(batch.image))
        logits = self.discriminator(batch.image.flatten(1)), self.discriminator(fake.detach().flatten(1))
        yield Turn("discriminator", {"adversarial": self.game.discriminator(*logits)})
        yield Turn("generator", {"adversarial": self.game.generator(self.discriminator(fake.flatten(1)))})


def differing(made: float, real: float) -> Pictures:
    """Two pictures that differ by so much, and two real ones."""
    return Pictures(*(torch.tensor([0.0, one]).view(2, 1, 1, 1) for one in (made, real)))


def told(system: nn.Module, draw: Callable[[nn.Module], Pictures], rate: float, steps: int = 250) -> list[str]:
    lines: list[str] = []
    config = FitConfig(steps=steps, batch_size=16, optimizer=OptimizerConfig(learning_rate=rate))
    fit(system, Points(), config, watchers=[GameWatch(draw, lines.append, looks=[AllAlike])])
    return lines


def lively(system: nn.Module) -> Pictures:
    return differing(0.2, 0.2)


@pytest.mark.parametrize("kind", ["non_saturating", "minimax", "least_squares", "hinge"])
def test_a_discriminator_that_runs_away_is_named_with_advice(kind: GameKind) -> None:
    """Its pictures are black and always will be; the real ones are not."""
    lines = told(Dull(kind, 0.0), lively, rate=0.03)
    assert len(lines) == 1
    assert "discriminator/adversarial has been below 0.01 for 100 steps" in lines[0]
    assert """--set 'fit.players={"discriminator": {"learning_rate": 5e-5}}'""" in lines[0]


def test_a_discriminator_that_learns_nothing_is_not_named() -> None:
    assert told(Dull("non_saturating", 1.0), lively, rate=1e-5, steps=150) == []


def test_a_critic_without_a_bound_is_not_taken_for_one_that_has_won() -> None:
    assert told(Dull("wasserstein", 0.0), lively, rate=0.03) == []


def test_pictures_that_all_look_alike_are_named_with_advice() -> None:
    def draw(system: nn.Module) -> Pictures:
        assert isinstance(system, Dull)
        return Pictures(system.made(8), differing(0.2, 0.2).real)

    lines = told(Dull("non_saturating", 0.01), draw, rate=1e-6)
    assert len(lines) == 1
    assert lines[0].startswith("step 200: pictures that are made differ by ")
    assert "all look alike since step 100: if that lasts, begin anew" in lines[0]
    assert told(Dull("non_saturating", 0.5), draw, rate=1e-6) == []


def test_they_are_named_again_only_after_they_have_differed() -> None:
    shares = iter([0.0, 0.0, 0.0, 0.2, 0.0, 0.0])
    lines = told(Dull("wasserstein", 1.0), lambda system: differing(next(shares), 0.2), rate=1e-6, steps=600)
    assert [line.split(":")[0] for line in lines] == ["step 200", "step 600"]


def test_real_pictures_that_are_all_alike_say_nothing() -> None:
    assert told(Dull("wasserstein", 1.0), lambda system: differing(0.0, 1e-4), rate=1e-6) == []


def test_difference_is_the_mean_over_pairs() -> None:
    images = torch.rand(5, 3, 4, 4)
    pairs = [(a - b).abs().mean() for i, a in enumerate(images) for b in images[i + 1 :]]
    assert difference(images) == pytest.approx(float(torch.stack(pairs).mean()), rel=1e-5)
    assert difference(images[:1]) == 0
