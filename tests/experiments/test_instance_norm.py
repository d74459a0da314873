"""Both networks are trained alike, and the losses of both are written."""

import csv
import xml.etree.ElementTree as ElementTree
from types import SimpleNamespace

import pytest
import torch
import typer
from torch import nn

from limner.data.stylization import StylizationPatches
from limner.errors import LimnerError
from limner.experiments import fitted, instance_norm
from limner.experiments.command import opened
from limner.experiments.instance_norm import Point, charts, evaluated, held_out_batch, main, photos_but, trained
from limner.experiments.options import PHOTO
from limner.systems.feedforward.fast_style import SLIM
from limner.verbs.stylize.named_styles import style_picture

TINY = SLIM.model_copy(update={"channels": (4, 6, 8), "num_blocks": 1})
SHOWN = opened(PHOTO, 64)


@pytest.fixture
def samples(monkeypatch):
    monkeypatch.setattr(instance_norm, "SLIM", TINY)
    photos = photos_but(PHOTO, PHOTO.parent)
    return StylizationPatches(photos, [style_picture("mosaic")], patch=32, style_size=32)


def test_the_networks_differ_in_their_norms_alone(samples, monkeypatch):
    seen = []

    def untrained(system, *_, **__):
        seen.append(system)
        return SimpleNamespace(finished=True, system=system)

    monkeypatch.setattr(fitted, "fit", untrained)
    for norm in instance_norm.NORMS:
        trained(norm, samples, held_out_batch(SHOWN, samples), steps=2, seed=3)
    batch, instance = ([one for one in system.modules() if isinstance(one, nn.Conv2d)] for system in seen)
    assert all(torch.equal(one.weight, other.weight) for one, other in zip(batch, instance, strict=True))
    assert [system.config.norm for system in seen] == ["batch", "instance"]


def test_a_stopped_training_leaves_no_sheet(samples, monkeypatch):
    monkeypatch.setattr(fitted, "fit", lambda *_, **__: SimpleNamespace(finished=False))
    with pytest.raises(typer.Exit):
        trained("batch", samples, held_out_batch(SHOWN, samples), steps=2, seed=0)


def test_the_held_out_photo_is_judged_in_evaluation_mode_and_leaves_the_random_numbers_alone(samples):
    batch = held_out_batch(SHOWN, samples)
    system, points = trained("batch", samples, batch, steps=2, seed=0)
    norms = [one for one in system.modules() if isinstance(one, nn.BatchNorm2d)]
    assert all(int(norm.num_batches_tracked) == 2 for norm in norms)
    torch.manual_seed(5)
    found = evaluated(system, batch)
    assert torch.initial_seed() == 5
    last = points[-1]
    assert (last.photos, last.step) == ("held out", 2)
    assert found["style"] == pytest.approx(last.style, rel=1e-4)
    assert sum(found.values()) == pytest.approx(last.total, rel=1e-4)


def test_what_is_held_out_is_not_trained_on(tmp_path):
    assert PHOTO.name not in {path.name for path in photos_but(PHOTO, PHOTO.parent)}
    alone = tmp_path / PHOTO.name
    alone.write_bytes(PHOTO.read_bytes())
    with pytest.raises(LimnerError, match=r"no picture but chelsea\.jpg"):
        photos_but(alone, tmp_path)


def test_each_loss_has_a_curve_for_each_norm_and_photos():
    points = [
        Point(norm, photos, step, 1.0, 0.5, 2.0)
        for norm in ("batch", "instance")
        for photos in ("training", "held out")
        for step in (1, 2)
    ]
    drawing = charts(points)
    assert drawing.count("instance, held out") >= 3  # in the legend of each loss


def test_a_run_writes_the_sheet_the_table_and_the_curves(samples, tmp_path, capsys):
    sheet = tmp_path / "sheet.png"
    main(sheet, style="mosaic", size=48, steps=2, patch=32)
    assert capsys.readouterr().out == f"{sheet}\n"
    assert sheet.is_file()
    with sheet.with_suffix(".csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    keys = [(row["norm"], row["photos"], row["step"]) for row in rows]
    expected = [(n, p, s) for n in ("batch", "instance") for s in "12" for p in ("training", "held out")]
    assert keys == expected
    assert all(float(row["total"]) > float(row["style"]) > 0 for row in rows)
    ElementTree.fromstring(sheet.with_suffix(".svg").read_text())
