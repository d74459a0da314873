"""Jaderberg et al. 2015: equal numbers of weights, a start at the identity, and what a transformer learns."""

import itertools
from pathlib import Path

import pytest
import torch
from torch import nn

from limner.data.distorted import Distorted
from limner.files.weights import Header
from limner.loops.checkpoint import seed_everything
from limner.loops.fit import FitConfig, fit
from limner.loops.optimizers import OptimizerConfig
from limner.runtime.export import write_export
from limner.runtime.exported import open_exported
from limner.systems.feedforward.spatial_transformer import SpatialTransformer, SpatialTransformerConfig

KINDS = list(
    itertools.product(
        ("none", "affine", "projective", "thin plate"), ("convolutional", "fully connected"), (28, 42, 60)
    )
)


@pytest.mark.parametrize(("transformation", "classifier", "side"), KINDS)
def test_networks_with_and_without_a_transformer_have_equally_many_weights(transformation, classifier, side):
    """Within one channel or unit of the classifier, the step in which they can grow."""
    config = SpatialTransformerConfig(transformation=transformation, classifier=classifier, side=side, pool=2)
    system = SpatialTransformer(config)
    assert sum(one.numel() for one in system.parameters()) == pytest.approx(400_000, rel=0.02)


@pytest.mark.parametrize("transformation", ["affine", "projective", "thin plate"])
@pytest.mark.parametrize("classifier", ["convolutional", "fully connected"])
def test_it_begins_about_straight(transformation, classifier):
    torch.manual_seed(0)
    config = SpatialTransformerConfig(transformation=transformation, classifier=classifier, kilo_parameters=20)
    system = SpatialTransformer(config)
    rows, columns = torch.arange(42.0)[:, None], torch.arange(42.0)
    image = ((rows / 6).sin() * (columns / 7).cos() / 4 + 0.5).expand(2, 3, 42, 42)
    inside = (..., slice(2, -2), slice(2, -2))
    assert (system(image).image - image)[inside].abs().max() < 0.1


def test_theta_leads_from_the_straight_picture_to_the_one_that_lies():
    """A turn by a quarter and half the size, by hand: x of the source is -y / 2 of the target."""
    system = SpatialTransformer(SpatialTransformerConfig(kilo_parameters=20))
    theta = torch.tensor([[0.0, -0.5, 0.0, 0.5, 0.0, 0.0]])
    places = system.places(theta, (5, 5))[0]
    assert places[:, 0, 0].tolist() == [3.0, 1.0]
    assert places[:, 4, 2].tolist() == [1.0, 2.0]


def test_a_picture_is_straightened_at_its_own_size():
    torch.manual_seed(0)
    system = SpatialTransformer(SpatialTransformerConfig(kilo_parameters=20)).eval()
    with torch.no_grad():
        last = system.localisation[-1]
        assert isinstance(last, nn.Linear)
        last.weight.zero_()
        last.bias.copy_(torch.tensor([-1.0, 0, 0, 0, -1, 0]))
    image = torch.rand(1, 3, 50, 80)
    torch.testing.assert_close(system(image).image, image.flip(-1, -2), atol=1e-4, rtol=0)


def test_a_side_that_is_too_small_is_one_line():
    with pytest.raises(ValueError, match="side"):
        SpatialTransformerConfig(side=20)


class Bars:
    """A bar that lies or stands, at one of two far corners; its class is how it lies."""

    def __len__(self):
        return 4

    def draw(self, index, rng):
        image = torch.zeros(3, 28, 28)
        label, corner = index % 2, 18 * (index // 2)
        rows, columns = (slice(corner, corner + 8), slice(corner + 3, corner + 5))[:: 1 - 2 * label]
        image[:, rows, columns] = 1
        return Distorted(image, torch.tensor(label))


def test_classes_alone_teach_it_to_look_at_what_matters():
    """The localisation net learns, though nothing tells it where the bar is."""
    seed_everything(0)
    config = SpatialTransformerConfig(classifier="fully connected", kilo_parameters=30, side=28, num_classes=2)
    system = SpatialTransformer(config)
    before = system.found(torch.stack([Bars().draw(one, None).image[:1] for one in range(4)])).detach()
    training = FitConfig(steps=60, batch_size=4, optimizer=OptimizerConfig(learning_rate=2e-3))
    trained = fit(system, Bars(), training).system
    assert isinstance(trained, SpatialTransformer)
    images = torch.stack([Bars().draw(one, None).image for one in range(4)])
    assert trained(images).scores.argmax(1).tolist() == [0, 1, 0, 1]
    assert (trained.found(images[:, :1]) - before).abs().max() > 0.01


@pytest.mark.parametrize("transformation", ["affine", "projective", "thin plate"])
def test_it_is_exported_for_any_size(tmp_path: Path, transformation: str) -> None:
    for library in ("onnx", "onnxscript", "onnxruntime"):
        pytest.importorskip(library)
    config = SpatialTransformerConfig(
        transformation=transformation, classifier="fully connected", kilo_parameters=20, localisation=8
    )
    system = SpatialTransformer(config).eval()
    header = Header(system="spatial-transformer", config=config.model_dump())
    written = write_export(system, header, tmp_path / "a.onnx", "onnx")
    assert written.max_difference < 1e-4
    image = torch.rand(1, 3, 50, 37)
    with torch.inference_mode():
        found, expected = open_exported(written.files[0], precision="exact").engine(image), system(image)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-4)
