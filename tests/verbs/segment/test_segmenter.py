"""Classes that are known beforehand, eight positions one by one, and pictures of any size."""

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from tests.segmenters import COLORS, NAMES, bright_parts, of_chance

from limner.catalog.models import load
from limner.errors import LimnerError
from limner.ops.framing import extended
from limner.runtime.run_options import RunOptions
from limner.systems.segmentation.unet import MODERN, UNetConfig
from limner.verbs.segment.segmenter import Segmenter, probabilities

EXACT = RunOptions(device="cpu", precision="exact", backend="torch")
FAR = MODERN.model_copy(update={"channels": 4, "depth": 2, "num_classes": 3})


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (7, 2), (33, 50)])
@pytest.mark.parametrize("channels", [1, 3])
def test_bright_pixels_are_found_in_pictures_of_any_size(tmp_path: Path, size: tuple[int, int], channels: int) -> None:
    torch.manual_seed(1)
    gray = torch.randint(0, 2, size) * 0.5 + 0.2  # 0.2 or 0.7
    segmenter = Segmenter(bright_parts(tmp_path / "a.safetensors", channels), EXACT)
    found = segmenter.segment(gray.expand(1, 3, -1, -1))
    assert np.array_equal(found.labels, (gray > 0.5).numpy())
    assert (found.names, found.colors) == (NAMES, COLORS)
    expected = torch.sigmoid(torch.where(gray > 0.5, torch.tensor(10 * 0.4), torch.tensor(0.0)) - 0.001)
    np.testing.assert_allclose(found.probabilities[1], expected.numpy(), atol=1e-5)
    np.testing.assert_allclose(found.probabilities.sum(0), 1, atol=1e-6)


def test_a_network_of_gray_sees_the_mean_of_the_channels(tmp_path: Path) -> None:
    segmenter = Segmenter(bright_parts(tmp_path / "a.safetensors"), EXACT)
    image = torch.rand(1, 3, 8, 8)
    assert np.array_equal(segmenter.segment(image).labels, (image[0].mean(0) > 0.5).numpy())


def test_eight_positions_one_by_one(tmp_path: Path) -> None:
    system, _ = load(of_chance(tmp_path / "a.safetensors", FAR))
    image, total = torch.rand(1, 1, 28, 24), torch.zeros(1, 3, 28, 24)
    for transposed in (False, True):
        for down in (False, True):
            for across in (False, True):
                flips = [axis for axis, wanted in ((2, down), (3, across)) if wanted]
                seen = (image.mT if transposed else image).flip(flips)
                back = system(seen).softmax(1).flip(flips).detach()
                total += back.mT if transposed else back
    found = probabilities(system, system.inputs, image, views=True)
    torch.testing.assert_close(found, total / 8)
    turned = probabilities(system, system.inputs, image.rot90(1, (2, 3)).flip(2), views=True)
    torch.testing.assert_close(turned, found.rot90(1, (2, 3)).flip(2))


@pytest.mark.parametrize("views", [False, True])
@pytest.mark.parametrize("valid", [False, True])
def test_a_large_picture_in_parts_is_the_picture_whole(tmp_path: Path, valid: bool, views: bool) -> None:
    model = of_chance(tmp_path / "a.safetensors", FAR.model_copy(update={"valid": valid}))
    image = torch.rand(1, 3, 130, 203)  # no multiple of four
    whole = Segmenter(model, EXACT, views=views).segment(image)
    done: list[tuple[int, int]] = []
    options = RunOptions(device="cpu", precision="exact", backend="torch", tile=56)
    parts = Segmenter(model, options, views=views).segment(image, lambda *step: done.append(step))
    np.testing.assert_allclose(parts.probabilities, whole.probabilities, atol=1e-5)
    assert whole.probabilities.std() > 0.01
    assert (parts.labels != whole.labels).mean() < 1e-3  # where two are equally probable
    assert done[-1][0] == done[-1][1] > 1


def test_what_is_added_at_the_borders_is_the_mirror_image() -> None:
    image = torch.rand(1, 2, 5, 4)
    assert torch.equal(extended(image, 4, 3), F.pad(image, (0, 3, 0, 4), mode="reflect"))
    far = extended(image, 20, 13)
    expected = torch.from_numpy(np.pad(image.numpy(), ((0, 0), (0, 0), (0, 20), (0, 13)), mode="reflect"))
    assert torch.equal(far, expected)
    assert extended(image[..., :1], 0, 3).unique(dim=3).shape[3] == 1


def test_names_and_colours_that_a_model_lacks_are_made_up(tmp_path: Path) -> None:
    segmenter = Segmenter(of_chance(tmp_path / "a.safetensors", FAR), EXACT)
    assert segmenter.names == ("class 0", "class 1", "class 2")
    assert segmenter.colors == ((0, 0, 0), (230, 159, 0), (86, 180, 233))


def test_models_that_do_something_else_are_refused(tmp_path: Path) -> None:
    with pytest.raises(LimnerError, match=r"vdsr is a vdsr, for limner upscale, not for segment"):
        Segmenter("vdsr")
    model = of_chance(tmp_path / "a.safetensors", UNetConfig(channels=2, depth=1, in_channels=4))
    with pytest.raises(LimnerError, match=r"takes pictures of 4 channels, got 3: name another model"):
        Segmenter(model, EXACT).segment(torch.rand(1, 3, 40, 40))
