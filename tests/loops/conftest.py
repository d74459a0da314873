"""What trainings in processes of their own read."""

from pathlib import Path

import pytest
from tests.coarse_pictures import draw_coarse


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Eight coarse ones."""
    return draw_coarse(tmp_path / "pictures", 8, squares=8, size=(96, 96))
