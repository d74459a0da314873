"""The Python blocks of the documents run, on small pictures and for a few steps."""

import ast
import functools
import importlib
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.documented import Block, blocks

import limner

BLOCKS = [one for one in blocks("python") if one.page.name not in ("studio.md", "hub.md", "import.md")]
"""tests/studio runs those of the studio, tests/importers imports; those of the Hub need one."""
OPTIMISED = ("restore", "invert", "imagine")
NEEDS = {"video.md": "av", "video-style.md": "av", "export.md": "onnxruntime", "segmentation.md": "av"}


@pytest.fixture
def few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """What optimises a picture makes two steps, and so do the settings of the deep image prior's paper."""
    for name in OPTIMISED:
        monkeypatch.setattr(limner, name, functools.partial(getattr(limner, name), steps=2))
    monkeypatch.setattr(limner, "stylize_video", functools.partial(limner.stylize_video, preset="quick"))
    prior = importlib.import_module("limner.systems.optimize.deep_image_prior")
    loop = prior.DENOISE_2018.optimize.model_copy(update={"steps": 2})
    monkeypatch.setattr(prior, "DENOISE_2018", prior.DENOISE_2018.model_copy(update={"optimize": loop}))


def given() -> dict[str, object]:
    """What the blocks speak of without making it."""
    chance = np.random.default_rng(0)
    pixels = chance.integers(0, 256, (64, 72, 3), dtype=np.uint8)
    image = torch.from_numpy(pixels).permute(2, 0, 1)[None] / 255
    return {
        "limner": limner, "array": pixels, "mask": pixels[..., 0] > 250, "image": image, "noisy": image, "torn": image,
        "known": (image[:, :1] < 0.9).float(), "height": 64, "width": 72,
    }  # fmt: skip


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_a_block_runs(block: Block, desk: Path, few_steps: None) -> None:
    if (needed := NEEDS.get(block.page.name)) and not find_spec(needed):
        pytest.skip(f"no {needed} here")
    exec(compile(block.text, str(block), "exec"), given())


def test_what_a_block_takes_from_below_is_in_the_reference() -> None:
    from generate import PARTS

    taken = {
        (node.module, name.name)
        for block in BLOCKS
        for node in ast.walk(ast.parse(block.text))
        if isinstance(node, ast.ImportFrom)
        for name in node.names
        if not name.name.isupper()  # a constant, which its module shows
    }
    assert taken
    assert not {(module, name) for module, name in taken if name not in PARTS.get(str(module), ())}
