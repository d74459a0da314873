import torch
from torch import Tensor, nn

from limner.layers.game import Game
from limner.ports import Port


class Doubling(nn.Module):
    inputs = (Port("x", "latent", 3),)
    outputs = (Port("y", "latent", 3),)

    def forward(self, x: Tensor) -> Tensor:
        return 2 * x


def test_a_game_is_used_as_its_generator():
    generator, discriminator = Doubling(), nn.Linear(3, 1)
    game = Game(generator, discriminator)
    assert (game.inputs, game.outputs) == (generator.inputs, generator.outputs)
    assert torch.equal(game(torch.ones(2, 3)), torch.full((2, 3), 2.0))


def test_the_discriminator_moves_first():
    generator, discriminator = Doubling(), nn.Linear(3, 1)
    assert list(Game(generator, discriminator).players.items()) == [
        ("discriminator", discriminator),
        ("generator", generator),
    ]
