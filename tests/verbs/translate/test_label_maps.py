"""Label pictures by systems that make several photos of one, or take the style of another."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

from limner.catalog.models import build_product
from limner.errors import LimnerError
from limner.files.weights import Header, save_weights
from limner.layers.spectral import Spectral
from limner.runtime.run_options import RunOptions
from limner.verbs.translate.translator import Translator

EXACT = RunOptions(device="cpu", precision="exact")
COLORS = torch.tensor([(255, 0, 0), (0, 255, 0), (10, 20, 200)])
LABELS = {"num_classes": 3, "class_names": ["red", "green", "blue"], "class_colors": COLORS.tolist()}
CRN = {"channels": [4, 4], "choices": 2}
SPADE = {
    "base_channels": 2, "hidden_channels": 4, "norm": "instance", "style": "everywhere", "latent_channels": 5,
    "encoder_side": 64, "encoder_channels": 2,
}  # fmt: skip


def saved(folder: Path, system: str, config: Mapping[str, Any]) -> str:
    torch.manual_seed(0)
    values = {**LABELS, **config}
    save_weights(
        folder / "a.safetensors", build_product(system, values).state_dict(), Header(system=system, config=values)
    )
    return str(folder / "a.safetensors")


def painted(height: int, width: int) -> tuple[torch.Tensor, torch.Tensor]:
    """A label picture (1, 3, h, w) in [0, 1] and its numbers (1, 1, h, w)."""
    numbers = torch.randint(3, (1, 1, height, width))
    return COLORS[numbers[:, 0]].permute(0, 3, 1, 2) / 255, numbers


def test_all_choices_stand_side_by_side(tmp_path: Path) -> None:
    model, (picture, numbers) = saved(tmp_path, "crn", CRN), painted(10, 12)
    first, both = Translator(model, EXACT).translate(picture), Translator(model, EXACT, choices=True).translate(picture)
    assert (first.shape, both.shape) == ((1, 3, 10, 12), (1, 3, 10, 24))
    with torch.inference_mode():
        expected = Translator(model, EXACT).runner.system(numbers)
    torch.testing.assert_close(both, torch.cat(expected, -1).clamp(0, 1))
    torch.testing.assert_close(both[..., :12], first)
    with pytest.raises(LimnerError, match="makes one picture of each: leave out choices"):
        Translator(saved(tmp_path, "crn", {**CRN, "choices": 1}), EXACT, choices=True)


def test_a_result_takes_the_style_of_a_photo(tmp_path: Path) -> None:
    model, (picture, numbers), photo = saved(tmp_path, "spade", SPADE), painted(64, 96), torch.rand(1, 3, 70, 50)
    styled = Translator(model, EXACT, style=photo)
    made = styled.translate(picture)
    system: Any = styled.runner.system
    with torch.inference_mode():
        expected = system(numbers, system.style_of(photo))
    torch.testing.assert_close(made, expected, atol=1e-5, rtol=1e-4)
    assert torch.equal(made, styled.translate(picture, seed=5))  # nothing is drawn
    assert not torch.equal(made, Translator(model, EXACT).translate(picture))
    with pytest.raises(LimnerError, match="knows no styles: leave the photo of a style out"):
        Translator(saved(tmp_path, "crn", CRN), EXACT, style=photo)


def test_large_label_maps_are_run_in_exact_parts(tmp_path: Path) -> None:
    model, (picture, _) = saved(tmp_path, "spade", SPADE), painted(128, 192)
    whole = Translator(model, EXACT).translate(picture)
    tiled = Translator(model, RunOptions(device="cpu", precision="exact", tile=64)).translate(picture)
    torch.testing.assert_close(tiled, whole, atol=1e-5, rtol=1e-4)


def test_no_power_iteration_is_left_at_work(tmp_path: Path) -> None:
    system: Any = build_product("spade", {**LABELS, **SPADE}).eval()
    states = [module.u.clone() for module in system.modules() if isinstance(module, Spectral)]
    assert states
    with torch.inference_mode():
        system(painted(64, 64)[1], torch.zeros(1, 5))
    after = [module.u for module in system.modules() if isinstance(module, Spectral)]
    assert all(torch.equal(one, other) for one, other in zip(states, after, strict=True))
