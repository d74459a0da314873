import importlib.util
from importlib.util import find_spec

import pytest
import torch
from torch import nn

from limner.errors import LimnerError
from limner.ports import Port
from limner.runtime import engine as engine_module
from limner.runtime.engine import ENGINES, TorchEngine, installed, make, measure, measured_best
from limner.runtime.engine_record import keep, network_key
from limner.systems.feedforward.srresnet import SRResNet, SRResNetConfig
from limner.systems.feedforward.vdsr import VDSR, VDSRConfig

HERE = [pytest.param(name, marks=pytest.mark.skipif(name not in installed(), reason="extra")) for name in ENGINES]


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def system():
    return SRResNet(SRResNetConfig(num_blocks=1, channels=4, scale=2))


@pytest.mark.parametrize("name", HERE)
def test_each_engine_is_the_system(name, system):
    engine = make(name, system, precision="exact", threads=1)
    assert engine.name == name
    assert system.training, "the system is as it was"
    image = torch.rand(2, 3, 13, 10)
    with torch.inference_mode():
        expected = system.eval()(image)
    torch.testing.assert_close(engine(image), expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("name", HERE)
def test_fast_is_near(name):
    system = VDSR(VDSRConfig(num_layers=4, channels=8, fold=2)).eval()
    image = torch.rand(1, 1, 21, 18)
    with torch.inference_mode():
        expected = system(image)
    result = make(name, system, precision="fast")(image)
    assert result.dtype == torch.float32
    assert (result - expected).norm() < 0.02 * expected.norm()


def test_the_number_of_threads_is_put_back(system):
    seen = []
    engine = TorchEngine(system, precision="exact", threads=2)
    engine._network.register_forward_pre_hook(lambda *_: seen.append(torch.get_num_threads()))
    engine(torch.rand(1, 3, 8, 8))
    assert (seen, torch.get_num_threads()) == ([2], 1)


def test_an_unknown_engine_is_refused(system):
    with pytest.raises(LimnerError, match="backend must be one of torch, onnxruntime, openvino, got 'tensorrt'"):
        make("tensorrt", system, precision="exact")


class Baked(nn.Module):
    inputs, outputs = (Port("image", "luminance", 1),), (Port("result", "luminance", 1),)

    def forward(self, x):
        return x * (int(x.shape[-1]) / 100)


@pytest.mark.skipif(not find_spec("openvino"), reason="needs the openvino extra")
def test_an_engine_that_computes_something_else_is_refused():
    with pytest.raises(LimnerError, match="what openvino computes differs from the result of Baked by "):
        make("openvino", Baked(), precision="fast")


def test_installed_looks_for_all_libraries_of_an_extra(monkeypatch):
    for missing, left in {"onnxscript": ("torch", "openvino"), "openvino": ("torch", "onnxruntime")}.items():
        monkeypatch.setattr(importlib.util, "find_spec", lambda name, missing=missing: name != missing)
        assert installed() == left


def test_measuring_takes_turns_and_is_remembered(system, monkeypatch):
    costs = {"torch": iter([100.0, 3, 4, 9, 4, 4]), "openvino": iter([200.0, 1, 1, 2, 1, 8])}
    now, order = [0.0], []

    def make_fake(name, *_, **__):
        def engine(image):
            order.append(name)
            now[0] += next(costs[name])

        return engine

    monkeypatch.setattr(engine_module, "installed", lambda: ("torch", "openvino"))
    monkeypatch.setattr(engine_module, "make", make_fake)
    monkeypatch.setattr("limner.runtime.engine.time.perf_counter", lambda: now[0])
    assert measured_best(system, precision="fast", threads=3) is None
    assert measure(system, precision="fast", threads=3) == {"torch": 4.0, "openvino": 1.0}
    assert order == ["torch", "openvino"] * 6
    assert measured_best(system, precision="fast", threads=3) == "openvino"
    for other in ({"precision": "exact", "threads": 3}, {"precision": "fast", "threads": 2}):
        assert measured_best(system, **other) is None


def test_an_engine_that_cannot_run_the_system_is_left_out(system, monkeypatch):
    def make_torch_alone(name, *_, **__):
        if name != "torch":
            raise LimnerError("no")
        return lambda image: image

    monkeypatch.setattr(engine_module, "make", make_torch_alone)
    assert list(measure(system, precision="exact")) == ["torch"]
    assert measured_best(system, precision="exact") == "torch"


@pytest.mark.parametrize(
    ("seconds", "best"),
    [
        ({"torch": 1.0, "openvino": 0.5, "onnxruntime": 0.7}, "openvino"),
        ({"torch": 1.0, "openvino": 0.97}, "torch"),
        ({"torch": 1.0, "openvino": 2.0}, "torch"),
        ({"openvino": 2.0}, "openvino"),
    ],
)
def test_the_best_is_torch_unless_another_is_clearly_faster(system, seconds, best):
    keep(network_key(system, precision="fast", threads=torch.get_num_threads()), seconds)
    assert measured_best(system, precision="fast") == best
