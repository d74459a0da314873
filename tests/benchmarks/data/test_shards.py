"""The benchmark of shards measures the same pictures in both, and its report has a row for each."""

from pathlib import Path

from benchmarks.data.shards import draw, report, write_folder, write_shards

from limner.files.shard_path import unpacked
from limner.processor import Machine


def test_shards_and_folder_hold_the_same(tmp_path: Path) -> None:
    write_shards(tmp_path / "shards", 70, 48)
    write_folder(tmp_path / "folder", 70, 48)
    packed = unpacked(tmp_path / "shards")
    files = sorted(path for path in (tmp_path / "folder").rglob("*.jpg"))
    assert len(files) == 70
    for path in files:
        assert (packed / path.relative_to(tmp_path / "folder")).read_bytes() == path.read_bytes()


def test_a_row_for_each(tmp_path: Path) -> None:
    write_shards(tmp_path / "shards", 20, 48)
    found = draw(tmp_path / "shards", 32)
    assert found["rate"] > 0 and 0 < found["bytes before"] <= found["bytes opened"] <= found["bytes drawn"]
    told = {
        "machine": vars(Machine.here()),
        "command": "c",
        "side": 48,
        "samples": 32,
        "measured": {"shards": {"pictures": 20, **found}},
    }
    lines = list(report(told))
    assert len([line for line in lines if line.startswith("| shards | 20 |")]) == 1
