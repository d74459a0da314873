"""The weights that a training begins with, where these are those of a model."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

from limner.catalog.entry import Entry
from limner.catalog.models import load
from limner.errors import LimnerError


def begin_with(model: str, entry: Entry, system: nn.Module, config: Mapping[str, Any]) -> None:
    """Give a system the weights of a model of the same form; what either learns from may differ.

    Of a model of another form it takes all but `entry.made_anew`, if the rest is alike.

    Raises:
        LimnerError: If it is of another form.
    """
    trained, header = load(model)
    product = entry.build_product(entry.config.parse(config))
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
