"""Where the time of a start goes."""

import json
import subprocess
import sys

import pytest

from benchmarks.runtime import cold_start


def test_extra_imports_are_those_beyond_the_bare_ones_by_package():
    bare = {"torch": 1.0, "torch.nn": 0.5}
    whole = bare | {
        "torch._dynamo.utils": 0.25,
        "torch._dynamo.guards": 0.5,
        "limner.cli.main": 0.125,
        "sympy.core": 0.5,
    }
    assert cold_start.extra_imports(bare, whole) == [("torch._dynamo", 0.75), ("sympy", 0.5), ("limner.cli", 0.125)]


def test_imports_are_read_from_python():
    found = cold_start.imports([sys.executable, "-c", "import json.tool"])
    assert {"json", "json.decoder"} <= found.keys()
    assert all(seconds >= 0 for seconds in found.values())


def test_a_process_tells_its_time_its_words_and_its_memory():
    """From a small process, as the benchmark is: what it holds itself is the least that a system tells of another."""
    held = "held = bytearray(200 * 2**20); held[::4096] = b'x' * len(held[::4096])"
    code = (
        f"import sys; from benchmarks.runtime.cold_start import ran; print(ran([sys.executable, '-c', {held!r}]).peak)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert 200 <= float(done.stdout) < 320
    found = cold_start.ran([sys.executable, "-c", "import time; time.sleep(0.2); print(7)"])
    assert found.printed == "7\n"
    assert found.seconds >= 0.2 > found.cpu_seconds > 0
    with pytest.raises(subprocess.CalledProcessError):
        cold_start.ran([sys.executable, "-c", "raise SystemExit(3)"])


@pytest.mark.slow
def test_a_run_writes_where_the_time_goes(tmp_path):
    cold_start.main(rounds=1, out=tmp_path)
    found = json.loads((tmp_path / "cold_start.json").read_text())
    assert found["seconds"]["limner upscale"] > found["seconds"]["import torch"] > found["seconds"]["python alone"]
    assert {"import torch", "prepare the network", "run the network the first time", "end Python"} <= found["phases"][
        "limner upscale"
    ].keys()
    assert found["peak_mib"]["limner upscale"] > found["peak_mib"]["import torch"] > 50
    assert "times a bare `import torch`" in (tmp_path / "cold_start.md").read_text()
