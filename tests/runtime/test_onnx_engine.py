import sys
from pathlib import Path

import pytest
import torch

from limner.errors import LimnerError
from limner.runtime.onnx_engine import OnnxEngine, OnnxPort, is_float, reason

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

FLOAT, HALF, BYTE = onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16, onnx.TensorProto.UINT8


def doubling(shape, kind=FLOAT, metadata=None):
    """A network that gives x + x, as bytes."""
    ports = [onnx.helper.make_tensor_value_info(name, kind, shape) for name in ("x", "y")]
    node = onnx.helper.make_node("Add", ["x", "x"], ["y"])
    model = onnx.helper.make_model(
        onnx.helper.make_graph([node], "g", ports[:1], ports[1:]),
        opset_imports=[onnx.helper.make_opsetid("", 17)],
        ir_version=8,
    )
    onnx.helper.set_model_props(model, metadata or {})
    return model.SerializeToString()


def test_it_runs_a_network_from_bytes_or_a_file(tmp_path):
    data = doubling(["n", 3, "h", 7], metadata={"a": "b"})
    (tmp_path / "net.onnx").write_bytes(data)
    image = torch.rand(2, 3, 5, 7)
    for model in (data, tmp_path / "net.onnx"):
        engine = OnnxEngine(model, threads=1)
        assert torch.equal(engine(image), 2 * image)
        assert torch.equal(engine(image.to(memory_format=torch.channels_last)), 2 * image)
        assert engine.inputs == [OnnxPort("x", "tensor(float)", (None, 3, None, 7))]
        assert engine.outputs == [OnnxPort("y", "tensor(float)", (None, 3, None, 7))]
        assert dict(engine.metadata) == {"a": "b"}
        assert engine.name == "onnxruntime"


def test_half_precision_goes_in_and_comes_out_as_float32():
    engine = OnnxEngine(doubling([1, 1, 2, 2], HALF))
    image = torch.tensor([[[[0.1, 0.5], [1.0, 0.0]]]])
    result = engine(image)
    assert result.dtype == torch.float32
    assert torch.equal(result, (2 * image.half()).float())
    assert [is_float(port) for port in engine.inputs] == [True]
    assert not is_float(OnnxPort("x", "tensor(uint8)", (1,)))


def test_an_input_that_does_not_fit_is_refused_in_one_line_and_in_silence(capfd):
    engine = OnnxEngine(doubling([1, 3, 4, 4]))
    with pytest.raises(LimnerError, match=r"^the network does not take an input of 1x3x5x5 \([^\n]+\)$"):
        engine(torch.rand(1, 3, 5, 5))
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("content", [b"", b"no network", doubling([1, 3, 4, 4])[:-30]])
def test_a_file_that_is_no_network_is_refused_in_one_line(tmp_path, capfd, content):
    path = tmp_path / "bad.onnx"
    path.write_bytes(content)
    with pytest.raises(LimnerError, match=r"bad\.onnx is no ONNX network that ONNX Runtime can load \([^\n]+\)$"):
        OnnxEngine(path)
    assert capfd.readouterr() == ("", "")


def test_a_missing_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(LimnerError, match=r"^ONNX needs the onnx extra: pip install '\.\[onnx\]' in the folder"):
        OnnxEngine(Path("a.onnx"))


def test_a_reason_has_neither_code_nor_line_breaks():
    assert reason(Exception("[ONNXRuntimeError] : 1 : FAIL : it\n  : broke")) == "it : broke"
    assert reason(ValueError("plain")) == "plain"
