"""What the catalog says of a system."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from torch import Tensor, nn

from limner.config import Config
from limner.data.source import DataConfig
from limner.errors import LimnerError, did_you_mean
from limner.loops.fit import FitConfig
from limner.tasks.task import Task

C = TypeVar("C", bound=Config)


@dataclass(frozen=True)
class Preset:
    """A named way to build and train a system."""

    summary: str
    config: Config
    fit: FitConfig
    data: DataConfig
    start_from: str | None = None
    """The model whose weights training begins with."""


@dataclass(frozen=True)
class Product:
    """What is used of a system once it is trained, where that is not all of it: a generator without its discriminator.

    Of one player, the product has this player's weights. Of several, such as two generators, it has a submodule of each
    player's name.
    """

    players: tuple[str, ...]
    build: Callable[[Any], nn.Module]
    """From the configuration of the whole system."""

    def state(self, system: nn.Module) -> dict[str, Tensor]:
        """The product's weights, of a whole system."""
        of = {name: _players(system)[name].state_dict() for name in self.players}
        if len(of) == 1:
            return dict(of[self.players[0]])
        return {f"{player}.{name}": tensor for player, state in of.items() for name, tensor in state.items()}

    def load(self, system: nn.Module, state: Mapping[str, Tensor]) -> None:
        """Give the players of a whole system a product's weights."""
        for player in self.players:
            prefix = f"{player}." if len(self.players) > 1 else ""
            own = {name.removeprefix(prefix): tensor for name, tensor in state.items() if name.startswith(prefix)}
            _players(system)[player].load_state_dict(own)


@dataclass(frozen=True)
class Part:
    """A player that counts in training alone, and whose weights a training can begin with: a discriminator."""

    build: Callable[[Any], nn.Module]
    """From the configuration of the whole system."""
    fields: tuple[str, ...]
    """Of the configuration: what it is by, but for what the data tell."""


def _players(system: nn.Module) -> Mapping[str, nn.Module]:
    return system.players  # type: ignore[return-value]  # nn.Module types every attribute as a tensor or a module


@dataclass(frozen=True)
class Entry:
    """A system that is trained."""

    name: str
    title: str
    paper: str
    tasks: tuple[Task, ...]
    """What it can be used for, in one configuration or another."""
    system: Callable[[Any], nn.Module]
    presets: Mapping[str, Preset]
    """The first is the default."""
    product: Product | None = None
    """What weight files hold; None: all of the system."""
    parts: Mapping[str, Part] = field(default_factory=dict)
    """Players beside the product that weight files can hold too, by their names."""
    published: Mapping[str, tuple[Config, ...]] = field(default_factory=dict)
    """The networks of the paper's tables by the names of `metrics.published`; without any, the preset `paper`'s."""
    tasks_by_config: Callable[[Any], tuple[Task, ...]] | None = None
    """What a configuration can be used for; None: each for all of `tasks`."""
    check: Callable[[Any, Any], None] | None = None
    """Refuses, with a LimnerError, a configuration and one of the data that do not fit each other."""
    made_anew: tuple[str, ...] = ()
    """Parts of the network, wherever they are in it, that training begins anew where it begins with a model that has
    another number of what they are for: a scale, styles."""
    small: tuple[str, ...] = ()
    """Assignments, as `limner train --set` takes them, of a network and of crops that a test can train in seconds."""

    @property
    def config(self) -> type[Config]:
        """The kind of configuration that the system takes."""
        return type(self.default.config)

    @property
    def default(self) -> Preset:
        """The preset that is meant where none is named."""
        return next(iter(self.presets.values()))

    def tasks_of(self, config: Mapping[str, Any] | Config) -> tuple[Task, ...]:
        """What a configuration can be used for, for instance that of a weight file's header."""
        if self.tasks_by_config is None:
            return self.tasks
        return self.tasks_by_config(config if isinstance(config, Config) else self.config.parse(config))

    def published_name(self, config: Mapping[str, Any]) -> str | None:
        """Whose figures those of a configuration are: the method's, if it is the paper's own network; else None."""
        named = dict(self.published)
        if not named and "paper" in self.presets:
            named = {self.title: (self.presets["paper"].config,)}
        parsed = self.config.parse(config)
        return next((name for name, configs in named.items() if parsed in configs), None)

    def build_product(self, config: Config) -> nn.Module:
        """What is used of a system once it is trained, with fresh weights."""
        return self.product.build(config) if self.product else self.system(config)

    def build_part(self, name: str, config: Config) -> nn.Module:
        """A player that counts in training alone, with fresh weights.

        Raises:
            LimnerError: If there is none of that name.
        """
        if name not in self.parts:
            raise LimnerError(f"weight files hold no {name!r} of a {self.name}: copy or make it again")
        return self.parts[name].build(config)

    def load_part_state(self, system: nn.Module, name: str, state: Mapping[str, Tensor]) -> None:
        """Let a player of a whole system begin with what a weight file holds of it."""
        _players(system)[name].load_state_dict(state)

    def product_state(self, system: nn.Module) -> dict[str, Tensor]:
        """What the weight file of a trained system holds."""
        return self.product.state(system) if self.product else dict(system.state_dict())

    def load_product_state(self, system: nn.Module, state: Mapping[str, Tensor]) -> None:
        """Let a whole system begin with what a weight file holds."""
        if self.product:
            self.product.load(system, state)
        else:
            system.load_state_dict(state)

    def preset(self, name: str | None) -> Preset:
        """A preset by its name; None means the default.

        Raises:
            LimnerError: If there is none of that name.
        """
        if name is None:
            return self.default
        if name not in self.presets:
            mend = did_you_mean(name, self.presets)
            raise LimnerError(f"{self.name} has the presets {', '.join(self.presets)}, got {name!r}: {mend}")
        return self.presets[name]


@dataclass(frozen=True)
class PicturePreset(Generic[C]):
    """A named way to optimise one picture."""

    summary: str
    config: C


@dataclass(frozen=True)
class PictureEntry(Generic[C]):
    """A system that optimises one picture: it has nothing to train, and works at once."""

    name: str
    title: str
    paper: str
    presets_by_task: Mapping[Task, Mapping[str, PicturePreset[C]]]
    """Of each task, the first is the default."""

    @property
    def config(self) -> type[C]:
        """The kind of configuration that the system takes."""
        return type(next(iter(self.presets.values())).config)

    @property
    def tasks(self) -> tuple[Task, ...]:
        """What it can be used for."""
        return tuple(self.presets_by_task)

    @property
    def presets(self) -> dict[str, PicturePreset[C]]:
        """Of all tasks; of one name, that of the first task that has it."""
        merged: dict[str, PicturePreset[C]] = {}
        for presets in self.presets_by_task.values():
            merged = {**presets, **merged}
        return {name: merged[name] for presets in self.presets_by_task.values() for name in presets}

    def configs(self, task: Task) -> dict[str, C]:
        """The configurations of a task's presets."""
        return {name: preset.config for name, preset in self.presets_by_task[task].items()}
