from pathlib import Path

import pytest
import torch

from limner.catalog.models import build_product
from limner.data.pairs import Pair
from limner.errors import LimnerError
from limner.files.weights import Header, save_weights
from limner.measure.cycles import cycle_report


def saved(path: Path, system: str, config: dict) -> str:
    product = build_product(system, config)
    with torch.no_grad():
        for parameter in product.parameters():
            parameter.zero_()
    save_weights(path, product.state_dict(), Header(system=system, config=config))
    return str(path)


def test_figures_of_both_ways(tmp_path: Path) -> None:
    """Of generators that paint all gray, 0.5: from 0.8 to what should be 0.4, and back."""
    config = {"base_channels": 2, "num_blocks": 1, "domains": ["dark", "light"]}
    model = saved(tmp_path / "a.safetensors", "cyclegan", config)
    pairs = [Pair(torch.full((3, 16, 16), 0.8), torch.full((3, 16, 16), 0.4))] * 2
    report = cycle_report(model, pairs, side=8)
    known = report.metrics["true counterparts"]
    assert list(known) == ["dark to light", "light to dark"]
    there = known["dark to light"]
    assert (there["l1"], there["source_l1"]) == pytest.approx((0.1, 0.4), abs=1e-4)
    assert (there["psnr"], there["source_psnr"]) == pytest.approx((20, 7.96), abs=0.01)
    assert there["source_vgg"] == known["light to dark"]["source_vgg"] >= 0
    cycles = report.metrics["cycles"]
    assert cycles["dark to light"]["plain"] == pytest.approx(0.3, abs=1e-4)
    assert cycles["light to dark"]["plain"] == pytest.approx(0.1, abs=1e-4)
    assert cycles["light to dark"]["rounded"] == pytest.approx(0.1, abs=1e-4)
    assert cycles["light to dark"]["likeness"] == pytest.approx(0, abs=1e-3)


def test_a_model_of_one_way_is_refused(tmp_path: Path) -> None:
    model = saved(tmp_path / "a.safetensors", "pix2pix", {"base_channels": 2, "num_downs": 4})
    with pytest.raises(LimnerError, match="translates one way alone: name one that translates both ways"):
        cycle_report(model, [], side=8)
