"""The modules of a network of Lua Torch: a tree, whose order is their names."""

from collections.abc import Iterator, Mapping
from typing import Any

from limner.errors import LimnerError
from limner.importers.lua_t7 import LuaObject
from limner.importers.stored import Stored

_NETWORKS = ("model", "net", "modelG", "netG")
_PARTS = ("weight", "bias", "running_mean", "running_var")
_DEEPEST = 40
_MOST = 10_000


def lua_modules(tree: Any) -> list[LuaObject]:
    """The modules of a network that hold no others, in the order in which they stand.

    Args:
        tree: A file of Lua's: a network, or a table that has one under a usual name.

    Raises:
        LimnerError: If modules lie deeper in each other than those of any network.
    """
    if isinstance(tree, Mapping):
        tree = next((tree[key] for key in _NETWORKS if isinstance(tree.get(key), LuaObject)), None)
    return list(_walked(tree, 0, iter(range(_MOST)))) if isinstance(tree, LuaObject) else []


def _walked(module: LuaObject, depth: int, visits: Iterator[int]) -> Iterator[LuaObject]:
    if depth > _DEEPEST or next(visits, None) is None:
        raise LimnerError("its modules lie deeper in each other than those of any network")
    inner = module.fields.get("modules")
    if not isinstance(inner, Mapping):
        yield module
        return
    for _, one in sorted((key, one) for key, one in inner.items() if isinstance(key, int)):
        if isinstance(one, LuaObject):
            yield from _walked(one, depth + 1, visits)


def lua_arrays(modules: list[LuaObject]) -> dict[str, Stored]:
    """Their arrays, named by the place of the module and the part, as `3.weight`."""
    return {
        f"{place}.{part}": found
        for place, one in enumerate(modules)
        for part in _PARTS
        if isinstance(found := one.fields.get(part), Stored)
    }
