import subprocess
from pathlib import Path

import pytest
import torch

from limner.files.weights import Header, save_weights
from limner.systems.feedforward.vdsr import VDSR, VDSRConfig
from limner.verbs import diagnose as module
from limner.verbs.diagnose import Finding, bfloat16_gain, diagnose, imports


@pytest.fixture
def findings(monkeypatch: pytest.MonkeyPatch) -> dict[str, Finding]:
    monkeypatch.setattr(module, "bfloat16_gain", lambda device: 1.9)
    return {finding.name: finding for finding in diagnose()}


def test_everything_is_looked_at(findings: dict[str, Finding]) -> None:
    assert {"Python", "limner", "torch", "processor", "cores", "GPU", "bfloat16", "torchvision"} <= set(findings)
    assert {"train", "video", "onnx", "openvino", "bench", "large"} <= set(findings)
    assert not {"dev", "docs"} & set(findings)
    assert findings["torch"].value == torch.__version__ or torch.__version__.startswith(findings["torch"].value)
    assert findings["vdsr"].topic == "weights"
    assert not [finding for finding in findings.values() if finding.is_broken]


def test_what_is_not_installed_comes_with_its_pip_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_version", lambda name: None if name == "av" else "1")
    by_name = {finding.name: finding for finding in module._extras()}
    assert by_name["video"] == Finding("extras", "video", "lacks av", "pip install '.[video]' in the folder of Limner")
    assert by_name["onnx"] == Finding("extras", "onnx", "installed")


@pytest.mark.parametrize("code", [0, 1, -11])
def test_a_torchvision_is_tried_in_another_process(monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    monkeypatch.setattr(module, "_version", lambda name: "0.99")
    monkeypatch.setattr(subprocess, "run", lambda *args, **options: subprocess.CompletedProcess(args, code))
    found = module._torchvision()
    assert found.is_broken == (code != 0)
    assert found.mend == ("pip uninstall torchvision" if code else "")


def test_a_hang_counts_as_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    assert imports("sys")
    assert not imports("no_such_module_anywhere")
    monkeypatch.setattr(module, "_PATIENCE", 0.1)
    assert not imports("time; time.sleep(9)")


def test_weights_are_held_against_their_card(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("limner.catalog.models.WEIGHTS", tmp_path)
    (none,) = module._weights()
    assert none.is_broken
    config = VDSRConfig(num_layers=2, channels=2)
    save_weights(
        tmp_path / "a.safetensors", VDSR(config).state_dict(), Header(system="vdsr", config=config.model_dump())
    )
    (found,) = module._weights()
    assert (found.value, found.is_broken) == ("loads; has no card", False)
    (tmp_path / "a.toml").write_text("this is no card")
    (found,) = module._weights()
    assert found.is_broken
    (tmp_path / "a.toml").unlink()
    (tmp_path / "a.safetensors").write_bytes(b"cut short")
    (found,) = module._weights()
    assert found.is_broken
    assert "not a whole safetensors file" in found.value


def test_the_gain_of_bfloat16_is_a_ratio() -> None:
    assert 0.01 < bfloat16_gain(torch.device("cpu"), side=24, repeats=1) < 100
