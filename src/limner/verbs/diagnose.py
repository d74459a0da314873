"""What this machine has, what pays on it, and what is broken: the findings of `limner doctor`."""

import importlib.metadata
import platform
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import NamedTuple

import torch

from limner.catalog.models import embedded, load
from limner.errors import LimnerError
from limner.files.cards import read_card
from limner.files.weights import sha256
from limner.memory import free_bytes
from limner.processor import bfloat16_pays, processor_class, processor_name
from limner.runtime.device import choose_device, usable_threads

_PATIENCE = 60  # seconds for an import in another process
_NOT_LISTED = ("all", "dev", "docs")
_REQUIREMENT = re.compile(r"""([\w.-]+).*extra\s*==\s*['"]([\w-]+)['"]""")


class Finding(NamedTuple):
    """One fact, and what to do about it."""

    topic: str
    name: str
    value: str
    mend: str = ""
    """What would make it better, as one line; empty where nothing is to be done."""
    is_broken: bool = False
    """Whether something does not work that should; what is merely not installed is not broken."""


def diagnose() -> Iterator[Finding]:
    """Everything that is worth knowing, the quick things first; takes some seconds."""
    yield from _software()
    yield from _machine()
    yield from _devices()
    yield from _extras()
    yield _torchvision()
    yield from _weights()


def _software() -> Iterator[Finding]:
    yield Finding("software", "Python", f"{platform.python_version()} at {sys.executable}")
    for name in ("limner", "torch", "numpy", "pillow"):
        yield Finding("software", name, _version(name) or "not installed as a package")


def _version(distribution: str) -> str | None:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def _machine() -> Iterator[Finding]:
    yield Finding("machine", "system", platform.platform(terse=True))
    yield Finding("machine", "processor", f"{processor_name()}: {processor_class()}")
    yield Finding("machine", "cores", f"{usable_threads()} usable, torch takes {torch.get_num_threads()}")
    yield Finding("machine", "memory", f"{free_bytes() / 2**30:.1f} GiB available")


def _devices() -> Iterator[Finding]:
    gpus = [torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())]
    gpus += ["Apple GPU"] * torch.backends.mps.is_available()
    yield Finding("device", "GPU", ", ".join(gpus) or "none")
    device = choose_device()
    yield Finding("device", "taken by auto", str(device))
    if not bfloat16_pays(device):
        yield Finding("device", "bfloat16", f"no gain on this {device.type}: --precision fast is float32 here")
        return
    gain = bfloat16_gain(device)
    verdict = "it pays" if gain > 1.1 else "it does not pay: --precision exact is as fast"
    yield Finding("device", "bfloat16", f"{gain:.1f} times as fast as float32 in a convolution: {verdict}")


def bfloat16_gain(device: torch.device, *, side: int = 192, repeats: int = 3) -> float:
    """How many times faster a convolution of 64 channels is in bfloat16 than in float32: the best of a few runs.

    Args:
        device: Where.
        side: Of the picture, in pixels.
        repeats: Runs of each kind, after one that does not count.
    """
    seconds = {torch.float32: float("inf"), torch.bfloat16: float("inf")}
    with torch.inference_mode():
        for dtype in seconds:
            layout = {"device": device, "dtype": dtype, "memory_format": torch.channels_last}
            layer = torch.nn.Conv2d(64, 64, 3, padding=1).to(**layout)  # type: ignore[call-overload]
            image = torch.rand(1, 64, side, side).to(**layout)  # type: ignore[call-overload]
            for run in range(repeats + 1):
                start = time.perf_counter()
                layer(image).float().mean().item()  # item() waits for a GPU
                if run:
                    seconds[dtype] = min(seconds[dtype], time.perf_counter() - start)
    return seconds[torch.float32] / seconds[torch.bfloat16]


def _extras() -> Iterator[Finding]:
    """What each extra of the package needs, as its own metadata says."""
    extras: dict[str, list[str]] = {}
    for requirement in importlib.metadata.requires("limner") or []:
        if found := _REQUIREMENT.match(requirement):
            extras.setdefault(found[2], []).append(found[1])
    for extra, packages in extras.items():
        if extra in _NOT_LISTED:
            continue
        missing = [package for package in packages if _version(package) is None]
        if missing:
            yield Finding(
                "extras", extra, f"lacks {', '.join(missing)}", f"pip install '.[{extra}]' in the folder of Limner"
            )
        else:
            yield Finding("extras", extra, "installed")


def _torchvision() -> Finding:
    if (version := _version("torchvision")) is None:
        return Finding("extras", "torchvision", "not installed; Limner does not need it")
    if imports("torch, torchvision; torchvision.ops.nms"):
        return Finding("extras", "torchvision", f"{version}; Limner does not need it")
    return Finding(
        "extras",
        "torchvision",
        f"{version} is installed and cannot be imported beside this torch, which breaks other libraries too",
        "pip uninstall torchvision",
        is_broken=True,
    )


def imports(modules: str) -> bool:
    """Whether `import <modules>` goes well in a Python of its own: a crash or a hang there does no harm here."""
    try:
        done = subprocess.run([sys.executable, "-c", f"import {modules}"], capture_output=True, timeout=_PATIENCE)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def _weights() -> Iterator[Finding]:
    again = "pip install --force-reinstall . in the folder of Limner"
    if not embedded():
        yield Finding("weights", "built in", "none", again, is_broken=True)
    for name, path in embedded().items():
        card = path.with_suffix(".toml")
        try:
            load(name)
            if not card.is_file():
                yield Finding("weights", name, "loads; has no card")
            elif read_card(card).weights_sha256 == sha256(path):
                yield Finding("weights", name, "loads; is the file of its card")
            else:
                yield Finding("weights", name, "is not the file that its card describes", again, is_broken=True)
        except LimnerError as error:
            yield Finding("weights", name, str(error), again, is_broken=True)
