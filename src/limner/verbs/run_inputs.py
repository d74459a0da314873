"""What an exported network is given: a photo, and what else its ports ask for."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from limner.data.labels import read_labels
from limner.errors import LimnerError
from limner.files.image import read_image
from limner.files.visible import visible_tensor
from limner.ports import Port
from limner.runtime.probes import Size, random_inputs
from limner.types import Image

_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601-7, section 2.5.1


def named_inputs(ports: Sequence[Port], texts: Sequence[str]) -> dict[str, Tensor]:
    """What a network is given beside a photo, from texts such as `digit=3`, `view=0.5,1` or `labels=map.png`.

    Args:
        ports: What the network takes.
        texts: A name and a value each: a picture file for what has rows and columns, else numbers. Pixels of a label
            map are numbers of classes, or indices into the palette of the file; masks are white where they are 1.

    Raises:
        LimnerError: If a name or a value does not fit.
    """
    known = {port.name: port for port in ports}
    found: dict[str, Tensor] = {}
    for text in texts:
        name, _, value = text.partition("=")
        if name not in known:
            raise LimnerError(f"the network takes {', '.join(known)}, got {text!r}: pass NAME=VALUE with one of these")
        found[name] = _in_file(known[name], Path(value)) if known[name].spatial else _in_text(known[name], value)
    return found


def _in_text(port: Port, value: str) -> Tensor:
    try:
        numbers = [float(one) for one in value.split(",")]
    except ValueError:
        raise LimnerError(f"{port.name} takes numbers between commas, got {value!r}") from None
    wanted = 1 if port.kind == "class" else port.channels
    if len(numbers) != wanted or (port.kind == "class" and numbers[0] not in range(port.channels)):
        what = f"a class below {port.channels}" if port.kind == "class" else f"{wanted} numbers"
        raise LimnerError(f"{port.name} takes {what}, got {value!r}")
    return torch.tensor(numbers, dtype=port.dtype).reshape(port.shape(1, 1, 1))


def _in_file(port: Port, path: Path) -> Tensor:
    if port.kind == "label_map":
        return read_labels(path, port.channels)[None]
    image = visible_tensor(read_image(path))
    return image if port.channels == 3 else _luma(image).expand(-1, port.channels, -1, -1)


def exported_inputs(
    ports: Sequence[Port], file: Path, image: Image | None, named: Mapping[str, Tensor], seed: int
) -> list[Tensor]:
    """One tensor for each input of an exported network.

    Raises:
        LimnerError: If one is missing, or has another shape than its port.
    """
    generator = torch.Generator().manual_seed(seed)
    unknown = [name for name in named if name not in {port.name for port in ports}]
    if unknown:
        raise LimnerError(f"{file} takes {', '.join(port.name for port in ports)}, got {unknown[0]}: leave it out")
    first = next((named[port.name] for port in ports if port.spatial and port.name in named), image)
    size = (1, 1, 1) if first is None else (len(first), first.shape[-2], first.shape[-1])
    return [_input(port, file, image, named.get(port.name), size, generator) for port in ports]


def _input(
    port: Port, file: Path, image: Image | None, chosen: Tensor | None, size: Size, generator: torch.Generator
) -> Tensor:
    drawn = port.kind in ("latent", "noise")
    if chosen is None and port.kind in ("photo", "luminance") and image is not None:
        chosen = image if port.channels == 3 else _luma(image)
        chosen = chosen + port.noise * torch.randn(chosen.shape, generator=generator) if port.noise else chosen
    if chosen is None and not drawn:
        raise LimnerError(f"{file} takes {port.name}, a {port.kind.replace('_', ' ')}: give it")
    if chosen is None:
        return random_inputs((port,), size, generator)[0]
    if (chosen.dim(), chosen.shape[1:2]) != (len(port.shape(1, 1, 1)), torch.Size(port.shape(1, 1, 1)[1:2])):
        expected = ", ".join(["n", *map(str, port.shape(1, 1, 1)[1:2]), *["h", "w"] * port.spatial])
        came = ", ".join(map(str, chosen.shape))
        raise LimnerError(f"{port.name} of {file} is a tensor of ({expected}), got ({came}): give it another shape")
    return chosen.to(port.dtype)


def _luma(image: Image) -> Tensor:
    return torch.einsum("nchw,c->nhw", image, torch.tensor(_LUMA))[:, None]
