"""Weights, gradients and what optimisers remember, shared out among the processes of a training by torch's FSDP2.

Of every larger block of a network each process keeps a part: some of the rows along the first axis of each weight. What
is small, and what stands in no block, all keep.

Rajbhandari et al., "ZeRO: Memory Optimizations Toward Training Trillion Parameter Models", SC 2020, arXiv:1910.02054.
"""

import copy
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FSDPModule, fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor
from torch.nn.utils.parametrize import is_parametrized

from limner import processes
from limner.loops.averaging import Average
from limner.loops.held_weights import HeldWeights, Optimizers
from limner.loops.optimizers import restore_optimizer

_LARGEST, _SMALLEST = 1 / 8, 1 / 256  # blocks, of the weights of their player


class _Part(NamedTuple):
    """One weight of a player: as it is held, as its optimiser moves it, and as it computes."""

    held: nn.Parameter
    own: nn.Parameter
    leaf: nn.Parameter

    @property
    def is_shared_out(self) -> bool:
        return isinstance(self.held, DTensor)


class _Own(nn.Module):
    """What an average follows: this process's parts of all weights, and the buffers."""

    def __init__(self, parameters: list[nn.Parameter], system: nn.Module) -> None:
        super().__init__()
        self._own, self._system = parameters, [system]

    def parameters(self, recurse: bool = True) -> Iterator[nn.Parameter]:
        return iter(self._own)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        return self._system[0].buffers(recurse)


class ShardedWeights(HeldWeights):
    """A part in each process; the state that is saved is that of weights held whole.

    A network that trains alone is gathered block by block as it computes. In a game, where a backward pass goes through
    the networks of others and may itself be differentiated, all networks are whole while a step lasts; gradients of
    the player whose turn it is as well.

    Args of the constructor:
        system: With contiguous weights; it is put on the CPU and left as it is, until `whole` fills it.
        device: That is computed on.
    """

    def __init__(self, system: nn.Module, device: torch.device) -> None:
        self._whole, self._device = system.cpu(), device
        super().__init__(copy.deepcopy(system))
        players: Mapping[str, nn.Module] = self.system.players
        self._stays_whole, self._is_watched, self._is_gathered = len(players) > 1, False, False
        self._mesh = init_device_mesh(device.type, (processes.place().size,))
        blocks = [block for player in players.values() for block in self._share_out(player)]
        self.system.to(device)
        for block in blocks:
            block.unshard()
        leaves = dict(self.system.named_parameters(remove_duplicate=False))
        for block in blocks:
            block.reshard()
        self._held = dict(self.system.named_parameters(remove_duplicate=False))
        by_held = {held: _Part(held, _own(held), leaves[name]) for name, held in self._held.items()}
        self._own = {name: by_held[held].own for name, held in self._held.items()}
        self._parts = {name: [by_held[one] for one in player.parameters()] for name, player in players.items()}
        self.parameters = {name: [one.own for one in parts] for name, parts in self._parts.items()}
        self._blocks = {
            name: [
                block
                for block in blocks
                if {id(one.held) for one in parts} & {*map(id, cast(nn.Module, block).parameters())}
            ]
            for name, parts in self._parts.items()
        }

    def _share_out(self, player: nn.Module) -> list[FSDPModule]:
        """Each larger block of a player, but for weights that stand outside of it, too."""
        blocks = list(_blocks(player, _num_weights(player)))
        for block in blocks:
            inside = set(block.modules())
            outside = {
                one for module in self.system.modules() if module not in inside for one in module.parameters(False)
            }
            kept = {one for one in block.parameters() if not one.dim() or one in outside}
            fully_shard(block, mesh=self._mesh, reshard_after_forward=not self._stays_whole, ignored_params=kept)
        shared = cast(list[FSDPModule], blocks)
        for one in shared if self._stays_whole else []:
            one.set_reshard_after_backward(False)
            one.set_requires_gradient_sync(False)
        return shared

    @property
    def can_play_alone(self) -> bool:
        """Where all networks are whole meanwhile."""
        return self._stays_whole

    def averaged(self, decay: float | None) -> Average | None:
        """An average of this process's parts."""
        if decay is None:
            return None
        average = Average(self._whole, decay)
        for name, parameter in average.system.named_parameters():
            parameter.data = self._part(parameter.data, name)
        average.system.to(self._device)
        return average

    def followed(self) -> nn.Module:
        """This process's parts of all weights."""
        return _Own([self._own[name] for name, _ in self._whole.named_parameters()], self.system)

    def leaves(self, player: str) -> list[Tensor]:
        """The weights as they compute."""
        return [one.leaf for one in self._parts[player] if one.leaf.requires_grad]

    def before_turns(self) -> None:
        """In a game gather all."""
        if self._stays_whole:
            for player in self._blocks:
                self._gather(player)

    def after_turns(self) -> None:
        """Keep the own part alone."""
        for blocks in self._blocks.values():
            for block in blocks:
                block.reshard()

    def _gather(self, player: str) -> None:
        for block in self._blocks[player]:
            block.unshard()

    def share_gradient(self, player: str) -> list[nn.Parameter]:
        """Put the own part of the gradient of all processes where the optimiser looks for it."""
        parts = self._parts[player]
        processes.average([one.leaf.grad for one in parts if one.leaf.grad is not None and not one.is_shared_out])
        for one in parts:
            if one.is_shared_out:
                one.own.grad = self._own_gradient(one)
        return [one.own for one in parts if one.own.grad is not None]

    def _own_gradient(self, part: _Part) -> Tensor | None:
        """Of what torch has shared out, and of what it has left whole: all in games, and what penalties give late."""
        found = [] if part.held.grad is None else [cast(DTensor, part.held.grad).to_local()]
        if part.leaf.grad is not None:
            processes.average([part.leaf.grad])
            found.append(self._like(part.leaf.grad, part.held))
        part.held.grad = part.leaf.grad = None
        return sum(found[1:], found[0]) if found else None

    def norm(self, parameters: list[nn.Parameter]) -> Tensor:
        """Of the gradient of all processes."""
        shared = {id(one.own) for parts in self._parts.values() for one in parts if one.is_shared_out}
        squares = [
            super(ShardedWeights, self)
            .norm([one for one in parameters if (id(one) in shared) is is_shared])
            .square()
            .to(self._device)
            for is_shared in (True, False)
        ]
        return (processes.total(squares[0]) + squares[1]).sqrt()

    def moved(self, player: str) -> None:
        """What is gathered of the player is out of date."""
        for block in self._blocks[player]:
            block.reshard()
        if self._stays_whole:
            self._gather(player)

    def forget_gradients(self, player: str) -> None:
        """Of a player."""
        for one in self._parts[player]:
            one.held.grad = one.own.grad = one.leaf.grad = None

    def state(self, optimizers: Optimizers, average: Average | None) -> dict[str, Any]:
        """Gathered, one weight after the other."""
        keep = processes.place().is_first
        return {
            "system": self._weights(self.system.state_dict(), keep),
            "optimizers": {name: self._remembered(one.state_dict(), name, keep) for name, one in optimizers.items()},
            "average": self._weights(average.state_dict(), keep, "module.") if average else None,
        }

    def restore(self, state: Mapping[str, Any], optimizers: Optimizers, average: Average | None) -> None:
        """Keep the own part of what `state` gave."""
        weights = state["system"].items()
        self.system.load_state_dict({name: self._distributed(one, name) for name, one in weights})
        for name, optimizer in optimizers.items():
            saved = state["optimizers"][name]
            restore_optimizer(optimizer, self._each_remembered(saved, name, self._like))
        if average:
            means = state["average"].items()
            average.load_state_dict({name: self._part(one, name.removeprefix("module.")) for name, one in means})

    def whole(self, average: Average | None) -> nn.Module:
        """The system to look at, gathered; all processes ask for it, or while the first one watches it alone."""
        if self._is_watched and not self._is_gathered:
            processes.told_by_first(True)
        if not self._is_gathered:
            self._fill(average, keep=True)
        self._is_gathered = self._is_watched
        return self._whole

    def shown(self, watch: Callable[[], None], average: Average | None) -> None:
        """Let the first process watch, while the others wait whether it needs their parts."""
        if not processes.place().is_first:
            while processes.told_by_first(False):
                self._fill(average, keep=False)
            return
        self._is_watched = True
        try:
            watch()
        finally:
            if self._is_gathered:
                self._whole.cpu()
            self._is_watched = self._is_gathered = False
            processes.told_by_first(False)

    def _fill(self, average: Average | None, *, keep: bool) -> None:
        found = self._weights((average.system if average else self.system).state_dict(), keep)
        if keep:
            self._whole.load_state_dict(found)
            self._whole.to(self._device)

    def _weights(self, state: Mapping[str, Any], keep: bool, prefix: str = "") -> dict[str, Any]:
        """A state of parts -> one of whole weights."""
        held = {name: self._held.get(name.removeprefix(prefix)) for name in state}
        return {name: self._gathered(one, held[name], keep) for name, one in state.items()}

    def _gathered(self, part: Any, held: Tensor | None, keep: bool) -> Any:
        """The whole of a part, on the CPU, for those who keep it; what has no parts as it is."""
        if not isinstance(held, DTensor):
            return part
        if not isinstance(part, DTensor):
            part = DTensor.from_local(
                part, self._mesh, held.placements, run_check=False, shape=held.shape, stride=held.stride()
            )
        whole = part.detach().full_tensor()
        return whole.cpu() if keep else None

    def _distributed(self, whole: Any, name: str) -> Any:
        held = self._held.get(name)
        if not isinstance(held, DTensor):
            return whole
        return distribute_tensor(whole.contiguous(), self._mesh, held.placements, src_data_rank=None)

    def _part(self, whole: Any, name: str) -> Any:
        return self._like(whole, self._held[name]) if name in self._held else whole

    def _like(self, whole: Tensor, held: Tensor) -> Tensor:
        """The own part of what is as large as a weight."""
        if not isinstance(held, DTensor):
            return whole
        made = distribute_tensor(whole.detach().contiguous(), self._mesh, held.placements, src_data_rank=None)
        return made.to_local().clone()

    def _remembered(self, state: Mapping[str, Any], player: str, keep: bool) -> dict[str, Any]:
        return self._each_remembered(state, player, lambda part, held: self._gathered(part, held, keep))

    def _each_remembered(
        self, state: Mapping[str, Any], player: str, change: Callable[[Tensor, Tensor], Any]
    ) -> dict[str, Any]:
        """The state of an optimiser, all that is as large as its weights changed."""
        changed = {
            number: {
                name: change(one, self._parts[player][number].held) if isinstance(one, Tensor) and one.dim() else one
                for name, one in memory.items()
            }
            for number, memory in state["state"].items()
        }
        return {**state, "state": changed}


def _own(held: nn.Parameter) -> nn.Parameter:
    """This process's part of a weight, in the same memory."""
    if not isinstance(held, DTensor):
        return held
    return nn.Parameter(cast(DTensor, held.detach()).to_local(), requires_grad=held.requires_grad)


def _blocks(module: nn.Module, number: int) -> Iterator[nn.Module]:
    """The largest modules with at most an eighth of so many weights, and larger ones that hold most of their own."""
    own = _num_weights(module)
    if isinstance(module, FSDPModule) or own < _SMALLEST * number:
        return
    is_container = type(module).forward is nn.Module.forward  # which is never called
    is_one = is_parametrized(module) or 2 * _num_weights(module, recurse=False) > own
    if is_container or (own > _LARGEST * number and not is_one):
        for child in module.children():
            yield from _blocks(child, number)
    else:
        yield module


def _num_weights(module: nn.Module, *, recurse: bool = True) -> int:
    return sum(parameter.numel() for parameter in module.parameters(recurse))
