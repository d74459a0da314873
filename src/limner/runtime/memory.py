"""Budgets of memory: as people write them, and what they leave for activations."""

import re

import torch

from limner.errors import LimnerError
from limner.memory import free_bytes, resident_bytes

_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12, "ki": 2**10, "mi": 2**20, "gi": 2**30, "ti": 2**40}
_AT_WORK = 250 * 2**20  # bytes that torch takes beside activations once it computes gradients, as measured


def parse_bytes(text: str, what: str = "memory") -> int:
    """A number of bytes from `2GB`, `1.5 GiB`, `800M` or `1000000`; `what` it is of is told in errors.

    >>> parse_bytes("2GB"), parse_bytes("1.5 GiB")
    (2000000000, 1610612736)

    Raises:
        LimnerError: If it is none.
    """
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]i?)?b?\s*", text, re.IGNORECASE)
    size = int(float(match[1]) * _UNITS[(match[2] or "").lower()]) if match else 0
    if size <= 0:
        raise LimnerError(f"{what} must be a size such as 2GB, 800MB or 1.5GiB, got {text!r}")
    return size


def format_bytes(size: float) -> str:
    """A number of bytes for people: `1.9 GB`.

    >>> format_bytes(1_940_000_000), format_bytes(12_300_000)
    ('1.9 GB', '12 MB')
    """
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"


def check_memory(height: int, width: int) -> None:
    """That memory holds a picture of so many pixels while it is worked on: in float32, twice beside the result.

    Raises:
        LimnerError: If it does not.
    """
    needed, free = 3 * 3 * 4 * height * width, free_bytes()
    if needed > free:
        raise LimnerError(
            f"a picture of {width}x{height} pixels takes {format_bytes(needed)} of memory to make, "
            f"got {format_bytes(free)} free: pass a smaller size"
        )


def default_budget() -> int:
    """Half of what is free, and what this process holds already."""
    return resident_bytes() + free_bytes() // 2


def activations_budget(device: torch.device, budget: int | None) -> int | None:
    """What is left for activations of a budget of this process; None where no one has to count.

    Args:
        device: Where they lie. Of a GPU's memory, the half that is free now.
        budget: Bytes that the process may hold in all; None takes the default.
    """
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0]) // 2
    if device.type != "cpu":
        return None
    return default_budget() - resident_bytes() if budget is None else max(0, budget - resident_bytes() - _AT_WORK)
