"""What the games of a generator and a discriminator share, whatever these are."""

from collections.abc import Mapping

from torch import Tensor, nn

from limner.ports import Port, Ported


class Game(nn.Module):
    """A generator and a discriminator; `forward` is the generator alone.

    Args of the constructor:
        generator: Says by its ports what it is given and gives.
        discriminator: Gives logits.
    """

    generator: nn.Module
    discriminator: nn.Module

    def __init__(self, generator: nn.Module, discriminator: nn.Module) -> None:
        super().__init__()
        assert isinstance(generator, Ported)
        self.inputs: tuple[Port, ...] = generator.inputs
        self.outputs: tuple[Port, ...] = generator.outputs
        self.generator, self.discriminator = generator, discriminator

    @property
    def players(self) -> Mapping[str, nn.Module]:
        """Two: the discriminator moves first."""
        return {"discriminator": self.discriminator, "generator": self.generator}

    def forward(self, *inputs: Tensor) -> Tensor:
        """As the generator's."""
        result: Tensor = self.generator(*inputs)
        return result
