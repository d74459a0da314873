"""Where the time of a start goes."""

import json
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


@pytest.mark.slow
def test_a_run_writes_where_the_time_goes(tmp_path):
    cold_start.main(rounds=1, out=tmp_path)
    found = json.loads((tmp_path / "cold_start.json").read_text())
    assert found["seconds"]["limner upscale"] > found["seconds"]["import torch"] > found["seconds"]["python alone"]
    assert {"import torch", "prepare the network", "run the network the first time", "end Python"} <= found["phases"][
        "limner upscale"
    ].keys()
    assert "times a bare `import torch`" in (tmp_path / "cold_start.md").read_text()
