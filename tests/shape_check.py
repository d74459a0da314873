"""The checker that pytest puts on every function of the package: argument types, and tensor shapes by jaxtyping."""

import functools
import typing
from collections.abc import Callable, Iterator
from typing import Any

import torch
from beartype import BeartypeConf, FrozenDict, beartype
from torch import fx

# jaxtyping's import hook decorates methods one by one, and beartype knows `Self` only where it decorates the class.
# An int is a float here, as it is for mypy.
_check = beartype(conf=BeartypeConf(hint_overrides=FrozenDict({typing.Self: typing.Any}), is_pep484_tower=True))


def check(function: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a function with beartype, which can check a protocol only where it is marked as runtime checkable."""
    for hint in function.__annotations__.values():
        for protocol in protocols(hint):
            typing.runtime_checkable(protocol)
    checked = _check(function)

    @functools.wraps(function)
    def check_unless_traced(*args: Any, **kwargs: Any) -> Any:
        traced = torch.compiler.is_exporting() or any(
            isinstance(value, fx.Proxy) for value in (*args, *kwargs.values())
        )
        return function(*args, **kwargs) if traced else checked(*args, **kwargs)  # what is traced has no shape yet

    return check_unless_traced


def protocols(hint: Any) -> Iterator[type]:
    """Yield the protocols in a type hint, however deep."""
    if getattr(hint, "_is_protocol", False):
        yield typing.get_origin(hint) or hint
    for part in typing.get_args(hint):
        yield from protocols(part)
