import copy
import re
import sys
from importlib.util import find_spec

import pytest
import torch
from torch import nn

from limner.errors import LimnerError
from limner.ports import PHOTO, Port
from limner.runtime.conversion import difference, evaluation_copy, to_onnx, to_openvino, to_torchscript
from limner.runtime.openvino_engine import import_openvino
from limner.runtime.probes import fitting_side, ports_of, probes
from limner.systems.feedforward.srresnet import SRResNet, SRResNetConfig
from limner.systems.feedforward.vdsr import VDSR, VDSRConfig

SYSTEMS: dict[str, VDSR | SRResNet] = {
    "vdsr": VDSR(VDSRConfig(num_layers=3, channels=4)),
    "vdsr folded": VDSR(VDSRConfig(num_layers=3, channels=4, fold=2)),
    "vdsr folded by three": VDSR(VDSRConfig(num_layers=2, channels=4, fold=3)),
    "srresnet x4": SRResNet(SRResNetConfig(num_blocks=1, channels=4)),
    "srresnet x3": SRResNet(SRResNetConfig(num_blocks=1, channels=4, scale=3)),
}
ODD = [(1, 1, 1), (1, 2, 3), (3, 7, 5), (1, 64, 33)]


class Baked(nn.Module):
    """A network that a tracer sees multiply by a constant."""

    inputs, outputs = (Port("image", "luminance", 1),), (Port("result", "luminance", 1),)

    def forward(self, x):
        return x * (int(x.shape[-1]) / 100)


class Skipping(nn.Module):
    """A U-Net of one halving by `size_multiple`."""

    outputs = (Port("result", "photo", 6),)

    def __init__(self, size_multiple):
        super().__init__()
        self.inputs = (Port("image", "photo", multiple=size_multiple),)
        self.down = nn.Conv2d(3, 4, size_multiple, stride=size_multiple)
        self.up = nn.ConvTranspose2d(4, 3, size_multiple, stride=size_multiple)

    def forward(self, x):
        return torch.cat([x, self.up(self.down(x))], 1)


class Same(nn.Module):
    inputs, outputs = (Port("image", "luminance", 1),), (Port("result", "luminance", 1),)

    def forward(self, x):
        return x


class Torn(nn.Module):
    """A network that looks at values to decide, which no graph can hold."""

    inputs, outputs = (PHOTO,), (Port("result", "photo"),)

    def forward(self, x):
        return x if x.mean().item() > 0.5 else x.flip(-1)


def images(channels):
    return [torch.rand(number, channels, height, width) for number, height, width in ODD]


@pytest.mark.parametrize("name", SYSTEMS)
def test_torchscript_is_the_same_function_at_any_size(name):
    system = evaluation_copy(SYSTEMS[name])
    script = to_torchscript(system)
    for image in images(ports_of(system).inputs[0].channels):
        torch.testing.assert_close(script(image), system(image), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", ["vdsr folded", "srresnet x3"])
def test_onnx_is_the_same_function_at_any_size(name):
    pytest.importorskip("onnxscript")
    session = pytest.importorskip("onnxruntime").InferenceSession(to_onnx(evaluation_copy(SYSTEMS[name])))
    (given,), (result,) = session.get_inputs(), session.get_outputs()
    assert (given.name, result.name) == ("image", "result")
    system = evaluation_copy(SYSTEMS[name])
    for image in images(ports_of(system).inputs[0].channels):
        (made,) = session.run(None, {"image": image.numpy()})
        torch.testing.assert_close(torch.from_numpy(made), system(image), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("number", [1, 2, 3])
def test_onnx_takes_what_comes_after_the_first_picture(number: int) -> None:
    class Summed(nn.Module):
        inputs = tuple(Port(f"picture{place}", "photo", 3) for place in range(number))
        outputs = (Port("sum", "photo", 3),)

        def forward(self, picture: torch.Tensor, *more: torch.Tensor) -> torch.Tensor:
            for one in more:
                picture = picture + 2 * one
            return picture.relu()

    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    session = onnxruntime.InferenceSession(to_onnx(Summed().eval()))
    given = [torch.rand(2, 3, 7, 9) for _ in range(number)]
    (made,) = session.run(None, {f"picture{place}": one.numpy() for place, one in enumerate(given)})
    torch.testing.assert_close(torch.from_numpy(made), Summed()(*given))


def test_onnx_tells_nothing_of_the_machine_that_made_it_nor_prints(capfd):
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxscript")
    data = to_onnx(evaluation_copy(SYSTEMS["srresnet x4"]), {"licence": "free"})
    assert capfd.readouterr() == ("", "")
    assert b"site-packages" not in data
    assert b"srresnet.py" not in data
    model = onnx.load_from_string(data)
    onnx.checker.check_model(model, full_check=True)
    assert [(entry.key, entry.value) for entry in model.metadata_props] == [("licence", "free")]
    assert "PRelu" not in {node.op_type for node in model.graph.node}


@pytest.mark.skipif(not find_spec("openvino"), reason="needs the openvino extra")
@pytest.mark.parametrize("name", SYSTEMS)
def test_openvino_is_the_same_function_at_any_size(name):
    system = evaluation_copy(SYSTEMS[name])
    compiled = import_openvino().compile_model(to_openvino(system), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    assert (compiled.input(0).any_name, compiled.output(0).any_name) == ("image", "result")
    for image in images(ports_of(system).inputs[0].channels):
        made = torch.from_numpy(compiled([image.numpy()])[0])
        torch.testing.assert_close(made, system(image), atol=1e-5, rtol=1e-5)


def test_conversion_leaves_the_system_as_it_was():
    pytest.importorskip("onnxscript")
    system = SRResNet(SRResNetConfig(num_blocks=1, channels=4)).train()
    before = copy.deepcopy(system.state_dict())
    to_onnx(evaluation_copy(system))
    assert system.training
    assert all(parameter.requires_grad for parameter in system.parameters())
    assert all(torch.equal(tensor, before[name]) for name, tensor in system.state_dict().items())


def test_a_size_that_is_baked_in_is_found():
    system = evaluation_copy(Baked())
    assert difference(to_torchscript(system), system, probes(system.inputs)).relative > 0.1


def test_the_difference_is_that_of_the_worst_picture():
    system = evaluation_copy(Same())
    tried = probes(system.inputs)
    number, height, width = tried[-1]

    def off(image):
        return image + 0.25 if image.shape == (number, 1, height, width) else image

    found = difference(off, system, tried)
    assert found.largest == pytest.approx(0.25)
    assert found.relative == pytest.approx(0.25 * 3**0.5, rel=0.05)  # of uniform noise, whose mean square is 1/3
    assert difference(system, system, tried) == (0, 0)
    assert difference(lambda image: image / 0, system, tried).largest == float("inf")
    with pytest.raises(LimnerError, match=re.escape("a result is (1, 1, 31, 44) and not (1, 1, 31, 45)")):
        difference(lambda image: image[..., 1:], system, tried)


@pytest.mark.parametrize("size_multiple", [4, 64])
def test_a_system_that_takes_multiples_alone_is_tried_on_such(size_multiple):
    system = evaluation_copy(Skipping(size_multiple))
    tried = probes(system.inputs)
    assert len(set(tried)) == len(tried)
    assert all(side % size_multiple == 0 for _, *sides in tried for side in sides)
    for run in (to_torchscript(system), _in_onnx(to_onnx(system))):
        assert difference(run, system, tried).largest < 1e-5


def _in_onnx(data):
    session = pytest.importorskip("onnxruntime").InferenceSession(data)
    return lambda image: torch.from_numpy(session.run(None, {"image": image.numpy()})[0])


def test_sides_grow_no_more_than_they_must():
    assert fitting_side(31, Same().inputs) == 31
    assert fitting_side(31, Skipping(4).inputs) == 32
    assert fitting_side(31, Skipping(64).inputs) == 128  # as many of 64 as there are of 24 in 31
    assert fitting_side(31, [Port("image", "photo", multiple=4, least=44)]) == 32 + 40


def test_what_is_no_graph_is_refused_in_one_line():
    pytest.importorskip("onnxscript")
    with pytest.raises(LimnerError, match=r"^Torn cannot be exported to ONNX for all sizes: [^\n]{10,200}$"):
        to_onnx(evaluation_copy(Torn()))


@pytest.mark.parametrize(
    ("convert", "missing", "extra"),
    [(to_onnx, "onnx", "onnx"), (to_onnx, "onnxscript", "onnx"), (to_openvino, "openvino", "openvino")],
)
def test_a_missing_extra_is_named(monkeypatch, convert, missing, extra):
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(LimnerError, match=re.escape(f"extra: pip install '.[{extra}]' in the folder of Limner")):
        convert(evaluation_copy(SYSTEMS["vdsr"]))


def test_a_system_must_say_what_it_takes():
    assert ports_of(SYSTEMS["vdsr"]).inputs == (Port("image", "luminance", 1),)
    with pytest.raises(LimnerError, match="Identity must say what it takes"):
        ports_of(nn.Identity())
