"""The table of distorted digits, and the animation of digits that are straightened."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image as PillowImage

from limner.data.distorted import DistortedConfig
from limner.experiments.distorted_digits import CANVASES, PUBLISHED, Case, error, networks, table
from limner.experiments.straightened_digits import frame, moved
from limner.systems.feedforward.spatial_transformer import SpatialTransformer, SpatialTransformerConfig


def test_networks_of_one_kind_have_equally_many_weights() -> None:
    for distortion in CANVASES:
        sizes: dict[str, list[int]] = {}
        for name, config in networks(distortion).items():
            kind = "CNN" if "CNN" in name else "FCN"
            sizes.setdefault(kind, []).append(sum(one.numel() for one in SpatialTransformer(config).parameters()))
        assert all(max(found) < 1.1 * min(found) for found in sizes.values()), sizes
    assert "ST-FCN thin plate" in networks("elastic")
    assert list(networks("rotation", "FCN")) == ["FCN", "ST-FCN affine"]


def test_an_error_is_a_percentage_of_the_held_out(tmp_path: Path) -> None:
    sheet = np.zeros((20, 40), np.uint8)
    sheet[5:15, 8:10], sheet[8:10, 25:35] = 255, 255
    PillowImage.fromarray(sheet).save(tmp_path / "sheet.png")
    pictures = DistortedConfig(tile=20, num_classes=2, copies=8, distortion="elastic", canvas=28).load(
        tmp_path / "sheet.png"
    )
    small = SpatialTransformerConfig(
        transformation="none", classifier="fully connected", kilo_parameters=20, side=28, num_classes=2
    )
    assert error(small, Case("elastic", pictures, pictures), steps=100, batch=8, seed=0) == 0


def test_the_table_has_means_and_deviations_and_what_a_transformer_leaves_beside_the_papers() -> None:
    found = table({("rotation", "FCN"): [1.0, 3.0], ("rotation", "ST-FCN affine"): [0.5]}, 10)
    assert found.markdown()[2:] == [
        "| rotation | FCN | 2.00 ± 1.41 |  | 2 | 2.1 |  |",
        "| rotation | ST-FCN affine | 0.50 ± 0.00 | 0.25 | 1 | 1.2 | 0.57 |",
    ]


def test_all_networks_have_an_error_that_was_published() -> None:
    assert {one: [*networks(one)] for one in CANVASES} == {one: [*found] for one, found in PUBLISHED.items()}


def test_a_round_ends_where_it_begins() -> None:
    digits = torch.rand(3, 1, 28, 28)
    torch.testing.assert_close(moved(digits, 0.0, 42), moved(digits, 1.0, 42), atol=1e-3, rtol=0)
    assert (moved(digits, 0.0, 42) - moved(digits, 0.5, 42)).abs().max() > 0.3
    torch.manual_seed(0)
    system = SpatialTransformer(SpatialTransformerConfig(kilo_parameters=3, localisation=4)).eval()
    assert frame(system, moved(digits, 0.2, 42)).shape == (1, 3, 2 * 2 * 44, 2 * 3 * 44)
