from pathlib import Path

import pytest
import torch

from limner.catalog.models import load
from limner.errors import LimnerError
from limner.files.weights import Header, save_weights
from limner.systems.feedforward.vdsr import VDSR, VDSRConfig
from limner.verbs.export import export


@pytest.fixture
def tiny(tmp_path: Path) -> str:
    config = VDSRConfig(num_layers=3, channels=4)
    path = tmp_path / "in" / "tiny.safetensors"
    path.parent.mkdir()
    save_weights(path, VDSR(config).state_dict(), Header(system="vdsr", config=config.model_dump(), licence="CC0"))
    return str(path)


def test_a_model_is_written_under_its_name_in_the_current_folder(
    tiny: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    written = export(tiny, "torchscript")
    assert written.files == (Path("tiny.pt"),)
    assert (written.header.system, written.header.licence) == ("vdsr", "CC0")
    with pytest.raises(LimnerError, match=r"^tiny\.pt: is already there"):
        export(tiny, "torchscript")
    assert export(tiny, "torchscript", overwrite=True).files[0].is_file()
    assert export(tiny, "torchscript", "other.ts").files == (Path("other.ts"),)


def test_an_embedded_model_comes_out_as_it_went_in(tmp_path: Path) -> None:
    written = export("vdsr-fast", "safetensors", tmp_path / "a.safetensors")
    (before, header), (after, again) = load("vdsr-fast"), load(str(tmp_path / "a.safetensors"))
    assert header == again == written.header
    assert all(torch.equal(tensor, after.state_dict()[name]) for name, tensor in before.state_dict().items())


def test_an_unknown_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LimnerError, match=r"there is no model 'nobody': name adain, .*"):
        export("nobody", "torchscript", tmp_path / "a.pt")
    assert list(tmp_path.iterdir()) == []
