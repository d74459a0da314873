"""Small games are played as their loss says, and depend on the seed alone."""

import pytest
import torch
from torch import nn

from limner.experiments.small_games import GAMES, Real, SmallGame, game_of, played
from limner.losses.adversarial import discriminator_loss, generator_loss
from limner.types import Progress


def small(name: str = "minimax", lead: int = 1) -> SmallGame:
    return SmallGame(nn.Linear(2, 1), nn.Linear(1, 1), 2, game_of(name, penalty=0.5), lead=lead)


def drawn(rng: torch.Generator) -> torch.Tensor:
    return 3 + 0.1 * torch.randn(8, 1, generator=rng)


@pytest.mark.parametrize(("name", "kind"), GAMES.items())
def test_each_player_lowers_the_loss_of_its_game(name: str, kind: str) -> None:
    torch.manual_seed(0)
    game, real = small(name), torch.randn(4, 1)
    torch.manual_seed(1)
    first, second = game.turns(Real(real), Progress())
    torch.manual_seed(1)
    fake = game.made(4)
    told = discriminator_loss(game.discriminator(real), game.discriminator(fake), kind)  # type: ignore[arg-type]
    assert (first.player, second.player) == ("discriminator", "generator")
    assert first.losses["adversarial"].item() == pytest.approx(told.item())
    gained = generator_loss(game.discriminator(fake), kind)  # type: ignore[arg-type]
    assert second.losses["adversarial"].item() == pytest.approx(gained.item())
    assert ("gradient_penalty" in first.losses) == (name == "WGAN-GP")


def test_the_discriminator_moves_as_often_as_its_lead_says() -> None:
    turns = [turn.player for turn in small(lead=3).turns(Real(torch.zeros(2, 1)), Progress())]
    assert turns == ["discriminator"] * 3 + ["generator"]


def test_a_training_depends_on_its_seed_alone_and_is_not_changed_by_looks() -> None:
    def look(step: int, game: SmallGame) -> None:
        torch.randn(5)

    one = played(small, drawn, steps=4, learning_rate=0.1, seed=1)
    other = played(small, drawn, steps=4, learning_rate=0.1, seed=1, look=look)
    third = played(small, drawn, steps=4, learning_rate=0.1, seed=2)
    assert torch.equal(one.generator.weight, other.generator.weight)  # type: ignore[arg-type]
    assert not torch.equal(one.generator.weight, third.generator.weight)  # type: ignore[arg-type]
