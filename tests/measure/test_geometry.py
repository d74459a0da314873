"""What systems that move pixels are worth, counted by hand."""

from pathlib import Path

import pytest
import torch
from tests.kit_data import write_gazes

from limner.data.distorted import DistortedPictures
from limner.data.gazes import GazesConfig
from limner.data.labelled import LabelledPictures
from limner.files.weights import Header, save_weights
from limner.measure.geometry import redirection, straightening, wrong_share
from limner.systems.feedforward.deep_warp import DeepWarp, DeepWarpConfig
from limner.systems.feedforward.spatial_transformer import SpatialTransformer, SpatialTransformerConfig


class Constant(SpatialTransformer):
    """Sees a two in bright pictures and a one in dark ones."""

    def forward(self, image):
        bright = image.mean((1, 2, 3)) > 0.5
        scores = torch.zeros(len(image), 10)
        scores[bright, 2], scores[~bright, 1] = 1.0, 1.0
        return super().forward(image)._replace(scores=scores)


SMALL = SpatialTransformerConfig(kilo_parameters=3, localisation=4)


def test_the_share_of_wrong_classes_by_hand():
    images = torch.zeros(6, 1, 42, 42, dtype=torch.uint8)
    images[:2] = 255
    labels = torch.tensor([2, 1, 1, 1, 2, 7])
    assert wrong_share(Constant(SMALL).eval(), DistortedPictures(images, labels)) == pytest.approx(3 / 6)


def test_each_distortion_has_its_row(tmp_path: Path):
    torch.manual_seed(0)
    places = []
    for name in ("one", "two"):
        places.append(str(tmp_path / f"{name}.safetensors"))
        header = Header(system="spatial-transformer", config=SMALL.model_dump())
        save_weights(Path(places[-1]), dict(SpatialTransformer(SMALL).state_dict()), header)
    pictures = LabelledPictures(torch.randint(0, 255, (8, 1, 28, 28)).to(torch.uint8), torch.arange(8))
    (table,) = straightening(places, pictures).tables
    assert [row.case for row in table.rows[:6]] == [
        "none", "rotation", "similarity", "projective", "elastic", "clutter",
    ]  # fmt: skip
    assert [row.method for row in table.rows] == ["one"] * 6 + ["two"] * 6
    assert all(0 <= row.figures["wrong"] <= 100 for row in table.rows)


def test_a_network_that_moves_nothing_is_as_good_as_a_copy(tmp_path: Path):
    write_gazes(tmp_path / "eyes")
    config = DeepWarpConfig(widths=(4, 6, 6, 6), lightness=False, scales=1)
    system = DeepWarp(config)
    with torch.no_grad():
        system.warper.fine.last.weight.zero_()
        system.warper.fine.last.bias.zero_()
    model = tmp_path / "still.safetensors"
    save_weights(model, dict(system.state_dict()), Header(system="deep-warp", config=config.model_dump(mode="json")))
    pairs = GazesConfig(augment=False).load(tmp_path / "eyes")
    (table,) = redirection([str(model)], pairs).tables
    (still, copy) = table.rows
    assert (still.case, still.method, copy.method) == ("20 to 30 degrees", "still", "copy")
    apart = pairs.draw(0, torch.Generator().manual_seed(0))
    expected = 1e3 * (apart.image - apart.target).square().mean().item()
    assert copy.figures["mse"] == pytest.approx(expected, rel=1e-4)
    assert still.figures["mse"] == pytest.approx(expected, rel=1e-3)
