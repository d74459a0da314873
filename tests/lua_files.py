"""Files of Lua Torch as torch7's File.lua writes them, and networks in them: each module a pair of class and fields."""

import struct
from typing import Any

import torch
from torch import Tensor

Module = tuple[str, dict[str, Any]]


class Shared:
    """An object that others name too: it is written once, and may be a key."""

    def __init__(self, name: str, fields: dict[Any, Any]) -> None:
        self.name, self.fields = name, fields


def lua_file(value: Any) -> bytes:
    """The file of a value: a number, a text, a table as a dictionary, a tensor, a module, or what is shared."""
    writer = _Writer()
    waiting = [value]
    while waiting:
        waiting += reversed(writer.begun(waiting.pop()))
    return bytes(writer.raw)


class _Writer:
    def __init__(self) -> None:
        self.raw, self.number = bytearray(), 0
        self.seen: dict[int, int] = {}

    def put(self, code: str, *values: object) -> None:
        self.raw += struct.pack(f"<{code}", *values)

    def text(self, word: str) -> None:
        self.put("i", len(word))
        self.raw += word.encode()

    def begun(self, value: Any) -> list[Any]:
        """What follows the head of a value, which is written."""
        if value is None:
            self.put("i", 0)
        elif isinstance(value, bool):
            self.put("ii", 5, value)
        elif isinstance(value, int | float):
            self.put("id", 1, value)
        elif isinstance(value, str):
            self.put("i", 2)
            self.text(value)
        elif isinstance(value, Tensor):
            self.tensor(value)
        elif isinstance(value, dict | Shared) and id(value) in self.seen:
            self.put("ii", 3 if isinstance(value, dict) else 4, self.seen[id(value)])
        elif isinstance(value, dict):
            self.head(3)
            self.seen[id(value)] = self.number
            self.put("i", len(value))
            return [one for pair in value.items() for one in pair]
        elif isinstance(value, Shared):
            self.head(4, value.name)
            self.seen[id(value)] = self.number
            return [value.fields]
        else:
            self.head(4, value[0])
            return [value[1]]
        return []

    def head(self, kind: int, name: str = "") -> None:
        self.number += 1
        self.put("ii", kind, self.number)
        if name:
            self.text("V 1")
            self.text(name)

    def tensor(self, value: Tensor) -> None:
        word = {torch.float32: "Float", torch.float64: "Double"}[value.dtype]
        self.head(4, f"torch.{word}Tensor")
        self.put("i", value.dim())
        self.put(f"{2 * value.dim() + 1}q", *value.shape, *value.stride(), 1)
        self.head(4, f"torch.{word}Storage")
        self.put("q", value.numel())
        self.raw += value.numpy().tobytes()


def sequential(*modules: Module, kind: str = "Sequential") -> Module:
    return f"nn.{kind}", {"modules": dict(enumerate(modules, start=1)), "train": False}


def graph(nodes: list[tuple[Module, list[int]]]) -> Shared:
    """nngraph's network of modules, each with the numbers of those whose results it takes, the last one's the result.

    A node names those that it gives to, and its data those that it takes from, so that all lie in each other: once to
    the last node, and all the way back.
    """
    data: list[dict[str, Any]] = [
        {"module": module, "annotations": {"_debugLabel": "[net]"}, "mapindex": {}, "reverseMap": {}}
        for module, _ in nodes
    ]
    there, back = ([_node(place, one) for place, one in enumerate(data)] for _ in range(2))
    for place, (_, given) in enumerate(nodes):
        for number, before in enumerate(given, start=1):
            data[place]["mapindex"][number] = data[before]
            children = there[before].fields["children"]
            children[len(children) // 2 + 1] = there[place]
            children[there[place]] = len(children) // 2 + 1
            back[place].fields["children"][number] = back[before]
            data[before]["reverseMap"][back[place]] = True
    fields = {
        "fg": Shared("graph.Graph", {"nodes": dict(enumerate(there, start=1)), "edges": {}}),
        "bg": Shared("graph.Graph", {"nodes": dict(enumerate(reversed(back), start=1)), "edges": {}}),
        "forwardnodes": dict(enumerate(there, start=1)),
        "modules": {place: module for place, (module, _) in enumerate(nodes, start=1)},
    }
    return Shared("nn.gModule", fields)


def _node(place: int, data: dict[Any, Any]) -> Shared:
    return Shared("nngraph.Node", {"children": {}, "data": data, "id": place, "visited": False, "marked": False})
