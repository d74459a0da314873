"""The weights that a training begins with, where these are those of models."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import torch
from torch import nn

from limner.catalog.entry import Entry
from limner.catalog.models import load_for_training, weights_path
from limner.config import Config
from limner.errors import LimnerError
from limner.files.weights import Header, read_header


def begin_with(models: Sequence[str], entry: Entry, system: nn.Module, config: Mapping[str, Any]) -> None:
    """Give a system the weights of models: of one that is used as its product will be, and of players of its game.

    What is of no model begins by chance. All files are known to fit by their headers before one of them is read.

    Raises:
        LimnerError: If two are the same part of the system, or one is of another system or another form.
    """
    parsed, given = entry.config.parse(config), dict[str, str]()
    for model in models:
        header = read_header(weights_path(model))
        if header.part in given:
            part = f"a {header.part}" if header.part else "what is used after training"
            raise LimnerError(f"{given[header.part]} and {model} are both {part}: name one of them with --start-from")
        given[header.part] = model
        if header.part:
            _check_player(model, header, entry, system, parsed)
    for part, model in given.items():
        if part:
            _begin_player(model, part, entry, system)
        else:
            _begin_product(model, entry, system, parsed)


def products(models: Sequence[str]) -> list[str]:
    """Those of some models that are no players of a game."""
    return [model for model in models if not read_header(weights_path(model)).part]


def _check_player(model: str, header: Header, entry: Entry, system: nn.Module, config: Config) -> None:
    """Refuse a player of another game, or of another form than the system's.

    Raises:
        LimnerError: If it is.
    """
    what = f"{model} is the {header.part} of a {header.system}"
    if header.system != entry.name:
        raise LimnerError(f"{what}, and goes on with limner train {header.system} alone, got {entry.name}")
    part = entry.parts.get(header.part)
    if part is None or header.part not in cast(Mapping[str, nn.Module], system.players):
        raise LimnerError(f"{what}, and this training has none: leave it out of --start-from")
    theirs = entry.config.parse(header.config)
    other = [name for name in part.fields if getattr(theirs, name) != getattr(config, name)]
    if other:
        had = ", ".join(f"{name} {getattr(config, name)}" for name in other)
        mend = " ".join(f"--set {name}={_written(getattr(theirs, name))}" for name in other)
        raise LimnerError(f"{what}, and this training's has another {had}: pass {mend}, or name another --start-from")


def _written(value: Any) -> str:
    """As --set takes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _begin_player(model: str, part: str, entry: Entry, system: nn.Module) -> None:
    trained, _ = load_for_training(model)
    own, theirs = _form(cast(Mapping[str, nn.Module], system.players)[part]), _form(trained)
    for name in {**own, **theirs}:
        if own.get(name) != theirs.get(name):
            raise LimnerError(
                f"{model} is a {part} of another form: {name} must be {_by(own.get(name))}, got "
                f"{_by(theirs.get(name))}: it is of pictures of other channels or classes, name another --start-from"
            )
    entry.load_part_state(system, part, trained.state_dict())


def _by(shape: torch.Size | None) -> str:
    return "none" if shape is None else "x".join(map(str, shape)) or "one number"


def _begin_product(model: str, entry: Entry, system: nn.Module, config: Config) -> None:
    """The same of what is used; what it learns from may differ.

    Of a model of another form it takes all but `entry.made_anew`, if the rest is alike.

    Raises:
        LimnerError: If it is of another form.
    """
    trained, header = load_for_training(model)
    product = entry.build_product(config)
    anew = () if _form(trained) == _form(product) else entry.made_anew
    if type(trained) is not type(product) or _form(trained, anew) != _form(product, anew):
        raise LimnerError(
            f"training begins with a {type(product).__name__} of {product.config}, got {model}, a {header.system} of "
            f"{trained.config}: name another with --start-from, or none"
        )
    kept, own = _form(trained, anew), entry.product_state(system)
    taken = {name: tensor for name, tensor in trained.state_dict().items() if name in kept}
    entry.load_product_state(system, {**own, **taken})


def _form(network: nn.Module, without: Sequence[str] = ()) -> dict[str, torch.Size]:
    """The shapes of the weights by their names, without those of some parts."""
    weights = network.state_dict().items()
    return {name: tensor.shape for name, tensor in weights if not set(name.split(".")) & set(without)}
