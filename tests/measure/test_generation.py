import math

import pytest
import torch

from limner.data.labelled import LabelledPictures
from limner.measure import generation
from limner.measure.classifier import trained_classifier
from limner.measure.generation import Made, diversity, evaluate_generation, nearest_pictures, parzen_table


def grays(count: int, seed: int, side: int = 16) -> LabelledPictures:
    """Class 0 is dark and class 1 bright, on the left; the rest is noise."""
    rng = torch.Generator().manual_seed(seed)
    labels = torch.arange(count) % 2
    images = torch.randint(0, 100, (count, 1, side, side), generator=rng)
    images[..., : side // 2] += 120 * labels[:, None, None, None]
    return LabelledPictures(images.to(torch.uint8), labels)


def test_samples_are_likelier_the_nearer_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """Class k is a picture of the gray k / 10; one generator makes these, one brighter ones."""
    labels = torch.arange(40) % 4
    real = LabelledPictures((labels * 255 // 10).to(torch.uint8)[:, None, None, None].expand(-1, 1, 2, 2), labels)
    found = []
    for shift in (0, 0.5):
        monkeypatch.setattr(
            generation,
            "generate",
            lambda model, classes, *, count, device, shift=shift: ((torch.arange(count) % 4) / 10 + shift)[
                :, None, None, None
            ].expand(-1, 1, 2, 2),
        )
        ((case, figures),) = parzen_table("model", real, real, each=3, device="cpu").card_figures().items()
        found.append(figures["log_likelihood"])
        assert case == "40 pictures"
    assert found[0] > 0
    assert found[0] > found[1] + 1


def test_a_model_as_good_as_real_pictures_is_told_from_a_bad_one_and_from_a_copy() -> None:
    real, training = grays(30, 0), grays(30, 1)
    asked = torch.arange(30) % 2
    others = grays(30, 2)
    good = Made("good", others.images / 255, asked)
    wrong = Made("wrong", others.images / 255, 1 - asked)
    bad = Made("bad", torch.rand(30, 1, 16, 16), asked)
    copy = Made("copy", training.images / 255, asked)
    report = evaluate_generation([good, wrong, bad, copy], real, training=training)
    likeness, memory, classes = ({row.method: row.figures for row in table.rows} for table in report.tables)
    assert report.tables[0].name == "fd:vgg16-relu4_3"
    assert likeness["good"]["fd"] < 0.5 * likeness["bad"]["fd"]
    assert likeness["copy"] == likeness["training pictures"]
    assert abs(likeness["good"]["kd"]) < 0.5 * likeness["bad"]["kd"]
    assert likeness["good"]["coverage"] > 0.8 > likeness["bad"]["coverage"]
    assert memory["copy"]["median"] < 0.01 < memory["good"]["median"]
    assert memory["good"]["median"] == pytest.approx(memory["real pictures"]["median"], rel=0.2)
    assert classes["good"]["class_accuracy"] > 0.95
    assert classes["wrong"]["class_accuracy"] < 0.05
    assert classes["good"]["diversity"] == pytest.approx(1, abs=0.1)


def test_diversity_is_a_ratio_for_each_class() -> None:
    """Real: two of class 0 that are 2 apart, of class 1 4 apart; made: 1 and 6."""
    real = torch.tensor([0.0, 2.0, 0.0, 4.0]).view(4, 1, 1, 1)
    made = torch.tensor([0.0, 1.0, 0.0, 6.0]).view(4, 1, 1, 1)
    labels = torch.tensor([0, 0, 1, 1])
    assert diversity(made, labels, real, labels) == pytest.approx((1 / 2 + 6 / 4) / 2)
    alone = torch.tensor([0, 0, 1, 2])
    assert diversity(made, alone, real, alone) == pytest.approx(1 / 2)
    assert math.isnan(diversity(made, torch.arange(4), real, torch.arange(4)))


def test_a_classifier_learns_from_real_pictures_and_reads_others() -> None:
    network, other = trained_classifier(grays(60, 0)), grays(40, 1)
    assert network.accuracy(other.images / 255, other.labels) > 0.95
    assert network.accuracy(other.images / 255, 1 - other.labels) < 0.05


def test_the_nearest_training_picture_of_a_copy_is_its_original() -> None:
    training = grays(20, 0)
    found = nearest_pictures(training.images[[4, 7]] / 255, training, number=2)
    assert found.shape == (6, 1, 16, 16)
    assert torch.equal(found[0], found[1])
    assert torch.equal(found[3], found[4])
    assert torch.equal(found[3], training.images[7] / 255)


def test_pictures_without_classes_have_no_table_of_them() -> None:
    real = LabelledPictures(grays(30, 0).images, torch.zeros(30, dtype=torch.int64))
    report = evaluate_generation([Made("a", grays(30, 1).images / 255, None)], real)
    assert [table.name for table in report.tables] == ["fd:vgg16-relu4_3"]
