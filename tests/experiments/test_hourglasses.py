"""All four networks are trained alike, and stand in one table."""

from pathlib import Path

import pytest
from tests.experiments.marked_cells import TINY, nuclei

from limner.experiments import hourglasses
from limner.experiments.hourglasses import NETWORKS, main


def test_a_run_writes_the_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    tiny = {name: config.model_copy(update={"channels": 4}) for name, config in NETWORKS.items()}
    monkeypatch.setattr(hourglasses, "NETWORKS", tiny)
    monkeypatch.setattr(hourglasses, "NUCLEI", TINY)
    table = tmp_path / "table.md"
    main(nuclei(tmp_path), table, steps=2, batch=1)
    assert capsys.readouterr().out == f"{table}\n"
    rows = [line.split(" | ") for line in table.read_text().splitlines() if line.startswith("| ")][1:]
    assert [row[0] for row in rows] == [f"| {name}" for name in NETWORKS]
    one_resolution = 9 * 4 + 7 * 9 * 16 + 2 * 4  # eight 3x3 convolutions, and the last
    assert rows[0][1] == f"{one_resolution:,}"
    assert all(0 <= float(row[3]) <= 1 for row in rows)
