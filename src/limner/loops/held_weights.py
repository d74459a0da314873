"""How the processes of a training hold weights, gradients and what optimisers remember: here, whole in each of them."""

from collections.abc import Callable, Mapping
from typing import Any, cast

import torch
from torch import Tensor, nn

from limner import processes
from limner.loops.averaging import Average
from limner.loops.optimizers import restore_optimizer

Optimizers = Mapping[str, torch.optim.Optimizer]


class HeldWeights:
    """All in every process, so that a network must fit each; gradients are averaged over processes.

    Args of the constructor:
        system: On its device.

    Attributes:
        system: The one that plays.
        parameters: Of each player, what its optimiser moves.
    """

    def __init__(self, system: nn.Module) -> None:
        self.system = cast(Any, system)
        players: Mapping[str, nn.Module] = self.system.players
        self.parameters = {name: list(player.parameters()) for name, player in players.items()}

    @property
    def can_play_alone(self) -> bool:
        """Whether a process may play a batch again while the others do not."""
        return True

    def averaged(self, decay: float | None) -> Average | None:
        """An average of the weights, if there is to be one."""
        return Average(self.system, decay) if decay else None

    def followed(self) -> nn.Module:
        """What the average follows."""
        return self.system

    def leaves(self, player: str) -> list[Tensor]:
        """What a backward pass of a player's loss goes to."""
        return [parameter for parameter in self.parameters[player] if parameter.requires_grad]

    def before_turns(self) -> None:
        """A step begins."""

    def after_turns(self) -> None:
        """A step has been made."""

    def share_gradient(self, player: str) -> list[nn.Parameter]:
        """Let the gradient of a player be that of all processes.

        Returns:
            Of its parameters those that have a gradient.
        """
        own = [parameter for parameter in self.parameters[player] if parameter.grad is not None]
        processes.average([parameter.grad for parameter in own if parameter.grad is not None])
        return own

    def norm(self, parameters: list[nn.Parameter]) -> Tensor:
        """Of the gradient of these parameters together."""
        return nn.utils.get_total_norm([one.grad for one in parameters if one.grad is not None])

    def moved(self, player: str) -> None:
        """The player's optimiser has made its step."""

    def forget_gradients(self, player: str) -> None:
        """Of a player."""
        for parameter in self.parameters[player]:
            parameter.grad = None

    def state(self, optimizers: Optimizers, average: Average | None) -> dict[str, Any]:
        """What training has made of them, whole; all processes ask for it, and the first one has it."""
        return {
            "system": self.system.state_dict(),
            "optimizers": {name: optimizer.state_dict() for name, optimizer in optimizers.items()},
            "average": average.state_dict() if average else None,
        }

    def restore(self, state: Mapping[str, Any], optimizers: Optimizers, average: Average | None) -> None:
        """Bring back what `state` gave, in any way of holding."""
        self.system.load_state_dict(state["system"])
        for name, optimizer in optimizers.items():
            restore_optimizer(optimizer, state["optimizers"][name])
        if average:
            average.load_state_dict(state["average"])

    def whole(self, average: Average | None) -> nn.Module:
        """The system to look at: the averaged one where there is an average."""
        return average.system if average else self.system

    def shown(self, watch: Callable[[], None], average: Average | None) -> None:
        """Let the first process watch, which may look at the `whole` meanwhile."""
        watch()
