import pytest
import torch

from limner import processor
from limner.processor import bfloat16_pays, precision_on

CPU = torch.device("cpu")
AMD = "vendor_id\t: AuthenticAMD\n"
INTEL = "vendor_id\t: GenuineIntel\n"


def pretend(monkeypatch, tmp_path, *, amx: bool, avx512: bool, told: str) -> None:
    """Let the machine have a CPU of another kind."""
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: amx)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: avx512)
    (tmp_path / "cpuinfo").write_text(told)
    monkeypatch.setattr(processor, "_CPUINFO", tmp_path / "cpuinfo")


@pytest.mark.parametrize(
    ("amx", "avx512", "told", "pays"),
    [
        (False, True, AMD, True),
        (False, True, INTEL, False),  # measured: 0.53 times as fast
        (True, True, INTEL, True),
        (False, False, AMD, False),
    ],
)
def test_bfloat16_pays_where_it_is_faster(monkeypatch, tmp_path, amx, avx512, told, pays):
    pretend(monkeypatch, tmp_path, amx=amx, avx512=avx512, told=told)
    assert bfloat16_pays(CPU) == pays
    assert precision_on(CPU, "fast") == ("fast" if pays else "exact")
    assert precision_on(CPU, "exact") == "exact"


def test_bfloat16_does_not_pay_on_what_is_not_known():
    assert not bfloat16_pays(torch.device("meta"))


def test_windows_tells_the_maker_in_another_place(monkeypatch, tmp_path):
    pretend(monkeypatch, tmp_path, amx=False, avx512=True, told="")
    monkeypatch.setattr(processor, "_CPUINFO", tmp_path / "nowhere")
    monkeypatch.setattr("platform.processor", lambda: "AMD64 Family 25 Model 97 Stepping 2, AuthenticAMD")
    assert bfloat16_pays(CPU)
