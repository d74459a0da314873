import mmap
import subprocess
import sys

import pytest
import torch

from limner.errors import LimnerError
from limner.runtime.memory import default_budget, format_bytes, free_bytes, parse_bytes, resident_bytes


@pytest.mark.parametrize(
    ("text", "size"),
    [("1", 1), ("800M", 8e8), ("800 mb", 8e8), ("2GB", 2e9), ("1.5GiB", 1.5 * 2**30), ("4Ki", 4096), ("1T", 1e12)],
)
def test_sizes_as_people_write_them(text, size):
    assert parse_bytes(text) == size


@pytest.mark.parametrize("text", ["", "two", "-1GB", "0", "2 GBs", "GB", "1e9", "nan"])
def test_what_is_no_size_is_refused(text):
    with pytest.raises(LimnerError, match="memory must be a size such as 2GB"):
        parse_bytes(text)


def test_a_written_size_reads_back():
    assert parse_bytes(format_bytes(2.5e9)) == 2.5e9


def test_what_is_resident_grows_with_what_is_touched():
    with mmap.mmap(-1, 80_000_000) as held:  # which malloc has no say in
        before = resident_bytes()
        torch.frombuffer(held, dtype=torch.uint8).fill_(1)
        assert resident_bytes() - before > 0.8 * len(held)


def test_the_default_is_below_what_there_is():
    assert resident_bytes() < default_budget() < resident_bytes() + free_bytes()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads the peak as Linux tells it")
def test_the_peak_is_that_of_the_process_alone_not_of_the_one_that_began_it():
    inner = "from limner.runtime.memory import peak_bytes; print(peak_bytes())"
    outer = f"""
import subprocess, sys
held = b"x" * 300_000_000
print(subprocess.run([sys.executable, "-c", {inner!r}], capture_output=True, text=True, check=True).stdout)
"""
    done = subprocess.run([sys.executable, "-c", outer], capture_output=True, text=True, check=True)
    assert 1_000_000 < int(done.stdout) < 200_000_000
