import mmap
import subprocess
import sys

import pytest
import torch

from limner import memory, processor
from limner.memory import free_bytes, peak_bytes, resident_bytes
from limner.processor import (
    Machine,
    autocast_on,
    bfloat16_pays,
    dtype_on,
    layout_on,
    precision_on,
    processor_class,
    processor_name,
)

CPU = torch.device("cpu")
AMD = "vendor_id\t: AuthenticAMD\nmodel name\t: AMD EPYC\n"
INTEL = "vendor_id\t: GenuineIntel\nmodel name\t: Intel(R) Xeon(R)\n"
HAS = ("avx2", "avx512", "avx512_bf16", "amx_tile")  # each CPU that has one has those before it


@pytest.fixture(autouse=True)
def no_limits(monkeypatch):
    """The environment holds neither oneDNN nor torch back."""
    for name in ("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX512")


def pretend(monkeypatch, tmp_path, *, has: int, told: str = AMD, machine: str = "x86_64") -> None:
    """Let the machine have a CPU with the first so many of `HAS`."""
    for number, name in enumerate(HAS):
        monkeypatch.setattr(torch.cpu, f"_is_{name}_supported", lambda number=number: number < has)
    (tmp_path / "cpuinfo").write_text(told)
    monkeypatch.setattr(processor, "_CPUINFO", tmp_path / "cpuinfo")
    monkeypatch.setattr("platform.machine", lambda: machine)


@pytest.mark.parametrize(("has", "found"), list(enumerate(("SSE4", "AVX2", "AVX-512", "AVX-512 BF16", "AMX"))))
def test_the_class_is_what_the_processor_has(monkeypatch, tmp_path, has, found):
    pretend(monkeypatch, tmp_path, has=has)
    assert processor_class() == found


def test_what_is_not_of_intel_and_amd_has_no_class(monkeypatch, tmp_path):
    pretend(monkeypatch, tmp_path, has=0, machine="aarch64")
    assert processor_class() == "other"
    assert not bfloat16_pays(CPU)
    assert layout_on(CPU, "weights") == torch.channels_last


@pytest.mark.parametrize(
    ("limit", "found"),
    [
        ("SSE41", "SSE4"),
        ("avx2", "AVX2"),
        ("AVX2_VNNI", "AVX2"),
        ("AVX512_CORE", "AVX-512"),
        ("AVX512_CORE_BF16", "AVX-512 BF16"),
        ("AVX512_CORE_AMX", "AMX"),
        ("DEFAULT", "AMX"),
        ("", "AMX"),
    ],
)
@pytest.mark.parametrize("name", ["ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA"])
def test_onednn_may_be_held_to_a_lower_class(monkeypatch, tmp_path, name, limit, found):
    pretend(monkeypatch, tmp_path, has=4)
    monkeypatch.setenv(name, limit)
    assert processor_class() == found


def test_a_limit_gives_nothing_that_is_not_there(monkeypatch, tmp_path):
    pretend(monkeypatch, tmp_path, has=1)
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "AVX512_CORE_AMX")
    assert processor_class() == "AVX2"


@pytest.mark.parametrize(("capability", "found"), [("DEFAULT", "SSE4"), ("AVX2", "AVX2"), ("AVX512", "AVX-512 BF16")])
def test_torch_may_be_held_to_a_lower_class(monkeypatch, tmp_path, capability, found):
    pretend(monkeypatch, tmp_path, has=3)
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capability)
    assert processor_class() == found


@pytest.mark.parametrize(
    ("has", "told", "pays"),
    [
        (3, AMD, True),
        (3, INTEL, False),  # measured: 0.53 times as fast
        (4, INTEL, True),
        (2, AMD, False),
        (1, AMD, False),
    ],
)
def test_bfloat16_pays_where_it_is_faster(monkeypatch, tmp_path, has, told, pays):
    pretend(monkeypatch, tmp_path, has=has, told=told)
    assert bfloat16_pays(CPU) == pays
    assert precision_on(CPU, "fast") == ("fast" if pays else "exact")
    assert dtype_on(CPU, "fast") == (torch.bfloat16 if pays else torch.float32)
    with autocast_on(CPU, "fast"):
        assert torch.is_autocast_enabled("cpu") == pays
    assert precision_on(CPU, "exact") == "exact"
    assert dtype_on(CPU, "exact") == torch.float32
    with autocast_on(CPU, "exact"):
        assert not torch.is_autocast_enabled("cpu")


def test_bfloat16_does_not_pay_on_what_is_not_known():
    assert not bfloat16_pays(torch.device("meta"))


@pytest.mark.parametrize("has", range(5))
def test_channels_come_first_where_weights_learn_without_avx512(monkeypatch, tmp_path, has):
    pretend(monkeypatch, tmp_path, has=has)
    assert layout_on(CPU, "weights") == (torch.contiguous_format if has < 2 else torch.channels_last)
    assert layout_on(CPU, "picture") == torch.channels_last
    assert layout_on(torch.device("cuda"), "weights") == torch.channels_last


def test_windows_tells_the_maker_in_another_place(monkeypatch, tmp_path):
    pretend(monkeypatch, tmp_path, has=3)
    monkeypatch.setattr(processor, "_CPUINFO", tmp_path / "nowhere")
    monkeypatch.setattr("platform.processor", lambda: "AMD64 Family 25 Model 97 Stepping 2, AuthenticAMD")
    assert bfloat16_pays(CPU)
    assert processor_name().startswith("AMD64")


def test_reports_name_the_class(monkeypatch, tmp_path):
    pretend(monkeypatch, tmp_path, has=2, told=INTEL)
    here = Machine.here()
    assert here.processor == "Intel(R) Xeon(R)"
    assert here.processor_class == "AVX-512"
    assert here.torch == torch.__version__
    assert here.date.endswith("UTC")
    assert Machine("a", 1, "none", "2", "today", "AVX2").hardware == "AVX2, 1 thread"
    assert Machine("a", 2, "a GPU", "2", "today", "AMX").setting == "AMX, 2 threads, a GPU, torch 2, today"


def test_what_is_resident_grows_with_what_is_touched():
    with mmap.mmap(-1, 80_000_000) as held:  # which malloc has no say in
        before = resident_bytes()
        torch.frombuffer(held, dtype=torch.uint8).fill_(1)
        assert resident_bytes() - before > 0.8 * len(held)
        assert peak_bytes() > 0.8 * len(held) + before


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads the peak as Linux tells it")
def test_the_peak_is_that_of_the_process_alone_not_of_the_one_that_began_it():
    inner = "from limner.memory import peak_bytes; print(peak_bytes())"
    outer = f"""
import subprocess, sys
held = b"x" * 700_000_000
print(subprocess.run([sys.executable, "-c", {inner!r}], capture_output=True, text=True, check=True).stdout)
"""
    done = subprocess.run([sys.executable, "-c", outer], capture_output=True, text=True, check=True)
    assert 1_000_000 < int(done.stdout) < 600_000_000


@pytest.mark.parametrize(("limit", "used", "left"), [("1000", "400", 600), ("1000", "1400", 0), ("max", "400", None)])
def test_what_is_free_keeps_to_the_limit_of_the_group(monkeypatch, tmp_path, limit, used, left):
    (tmp_path / "memory.max").write_text(limit)
    (tmp_path / "memory.current").write_text(used)
    monkeypatch.setattr(memory, "_CGROUP", tmp_path)
    assert free_bytes() == left if left is not None else 2**20 < free_bytes() < 2**50
