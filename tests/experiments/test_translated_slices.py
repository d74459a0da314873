"""Slices keep their labels on the whole way, and what does not fit is told."""

from pathlib import Path

import numpy as np
import pytest
import torch

from limner.errors import LimnerError
from limner.experiments import translated_slices as experiment
from limner.experiments.translated_slices import UnpairedSlices, main, slices_of, translated


def volume(path: Path, *, count: int = 4, organ: int = 5, bright: int = 200) -> Path:
    """A square organ on noise, further up by a pixel in each slice."""
    rng = np.random.default_rng(0)
    values, labels = rng.normal(0, 20, (40, 36, count)), np.zeros((40, 36, count), np.uint8)
    for number in range(count):
        labels[10:24, 12 + number : 24 + number, number] = organ
    np.savez(path, volume=(values + bright * (labels > 0)).astype(np.int16), labels=labels)
    return path


def test_labels_lie_on_their_organ_after_resizing(tmp_path: Path) -> None:
    found = slices_of(volume(tmp_path / "a.npz"), None, window=(-60, 260), organs=[5], side=64)
    assert found.image.shape == found.label.shape == (4, 1, 64, 64)
    inside, outside = found.image[found.label == 1], found.image[found.label == 0]
    assert inside.mean() > 0.7
    assert outside.mean() < 0.3
    assert len(found.some(slice(1, None, 2)).image) == 2


def test_labels_that_do_not_fit_are_told(tmp_path: Path) -> None:
    first, other = volume(tmp_path / "a.npz"), volume(tmp_path / "b.npz", count=3)
    with pytest.raises(LimnerError, match="must have its shape"):
        slices_of(first, other, window=None, organs=[5], side=32)
    with pytest.raises(LimnerError, match="none of the labels 7"):
        slices_of(first, None, window=None, organs=[7], side=32)


def test_samples_are_gray_slices_of_either_kind() -> None:
    a, b = torch.zeros(2, 1, 32, 32), torch.ones(3, 1, 32, 32)
    b[:, :, 16:] = 0.5
    drawn = UnpairedSlices(a, b).draw(1, torch.Generator().manual_seed(0))
    assert drawn.a.shape == drawn.b.shape == (3, 32, 32)
    assert (drawn.a == 0).all()
    assert set(drawn.b.unique().tolist()) == {0.5, 1.0}
    moved = [UnpairedSlices(a, b).draw(0, torch.Generator().manual_seed(seed)).b for seed in range(4)]
    assert not all(torch.equal(moved[0], one) for one in moved[1:])


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    tiny = {"base_channels": 2, "num_blocks": 1, "discriminator_channels": 2}
    monkeypatch.setattr(experiment, "TRANSLATOR", experiment.TRANSLATOR.model_copy(update=tiny))
    monkeypatch.setattr(experiment, "SEGMENTER", experiment.SEGMENTER.model_copy(update={"channels": 2}))


@pytest.mark.usefixtures("small")
def test_translations_are_as_many_slices(tmp_path: Path) -> None:
    source = slices_of(volume(tmp_path / "a.npz"), None, window=None, organs=[5], side=32).image
    made = translated(source, 1 - source[:2], steps=1, seed=0)
    assert made.shape == source.shape
    assert 0 <= made.min() <= made.max() <= 1


@pytest.mark.usefixtures("small")
def test_a_run_writes_the_table_and_the_sheet(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    first, other = volume(tmp_path / "a.npz"), volume(tmp_path / "b.npz", bright=-100)
    table, sheet = tmp_path / "table.md", tmp_path / "sheet.png"
    main(first, other, sheet, table, side=32, organs="5", gan_steps=1, steps=2, batch=1, seeds=2)
    assert capsys.readouterr().out == f"{table}\n{sheet}\n"
    rows = [line.split(" | ")[1] for line in table.read_text().splitlines() if "±" in line]
    assert rows == ["real alone", "real and synthetic", "the target itself"]
