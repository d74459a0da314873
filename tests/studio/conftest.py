"""A service on a port of its own, with two small models, and pictures to send."""

import io
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

pytest.importorskip("fastapi")
pytest.importorskip("uvicorn")
pytest.importorskip("python_multipart")

import httpx
import numpy as np
from PIL import Image
from tests.segmenters import bright_parts

from limner.catalog.models import build_product
from limner.files.weights import Header, save_weights
from limner.systems.adversarial.pix2pix import MODERN

COLORS = ((0, 0, 0), (200, 30, 30))
STYLED = {
    "side": 16, "channels": 3, "latent_channels": 6, "mapping_layers": 2, "channels_at_64": 2, "most_channels": 8,
    "growth": {"phase_share": 0},
}  # fmt: skip
_SECONDS = 120


@dataclass
class Service:
    """A service that runs, and a client of it."""

    process: subprocess.Popen
    address: str
    folder: Path
    client: httpx.Client

    def end(self, number: int = signal.SIGINT) -> None:
        """Send a signal, and wait for the end."""
        self.process.send_signal(number)
        self.process.wait(60)
        self.client.close()


def png(width: int = 24, height: int = 16, seed: int = 0, mode: str = "RGB") -> bytes:
    """A small picture of chance."""
    channels = {"RGB": 3, "L": 1, "RGBA": 4}[mode]
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, channels), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels.squeeze()).save(file, "PNG")
    return file.getvalue()


def drawing(side: int = 64) -> bytes:
    """A label picture of two classes."""
    pixels = np.zeros((side, side, 3), np.uint8)
    pixels[: side // 2] = COLORS[1]
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def write_models(folder: Path) -> None:
    """`facades` translates label pictures of two classes, `bright` segments, `styled` generates; they know nothing."""
    folder.mkdir(exist_ok=True)
    small = {"base_channels": 4, "discriminator_channels": 4, "num_downs": 4}
    classes = {"class_names": ("wall", "door"), "class_colors": COLORS}
    values = MODERN.model_copy(update={**small, **classes}).model_dump(mode="json")
    torch.manual_seed(0)
    state = build_product("pix2pix", values).state_dict()
    save_weights(folder / "facades.safetensors", state, Header(system="pix2pix", config=values))
    state = build_product("stylegan", STYLED).state_dict()
    save_weights(folder / "styled.safetensors", state, Header(system="stylegan", config=STYLED))
    bright_parts(folder / "bright.safetensors", 3)
    (folder / "stranger.safetensors").write_bytes(b"no weights")
    (folder / "bright.toml").write_text("of = 'another program'")


def begin(folder: Path, *options: str, command: str = "studio", paths: str = "") -> Service:
    """Start a service and wait until it answers; `paths` come before others that modules are found on."""
    own = ["--no-browser"] if command == "studio" else []
    found_on = os.pathsep.join(filter(None, [paths, os.environ.get("PYTHONPATH", "")]))
    environment = {
        **os.environ,
        "PYTHONPATH": found_on,
        "OMP_NUM_THREADS": "1",
        "XDG_CACHE_HOME": str(folder / "cache"),
    }
    log = (folder.parent / f"{folder.name}.log").open("w+")
    process = subprocess.Popen(
        [
            sys.executable, "-m", "limner", command, "--port", "0", "--folder", str(folder), "--threads", "1", *own,
            *options,
        ],
        stderr=log, env=environment, start_new_session=True,
    )  # fmt: skip
    while True:
        log.seek(0)
        if found := re.search(r"http://\S+/", log.read()):
            break
        assert process.poll() is None, log.seek(0) or log.read()
        try:
            process.wait(0.1)
        except subprocess.TimeoutExpired:
            continue

    def named_nowhere(answer: httpx.Response) -> None:
        """No answer names the folder in which the service and its models lie."""
        if answer.headers.get("content-type") == "application/json":
            assert str(folder.parent) not in answer.read().decode(), answer.text

    client = httpx.Client(base_url=found[0], timeout=_SECONDS, event_hooks={"response": [named_nowhere]})
    return Service(process, found[0], folder, client)


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One for all tests that do not end it."""
    place = tmp_path_factory.mktemp("studio")
    write_models(place / "models")
    found = begin(place / "data", "--model", str(place / "models"))
    yield found
    found.end()


@pytest.fixture
def api(service: Service) -> httpx.Client:
    """A client of that service."""
    return service.client


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Callable[..., Service]]:
    """Starts services of a test's own, and ends those that it does not end itself."""
    begun: list[Service] = []

    def start(folder: Path, *options: str, **named: str) -> Service:
        begun.append(begin(folder, *options, **named))
        return begun[-1]

    yield start
    for one in begun:
        if one.process.poll() is None:
            one.end(signal.SIGKILL)
