import json
import zipfile
from importlib.util import find_spec

import pytest
import torch

from limner.errors import LimnerError
from limner.files.weights import Header
from limner.ports import Port
from limner.runtime.export import write_export
from limner.runtime.exported import FORMAT, ExportedHeader, open_exported
from limner.runtime.openvino_engine import OpenVinoEngine
from limner.systems.feedforward.vdsr import VDSR, VDSRConfig

CONFIG = VDSRConfig(num_layers=2, channels=4)
HEADER = Header(system="vdsr", config=CONFIG.model_dump(), licence="CC0")
FULL = ExportedHeader.of(HEADER, VDSR(CONFIG))
needs_openvino = pytest.mark.skipif(not find_spec("openvino"), reason="needs the openvino extra")


@pytest.fixture
def script(tmp_path):
    return write_export(VDSR(CONFIG), HEADER, tmp_path / "net.pt", "torchscript").files[0]


@pytest.fixture
def network(tmp_path):
    return write_export(VDSR(CONFIG), HEADER, tmp_path / "net.xml", "openvino").files[0]


def test_a_header_is_texts_that_others_can_read(tmp_path):
    entries = FULL.entries()
    assert (entries["limner"], entries["system"], entries["licence"]) == (str(FORMAT), "vdsr", "CC0")
    assert (entries["value_range"], entries["channels"]) == ("[0, 1]", "1")
    assert json.loads(entries["config"]) == CONFIG.model_dump()
    assert json.loads(entries["inputs"])[0]["kind"] == "luminance"
    assert ExportedHeader.from_entries(tmp_path, {**entries, "written by": "somebody"}) == FULL


@pytest.mark.parametrize(("channels", "kind"), [("1", "luminance"), ("3", "photo")])
def test_a_file_of_before_says_its_channels_alone(tmp_path, channels, kind):
    entries = {key: text for key, text in FULL.entries().items() if key not in ("inputs", "outputs")}
    header = ExportedHeader.from_entries(tmp_path, {**entries, "channels": channels})
    assert header.given == (Port("image", kind, int(channels)),)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"limner": "2"}, "a.onnx is of format 2, this Limner reads 1: install a newer one"),
        ({"limner": ""}, "a.onnx has no Limner header"),
        ({"config": "{"}, "the header of a.onnx is damaged (Expecting"),
        ({"config": "[" * 100_000}, "the header of a.onnx is damaged (it is nested too deeply"),
        ({"channels": "many"}, "the header of a.onnx is damaged (Expecting value"),
        ({"channels": "[]"}, "the header of a.onnx is damaged (ExportedHeader.channels"),
    ],
)
def test_a_strange_header_is_refused_in_one_line(tmp_path, monkeypatch, change, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(LimnerError) as refused:
        ExportedHeader.from_entries(tmp_path.relative_to(tmp_path) / "a.onnx", {**FULL.entries(), **change})
    assert str(refused.value).startswith(message)


def test_a_script_is_run_in_float32(script):
    opened = open_exported(script, precision="fast")
    assert opened.engine.name == "torch"
    assert opened.size == (None, None)
    assert opened.engine(torch.rand(1, 1, 5, 6).double()).dtype == torch.float32
    with pytest.raises(LimnerError, match=r"^the network does not take an input of 1x3x5x6 \([^\n]+\)$"):
        opened.engine(torch.rand(1, 3, 5, 6))


def test_a_pickle_is_refused_before_torch_opens_it(tmp_path, monkeypatch):
    torch.save({"weight": torch.ones(2)}, tmp_path / "state.pt")
    monkeypatch.setattr(torch.jit, "load", lambda *_, **__: pytest.fail("it was opened"))
    with pytest.raises(LimnerError, match=r"state\.pt has no Limner header"):
        open_exported(tmp_path / "state.pt")


def rewritten(archive, change):
    """Write an archive anew, with the contents of some files changed; None leaves a file out."""
    with zipfile.ZipFile(archive) as old:
        files = {name: old.read(name) for name in old.namelist()}
    with zipfile.ZipFile(archive, "w") as new:
        for name, content in files.items():
            content = change(name, content)
            if content is not None:
                new.writestr(name, content)
    return archive


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda name, content: None if "extra/limner.json" in name else content, "has no Limner header"),
        (lambda name, content: b"[]" if "extra/limner.json" in name else content, "has no Limner header"),
        (lambda name, content: b"[" * 100_000 if "extra/limner.json" in name else content, "is no whole TorchScript"),
        (lambda name, content: b"{" if "extra/limner.json" in name else content, "is no whole TorchScript archive"),
        (lambda name, content: None if name.endswith("constants.pkl") else content, "is damaged"),
    ],
)
def test_an_archive_that_was_tampered_with_is_refused(script, change, message):
    with pytest.raises(LimnerError, match=message) as refused:
        open_exported(rewritten(script, change))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("kept", [0, 100, 2000])
def test_a_script_that_is_cut_short_is_refused(script, kept):
    script.write_bytes(script.read_bytes()[:kept])
    with pytest.raises(LimnerError, match=r"net\.pt is no whole TorchScript archive"):
        open_exported(script)


@needs_openvino
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (lambda text: "", "is no whole OpenVINO network"),
        (lambda text: text[:5000], "is no whole OpenVINO network"),
        (lambda text: "<net/>", "has no Limner header"),
        (lambda text: "<svg/>", "has no Limner header"),
        (lambda text: text.replace('type="Convolution"', 'type="Convulsion"'), "and its .bin are damaged"),
    ],
)
def test_a_bad_xml_is_refused_in_one_line_and_in_silence(network, capfd, content, message):
    network.write_text(content(network.read_text()))
    with pytest.raises(LimnerError) as refused:
        open_exported(network)
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)
    assert capfd.readouterr() == ("", "")


@needs_openvino
def test_weights_that_are_missing_or_cut_short_are_told(network):
    weights = network.with_suffix(".bin")
    weights.write_bytes(weights.read_bytes()[:10])
    with pytest.raises(LimnerError, match=r"net\.xml and its \.bin are damaged"):
        open_exported(network)
    weights.unlink()
    with pytest.raises(LimnerError, match=r"net\.xml needs its weights beside it, net\.bin: copy both files"):
        open_exported(network)


@needs_openvino
def test_openvino_is_opened_with_its_threads_and_precision(network):
    opened = open_exported(network, precision="exact", threads=1)
    assert isinstance(opened.engine, OpenVinoEngine)
    assert opened.engine._compiled.get_property("INFERENCE_NUM_THREADS") == 1
    assert opened.engine._compiled.get_property("INFERENCE_PRECISION_HINT").to_string() == "f32"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("net.pth", "net.pth: an exported network ends in .onnx, .xml, .pt, .ts: write one with `limner export`"),
        ("net.safetensors", "net.safetensors holds weights and no exported network: give it to what takes a model"),
        ("gone.onnx", "gone.onnx: there is no such file: name a file that `limner export` wrote"),
        ("folder.xml", "folder.xml: is a folder: name a file that `limner export` wrote"),
    ],
)
def test_what_is_no_exported_file_is_refused(tmp_path, monkeypatch, name, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.xml").mkdir()
    with pytest.raises(LimnerError) as refused:
        open_exported((tmp_path / name).relative_to(tmp_path))
    assert str(refused.value).startswith(message)


def foreign(path, inputs, outputs=((("n", 3, "h", "w"), "FLOAT"),), metadata=None):
    """Write an ONNX network of nothing but an addition."""
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    ports = [
        [
            onnx.helper.make_tensor_value_info(f"{name}{number}", getattr(onnx.TensorProto, kind), shape)
            for number, (shape, kind) in enumerate(given)
        ]
        for name, given in (("x", inputs), ("y", outputs))
    ]
    nodes = [onnx.helper.make_node("Add", ["x0", "x0"], [port.name]) for port in ports[1]]
    graph = onnx.helper.make_graph(nodes, "g", *ports)
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
    onnx.helper.set_model_props(model, metadata or {})
    onnx.save(model, path)
    return path


@pytest.mark.parametrize(
    ("shape", "channels", "size"),
    [((1, 3, 224, 320), 3, (224, 320)), (("n", 1, "h", 64), 1, (None, 64)), ((None, 3, None, None), 3, (None, None))],
)
def test_an_onnx_of_others_says_what_it_takes(tmp_path, shape, channels, size):
    path = foreign(tmp_path / "a.onnx", [(shape, "FLOAT")], [(shape, "FLOAT")])
    opened = open_exported(path)
    assert (opened.header, opened.size) == (None, size)
    assert [(port.channels, port.spatial) for port in opened.inputs] == [(channels, True)]
    assert opened.engine.name == "onnxruntime"


PICTURE = (("n", 3, "h", "w"), "FLOAT")


@pytest.mark.parametrize(
    ("inputs", "outputs", "message"),
    [
        ([PICTURE, PICTURE], [PICTURE], "has 2 inputs and 1 outputs"),
        ([PICTURE], [PICTURE, PICTURE], "has 1 inputs and 2 outputs"),
        ([((1, 224, 224, 3), "FLOAT")], [((1, 224, 224, 3), "FLOAT")], "takes tensor(float) of (1, 224, 224, 3)"),
        ([((1, 4, 8, 8), "FLOAT")], [((1, 4, 8, 8), "FLOAT")], "takes tensor(float) of (1, 4, 8, 8)"),
        ([((8, 3, 8, 8), "FLOAT")], [((8, 3, 8, 8), "FLOAT")], "takes tensor(float) of (8, 3, 8, 8)"),
        ([(("n", "c"), "FLOAT")], [(("n", "c"), "FLOAT")], "takes tensor(float) of (?, ?)"),
        ([(("n", 3, "h", "w"), "INT64")], [(("n", 3, "h", "w"), "INT64")], "takes tensor(int64) of (?, 3, ?, ?)"),
    ],
)
def test_an_onnx_that_makes_no_picture_of_a_picture_is_refused(tmp_path, inputs, outputs, message):
    path = foreign(tmp_path / "a.onnx", inputs, outputs)
    with pytest.raises(LimnerError) as refused:
        open_exported(path)
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_newer_header_in_an_onnx_is_refused(tmp_path):
    path = foreign(tmp_path / "a.onnx", [PICTURE], metadata={**FULL.entries(), "limner": "99"})
    with pytest.raises(LimnerError, match="is of format 99"):
        open_exported(path)
