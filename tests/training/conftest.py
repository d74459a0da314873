from pathlib import Path

import pytest
from tests.coarse_pictures import draw_coarse


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    return draw_coarse(tmp_path / "pictures", 4, squares=5, size=(40, 36))
