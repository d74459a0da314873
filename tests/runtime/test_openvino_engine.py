import subprocess
import sys
from importlib.util import find_spec

import pytest
import torch

from limner.errors import LimnerError
from limner.processor import bfloat16_pays
from limner.runtime.conversion import evaluation_copy, to_openvino
from limner.runtime.openvino_engine import OpenVinoEngine, import_openvino, reason
from limner.systems.feedforward.vdsr import VDSR, VDSRConfig

needs_openvino = pytest.mark.skipif(not find_spec("openvino"), reason="needs the openvino extra")


@pytest.fixture(scope="module")
def system():
    torch.manual_seed(0)
    return evaluation_copy(VDSR(VDSRConfig(num_layers=4, channels=16)))


@pytest.fixture(scope="module")
def model(system):
    return to_openvino(system)


@needs_openvino
def test_exact_is_float32(system, model):
    engine = OpenVinoEngine(model, precision="exact", threads=1)
    image = torch.rand(2, 1, 23, 31)
    assert engine.name == "openvino"
    torch.testing.assert_close(engine(image), system(image), atol=1e-5, rtol=1e-5)


@needs_openvino
def test_fast_is_bfloat16_where_that_pays(system, model):
    image = torch.rand(1, 1, 32, 32)
    result = OpenVinoEngine(model, precision="fast")(image)
    away = (result - system(image)).norm() / system(image).norm()
    assert result.dtype == torch.float32
    assert away < 0.02
    assert (away > 1e-5) == bfloat16_pays(torch.device("cpu"))


@needs_openvino
def test_a_result_is_not_overwritten_by_the_next(model):
    engine = OpenVinoEngine(model, precision="exact")
    first = engine(torch.ones(1, 1, 9, 9))
    kept = first.clone()
    engine(torch.zeros(1, 1, 9, 9))
    assert torch.equal(first, kept)


@needs_openvino
def test_an_input_that_does_not_fit_is_refused_in_one_line(model):
    with pytest.raises(LimnerError, match=r"^the network does not take an input of 1x3x9x9 \([^\n]+\)$"):
        OpenVinoEngine(model, precision="exact")(torch.rand(1, 3, 9, 9))


@needs_openvino
def test_importing_openvino_through_limner_does_not_report_to_its_makers(tmp_path):
    code = (
        "import sys; from limner.runtime.openvino_engine import import_openvino; import_openvino();"
        "from openvino.tools.ovc import telemetry_utils; print(telemetry_utils.tm.__name__);"
        "print(sorted(name for name in sys.modules if name.startswith('openvino_telemetry')))"
    )
    home = {"HOME": str(tmp_path), "PATH": "", "CI": ""}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=home, check=True)
    assert done.stdout.splitlines() == ["openvino.tools.ovc.telemetry_stub", "[]"]
    assert list(tmp_path.iterdir()) == []


def test_a_missing_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(
        LimnerError, match=r"^OpenVINO needs the openvino extra: pip install '\.\[openvino\]' in the folder"
    ):
        import_openvino()


def test_a_reason_is_the_last_line_that_says_something():
    assert reason(RuntimeError("Exception from src/a.cpp:84:\nCheck failed\n\n")) == "Check failed"
    assert reason(RuntimeError("")) == "RuntimeError"


@needs_openvino
@pytest.mark.skipif(sys.platform == "win32", reason="signals there have no stack of their own")
def test_signals_are_answered_when_engines_have_gone():
    """Each plugin gives signals a stack of its own, and takes it away when it goes, in whatever order that is."""
    code = (
        "import gc, signal;"
        "from limner.runtime.conversion import evaluation_copy, to_openvino;"
        "from limner.runtime.openvino_engine import OpenVinoEngine;"
        "from limner.systems.feedforward.vdsr import VDSR, VDSRConfig;"
        "model = to_openvino(evaluation_copy(VDSR(VDSRConfig(num_layers=2, channels=2))));"
        "first, second = (OpenVinoEngine(model, precision='exact', threads=1) for _ in range(2));"
        "del first; gc.collect(); del second; gc.collect();"
        "third = OpenVinoEngine(model, precision='exact', threads=1); del third; gc.collect();"
        "signal.signal(signal.SIGINT, lambda *given: print('answered'));"
        "signal.raise_signal(signal.SIGINT)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "answered\n"), done.stderr
