from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as PillowImage
from tests.segmenters import bright_parts

from limner.data.label_maps import LabelMapsConfig
from limner.data.pairs import PairsConfig
from limner.errors import LimnerError
from limner.measure.translation import (
    SEG_SCORE,
    TRANSLATION_RGB,
    TRANSLATION_VGG,
    Sample,
    translation_diversity,
    translation_report,
    translation_samples,
)
from limner.runtime.run_options import RunOptions
from limner.verbs.segment.segmenter import Segmenter

LABEL = torch.zeros(16, 16, dtype=torch.long)
LABEL[2:10, 4:12] = 1


def test_figures_stand_beside_those_of_the_source() -> None:
    """From 0.8, half is 0.4, and 0.6 is wanted: an error of 0.2, which is 13.98 dB, as of the source itself."""
    samples = [Sample((torch.full((1, 3, 16, 16), 0.8),), torch.full((1, 3, 16, 16), 0.6))] * 2
    report = translation_report({"half": lambda one: one.given[0] / 2}, samples, distance=True)
    ((case, figures),) = report.metrics[TRANSLATION_RGB].items()
    assert case == "2 pictures at 16"
    assert figures["l1"] == pytest.approx(0.2)
    assert figures["psnr"] == pytest.approx(13.979, abs=1e-3)
    assert figures["source_psnr"] == pytest.approx(13.979, abs=1e-3)
    assert 0 < figures["ssim"] < figures["source_ssim"] < 1
    (distances,) = report.metrics[TRANSLATION_VGG].values()
    assert distances["vgg_distance"] > distances["source_vgg_distance"] > 0


def test_seg_score_by_hand(tmp_path: Path) -> None:
    """The segmenter finds what is bright. Of 256 pixels 64 are bright in truth; the system draws half of those."""
    segmenter = Segmenter(bright_parts(tmp_path / "b.safetensors"), RunOptions(device="cpu", precision="exact"))
    real = LABEL.float().expand(1, 3, -1, -1) * 0.8
    half = real.clone()
    half[..., 8:] = 0
    samples = [Sample((LABEL[None, None],), real, LABEL)]
    report = translation_report({"half": lambda one: half}, samples, segmenter=segmenter)
    ((_, figures),) = report.metrics[SEG_SCORE].items()
    assert figures["pixel_accuracy"] == pytest.approx(224 / 256)
    assert figures["class_accuracy"] == pytest.approx((1 + 0.5) / 2)
    assert figures["class_iou"] == pytest.approx((192 / 224 + 0.5) / 2, abs=1e-4)
    assert figures["real pictures_pixel_accuracy"] == 1
    assert "source_psnr" not in report.metrics[TRANSLATION_RGB]["1 pictures at 16"]
    with pytest.raises(LimnerError, match="tells 2 classes apart, and the label maps have 8"):
        translation_report({}, [samples[0]._replace(label=LABEL * 7)], segmenter=segmenter)
    with pytest.raises(LimnerError, match="seg-score needs label maps"):
        translation_report({}, [samples[0]._replace(label=None)], segmenter=segmenter)


def test_samples_of_all_kinds_of_data(tmp_path: Path) -> None:
    colors = np.array([[255, 0, 0], [0, 0, 255]], np.uint8)[LABEL.numpy()]
    photo = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    PillowImage.fromarray(np.concatenate([photo, colors], 1)).save(tmp_path / "a.png")
    order = torch.tensor([1, 0])  # of red, green and blue
    (plain,) = translation_samples(PairsConfig(source="right"), tmp_path, 8)
    assert (plain.given[0].shape, plain.target.shape, plain.label) == ((1, 3, 8, 8), (1, 3, 8, 8), None)
    (labelled,) = translation_samples(PairsConfig(source="right", labels="colors"), tmp_path, 16)
    assert labelled.label is not None
    assert torch.equal(labelled.label, order[LABEL])
    torch.testing.assert_close(labelled.given[0][0], torch.from_numpy(colors).permute(2, 0, 1) / 255)
    (numbered,) = translation_samples(LabelMapsConfig(label_half="right"), tmp_path, 16)
    assert torch.equal(numbered.given[0], labelled.label[None, None])
    assert torch.equal(numbered.target, labelled.target)


def test_results_of_seeds_lie_apart_by_hand() -> None:
    """Of seeds 0, 1, 2 come 0.2, 0.4, 0.6 of gray: two pairs lie 0.2 apart, and one 0.4."""
    samples = [Sample((torch.zeros(1, 3, 16, 16),), torch.zeros(1, 3, 16, 16))]
    methods = {
        "many": lambda sample, seed: torch.full_like(sample.target, 0.2 * (seed + 1)),
        "one": lambda sample, seed: sample.target,
    }
    many, one = translation_diversity(methods, samples, seeds=3).rows
    assert many.figures["l1"] == pytest.approx((0.2 + 0.2 + 0.4) / 3)
    assert many.figures["vgg_distance"] > 0
    assert one.figures == {"l1": 0, "vgg_distance": 0}
