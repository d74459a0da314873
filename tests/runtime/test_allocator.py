"""The setting of malloc, each time in a process of its own: it is one for a whole process."""

import subprocess
import sys

import pytest

_PROGRAM = """
import limner, torch
from limner.memory import resident_bytes

def left() -> int:
    before = resident_bytes()
    block = torch.ones(2**26)
    del block
    return (resident_bytes() - before) >> 20

torch.ones(8)
found = [left()]
for keep in (True, False):
    assert limner.tune(keep_memory=keep)
    found.append(left())
print(*found)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's alone")
def test_freed_memory_is_kept_and_given_back_as_asked():
    ran = subprocess.run([sys.executable, "-c", _PROGRAM], check=True, capture_output=True, text=True)
    by_default, kept, taken_back = map(int, ran.stdout.split())
    assert by_default < 16
    assert kept > 200  # of 256 MiB
    assert taken_back < 16
