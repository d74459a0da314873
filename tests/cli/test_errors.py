import errno

import pytest
import torch

from limner.cli.errors import describe, exit_code
from limner.errors import LimnerError, TrainingStopped


@pytest.mark.parametrize(
    ("error", "line", "code"),
    [
        (LimnerError("a must be b,\n  got c"), "a must be b, got c", 2),
        (TrainingStopped("the loss is nan"), "the loss is nan", 1),
        (MemoryError(), "there is not enough memory", 1),
        (
            RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried 9 bytes"),
            "there is not enough memory",
            1,
        ),
        (torch.OutOfMemoryError("CUDA out of memory."), "there is not enough memory", 1),
        (OSError(errno.ENOSPC, "No space left on device", "a.png"), "a.png: there is no space left", 1),
        (PermissionError(errno.EACCES, "Permission denied", "a.png"), "a.png: permission denied", 2),
        (FileExistsError(errno.EEXIST, "File exists", "out"), "out: file exists", 2),
    ],
)
def test_what_a_user_can_mend_is_one_line(error: Exception, line: str, code: int) -> None:
    said = describe(error)
    assert said.startswith(line)
    assert "\n" not in said
    assert exit_code(error) == code


@pytest.mark.parametrize("error", [ValueError("our own"), RuntimeError("our own"), KeyError("x"), OSError("no name")])
def test_a_bug_has_no_line(error: Exception) -> None:
    assert describe(error) is None
    assert exit_code(error) == (2 if isinstance(error, OSError) else 1)
