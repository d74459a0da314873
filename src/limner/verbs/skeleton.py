"""What a weight file's header tells of its system before any weight is read."""

from typing import Any

import torch

from limner.catalog import build_product, find
from limner.files.weights import Header
from limner.ports import Ported


def skeleton(header: Header) -> Any:
    """The system that a header names, without weights: for its ports, and for what it does around its network.

    Raises:
        LimnerError: If the system is unknown, or its configuration does not fit.
    """
    with torch.device("meta"):
        return build_product(header.system, header.config).eval()


def enlarges(header: Header) -> bool:
    """Whether the system is one of those that enlarge."""
    return "upscale" in find(header.system).verbs


def paints(header: Header) -> bool:
    """Whether a photo, and noise beside it, are all that the system needs to make a picture of the same size."""
    if enlarges(header):
        return False
    system: Ported = skeleton(header)
    first, *others = [port.kind for port in system.inputs]
    return first == "photo" and set(others) <= {"noise"}


def takes_any_style(header: Header) -> bool:
    """Whether the system is given a content and a style picture."""
    system: Ported = skeleton(header)
    return [port.kind for port in system.inputs] == ["photo", "photo"]
