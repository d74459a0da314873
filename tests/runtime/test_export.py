import os
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from torch import nn

from limner.errors import LimnerError
from limner.files.space import NoSpaceError
from limner.files.weights import Header, load_weights
from limner.ports import PHOTO, Port
from limner.runtime import export as export_module
from limner.runtime.export import SUFFIXES, Format, write_export
from limner.runtime.exported import open_exported
from limner.systems.feedforward.srresnet import SRResNet, SRResNetConfig
from limner.systems.feedforward.vdsr import VDSR, VDSRConfig

NEEDS = {"onnx": ("onnx", "onnxscript", "onnxruntime"), "openvino": ("openvino",), "torchscript": (), "safetensors": ()}
ALL = [
    pytest.param(format, marks=pytest.mark.skipif(not all(map(find_spec, needs)), reason="needs an extra"))
    for format, needs in NEEDS.items()
]
QUICK = [param for param in ALL if param.values != ("onnx",)]
CONFIG = VDSRConfig(num_layers=3, channels=4, fold=2)
HEADER = Header(
    system="vdsr", config=CONFIG.model_dump(), licence="CC0 <&>", provenance='"drawn" –\nby me', metrics={"psnr": 1.5}
)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def place(folder: Path, format: Format) -> Path:
    return folder / f"net{SUFFIXES[format][0]}"


@pytest.mark.parametrize("format", ALL)
def test_an_export_says_what_it_is_and_is_the_system(tmp_path, capfd, format):
    system = VDSR(CONFIG)
    written = write_export(system, HEADER, place(tmp_path, format), format)
    assert capfd.readouterr() == ("", "")
    assert names(tmp_path) == sorted(file.name for file in written.files)
    assert len(written.files) == (2 if format == "openvino" else 1)
    assert written.max_difference <= 1e-5
    if format == "safetensors":
        header, tensors = load_weights(written.files[0])
        assert header == HEADER
        assert all(torch.equal(tensor, tensors[name]) for name, tensor in system.state_dict().items())
        return
    opened = open_exported(written.files[0], precision="exact")
    assert opened.header == written.header
    own = {"channels", "value_range", "inputs", "outputs"}
    assert opened.header.model_dump(exclude=own) == HEADER.model_dump()
    assert (opened.header.channels, opened.header.value_range) == (1, "[0, 1]")
    assert opened.inputs == opened.header.inputs == (Port("image", "luminance", 1),)
    assert opened.header.outputs == (Port("result", "luminance", 1),)
    image = torch.rand(2, 1, 19, 27)
    with torch.inference_mode():
        torch.testing.assert_close(opened.engine(image), system(image), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("half", [False, True])
def test_weights_take_half_the_place_where_nothing_is_lost(tmp_path, half):
    system = VDSR(CONFIG)
    if half:
        system = system.half().float()
    size = write_export(system, HEADER, tmp_path / "a.safetensors", "safetensors").files[0].stat().st_size
    numbers = sum(parameter.numel() for parameter in system.parameters())
    assert (size < 4 * numbers) == half


@pytest.mark.parametrize("format", ALL)
def test_what_disagrees_is_not_written(tmp_path, monkeypatch, format):
    place(tmp_path, format).write_text("old")
    before = names(tmp_path)
    monkeypatch.setattr(export_module, "MAX_DIFFERENCE", -1.0)
    with pytest.raises(LimnerError, match=r"is not written: it would differ from VDSR by \d"):
        write_export(VDSR(CONFIG), HEADER, place(tmp_path, format), format, overwrite=True)
    assert names(tmp_path) == before
    assert place(tmp_path, format).read_text() == "old"


class Baked(nn.Module):
    inputs, outputs = (Port("image", "luminance", 1),), (Port("result", "luminance", 1),)

    def forward(self, x):
        return x * (int(x.shape[-1]) / 100)


@pytest.mark.parametrize("format", ["torchscript", pytest.param("openvino", marks=ALL[1].marks)])
def test_a_size_that_the_exporter_bakes_in_is_found(tmp_path, format):
    with pytest.raises(LimnerError, match="is not written: it would differ from Baked by"):
        write_export(Baked(), HEADER, place(tmp_path, format), format)
    assert names(tmp_path) == []


def test_onnx_keeps_a_size_that_tracers_bake_in(tmp_path):
    for library in NEEDS["onnx"]:
        pytest.importorskip(library)
    assert write_export(Baked(), HEADER, tmp_path / "a.onnx", "onnx").max_difference < 1e-6


@pytest.mark.parametrize("format", QUICK)
def test_an_existing_file_is_replaced_only_on_demand(tmp_path, format):
    last = write_export(VDSR(CONFIG), HEADER, place(tmp_path, format), format).files[-1]
    last.write_text("old")
    with pytest.raises(LimnerError, match="is already there: pass --force"):
        write_export(VDSR(CONFIG), HEADER, place(tmp_path, format), format)
    assert last.read_text() == "old"
    write_export(VDSR(CONFIG), HEADER, place(tmp_path, format), format, overwrite=True)
    assert last.stat().st_size > 3


@pytest.mark.skipif(not find_spec("openvino"), reason="needs the openvino extra")
@pytest.mark.parametrize("old", [True, False])
def test_both_files_of_openvino_are_written_or_neither(tmp_path, monkeypatch, old):
    target = tmp_path / "net.xml"
    if old:
        target.write_text("old")
        target.with_suffix(".bin").write_text("old too")
    before = names(tmp_path)
    rename = Path.rename

    def fail_at_the_second(self: Path, place: Path) -> Path:
        if place == target and self.name == "net.xml":
            raise OSError(28, "no space left on device", str(place))
        return rename(self, place)

    monkeypatch.setattr(Path, "rename", fail_at_the_second)
    with pytest.raises(OSError, match="no space left"):
        write_export(VDSR(CONFIG), HEADER, target, "openvino", overwrite=True)
    assert names(tmp_path) == before
    if old:
        assert (target.read_text(), target.with_suffix(".bin").read_text()) == ("old", "old too")


@pytest.mark.parametrize(
    ("name", "format", "message"),
    [
        ("net.bin", "openvino", "a file of openvino must end in .xml: change the suffix"),
        ("net.onnx", "torchscript", "a file of torchscript must end in .pt or .ts: change the suffix"),
        ("net", "onnx", "a file of onnx must end in .onnx: change the suffix"),
        ("gone/net.pt", "torchscript", "gone is not there: make it first"),
        ("folder.pt", "torchscript", "is a folder: choose another name"),
    ],
)
def test_a_place_that_cannot_be_is_refused(tmp_path, name, format, message):
    (tmp_path / "folder.pt").mkdir()
    with pytest.raises(LimnerError) as refused:
        write_export(VDSR(CONFIG), HEADER, tmp_path / name, format, overwrite=True)
    assert message in str(refused.value)
    assert names(tmp_path) == ["folder.pt"]


def test_a_system_that_does_not_say_what_it_takes_is_refused(tmp_path):
    with pytest.raises(LimnerError, match="Identity must say what it takes"):
        write_export(nn.Identity(), HEADER, tmp_path / "a.pt", "torchscript")
    assert names(tmp_path) == []


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written_is_told_by_the_system(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(PermissionError):
        write_export(VDSR(CONFIG), HEADER, tmp_path / "a.pt", "torchscript")


@pytest.mark.skipif(not Path("/sys/kernel").is_dir(), reason="no folder here that takes no file")
@pytest.mark.parametrize("format", list(SUFFIXES))
def test_a_folder_that_takes_no_file_is_told_before_the_work(format):
    with pytest.raises(LimnerError, match=r"^/sys/kernel: may not be written to") as told:
        export_module.check_place(Path("/sys/kernel/a").with_suffix(SUFFIXES[format][0]), format, overwrite=False)
    assert not isinstance(told.value, NoSpaceError)


def test_a_network_for_colour_says_so(tmp_path):
    config = SRResNetConfig(num_blocks=1, channels=4)
    header = Header(system="srresnet", config=config.model_dump())
    written = write_export(SRResNet(config), header, tmp_path / "a.ts", "torchscript")
    assert open_exported(written.files[0]).inputs == (PHOTO,)


@pytest.mark.skipif(not find_spec("openvino"), reason="OpenVINO is not installed")
def test_a_disk_that_openvino_would_fill_is_told_before_it_writes(tmp_path, monkeypatch):
    monkeypatch.setattr("limner.files.space._free", lambda folder: 100_000)
    monkeypatch.setattr("openvino.save_model", None)  # calling it would fail
    system = VDSR(VDSRConfig(num_layers=5, channels=64))
    with pytest.raises(NoSpaceError, match=r"kB are missing of the \d+\.\d kB that it takes") as caught:
        write_export(system, Header(system="vdsr", config=system.config.model_dump()), tmp_path / "a.xml", "openvino")
    assert caught.value.exit_code == 1
    assert not list(tmp_path.iterdir())
