"""Patches with their labels go through the whole way, and few real ones have theirs beside them."""

from pathlib import Path

import pytest
import torch
from tests.experiments.marked_cells import TINY, nuclei

from limner.experiments import synthetic_patches as experiment
from limner.experiments.synthetic_patches import SHARES, cut, main, marked_of, nearest, of_share, synthetic


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    tiny = {"side": 16, "base_channels": 4, "latent_channels": 4}
    monkeypatch.setattr(experiment, "SIDE", 16)
    monkeypatch.setattr(experiment, "GENERATOR", experiment.GENERATOR.model_copy(update=tiny))
    monkeypatch.setattr(experiment, "SEGMENTER", experiment.SEGMENTER.model_copy(update={"channels": 2}))
    monkeypatch.setattr(experiment, "NUCLEI", TINY)


@pytest.mark.usefixtures("small")
def test_patches_lie_in_the_picture_with_their_labels(tmp_path: Path) -> None:
    marked = TINY.load(nuclei(tmp_path) / "train").marked
    patches = cut(marked, torch.Generator().manual_seed(0))
    assert patches.shape == (16, 2, 16, 16)
    assert (patches[:, 1].mean((1, 2)) >= 0.02).all()
    inside, outside = patches[:, 0][patches[:, 1] > 0], patches[:, 0][patches[:, 1] == 0]
    assert inside.mean() > outside.mean() + 0.4  # the cells are 150 levels brighter


@pytest.mark.usefixtures("small")
def test_a_share_of_the_pictures_is_chosen_by_the_seed(tmp_path: Path) -> None:
    marked = TINY.load(nuclei(tmp_path) / "train").marked * 4
    assert len(of_share(marked, 0.5, 0)) == 4 * 8
    assert len(of_share(marked, 0.01, 0)) == 8
    assert not torch.equal(of_share(marked, 0.5, 0), of_share(marked, 0.5, 1))


def test_patches_become_pictures_with_classes() -> None:
    patches = torch.tensor([[[[0.2, 1.0]], [[0.0, 1.0]]]])
    (one,) = marked_of(patches)
    assert one.image.tolist() == [[[51, 255]]]
    assert one.label.tolist() == [[[0, 1]]]


def test_the_nearest_of_real_patches_is_itself() -> None:
    real = torch.rand(5, 2, 32, 32, generator=torch.Generator().manual_seed(0))
    assert nearest(real.flip(0), real).tolist() == [4, 3, 2, 1, 0]


@pytest.mark.usefixtures("small")
def test_made_patches_have_labels_of_two_values() -> None:
    real = torch.rand(8, 2, 16, 16, generator=torch.Generator().manual_seed(0))
    made = synthetic(real, 3, steps=2, seed=0)
    assert made.shape == (3, 2, 16, 16)
    assert set(made[:, 1].unique().tolist()) <= {0.0, 1.0}


@pytest.mark.usefixtures("small")
def test_a_run_writes_the_table_and_the_sheet(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    table, sheet = tmp_path / "table.md", tmp_path / "sheet.png"
    main(nuclei(tmp_path), sheet, table, gan_steps=2, steps=2, batch=2, seeds=2)
    assert capsys.readouterr().out == f"{table}\n{sheet}\n"
    rows = [line for line in table.read_text().splitlines() if "±" in line]
    assert len(rows) == 2 * len(SHARES)
    assert sheet.exists()
