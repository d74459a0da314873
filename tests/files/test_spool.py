"""Rows that outlast the run that made them."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from limner.errors import LimnerError
from limner.files.spool import Spool

SHAPE = (10, 4, 3)
ROWS = np.arange(10 * 4 * 3, dtype=np.uint16).reshape(SHAPE)
ASKED = {"source": "photo.png", "scale": 2}


def spool(folder, *, asked=ASKED, shape=SHAPE, kind=np.uint16, resume=False):
    return Spool(folder / "a.part", asked, shape, np.dtype(kind), resume=resume)


def test_rows_come_back(tmp_path):
    rows = spool(tmp_path)
    rows.append(ROWS[:3])
    rows.append(ROWS[3:10])
    assert rows.rows == 10
    np.testing.assert_array_equal(rows.read(0, 10), ROWS)
    np.testing.assert_array_equal(rows.read(2, 5), ROWS[2:5])
    rows.discard()
    assert list(tmp_path.iterdir()) == []


def test_rows_that_do_not_lie_side_by_side_in_memory_are_kept_in_order(tmp_path):
    rows = spool(tmp_path)
    rows.append(np.asfortranarray(ROWS)[:3])
    np.testing.assert_array_equal(rows.read(0, 3), ROWS[:3])


def test_a_resumed_run_has_the_rows_of_the_one_before(tmp_path):
    first = spool(tmp_path)
    first.append(ROWS[:4])
    first.close()
    second = spool(tmp_path, resume=True)
    assert second.rows == 4
    second.append(ROWS[4:])
    np.testing.assert_array_equal(second.read(0, 10), ROWS)


def test_without_resume_they_are_dropped(tmp_path):
    first = spool(tmp_path)
    first.append(ROWS[:4])
    first.close()
    second = spool(tmp_path, asked={"source": "another.png"})
    assert second.rows == 0
    second.append(ROWS[5:6])
    np.testing.assert_array_equal(second.read(0, 1), ROWS[5:6])


def test_resuming_without_an_earlier_run_begins(tmp_path):
    assert spool(tmp_path, resume=True).rows == 0


@pytest.mark.parametrize(
    ("other", "says"),
    [
        ({"asked": ASKED | {"scale": 3}}, "whose scale was 2, now it is 3"),
        ({"asked": ASKED | {"weights": "abc"}}, "whose weights was None, now it is abc"),
        ({"shape": (10, 4, 1)}, r"whose shape was \[10, 4, 3\], now it is \[10, 4, 1\]"),
        ({"kind": np.uint8}, "whose samples was uint16, now it is uint8"),
    ],
)
def test_resuming_something_else_is_refused_and_loses_nothing(tmp_path, other, says):
    first = spool(tmp_path)
    first.append(ROWS[:4])
    first.close()
    with pytest.raises(LimnerError, match=says) as caught:
        spool(tmp_path, resume=True, **other)
    assert "\n" not in str(caught.value)
    assert spool(tmp_path, resume=True).rows == 4


KILLED_WHILE_WRITING = """
import os, signal, sys
from pathlib import Path
import numpy as np
from limner.files.spool import Spool

rows = np.arange(10 * 4 * 3, dtype=np.uint16).reshape(10, 4, 3)
spool = Spool(Path(sys.argv[1]) / "a.part", {"source": "photo.png", "scale": 2}, (10, 4, 3), rows.dtype, resume=False)
spool.append(rows[:4])
(spool.folder / "scratch").mkdir()
spool._file.write(rows[4].tobytes()[:10])
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_half_a_row_of_a_killed_run_is_dropped(tmp_path):
    subprocess.run([sys.executable, "-c", KILLED_WHILE_WRITING, str(tmp_path)], check=False)
    assert (tmp_path / "a.part" / "rows.raw").stat().st_size == 4 * 24 + 10
    second = spool(tmp_path, resume=True)
    assert second.rows == 4
    assert sorted(path.name for path in second.folder.iterdir()) == ["journal.json", "rows.raw"]
    second.append(ROWS[4:])
    np.testing.assert_array_equal(second.read(0, 10), ROWS)


def test_a_full_disk_leaves_whole_strips(tmp_path, monkeypatch):
    first = spool(tmp_path)
    first.append(ROWS[:4])

    def full(number):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        first.append(ROWS[4:6])
    monkeypatch.undo()
    assert (tmp_path / "a.part" / "rows.raw").stat().st_size == 4 * 24
    assert first.rows == json.loads((tmp_path / "a.part" / "journal.json").read_text())["rows"] == 4
    first.append(ROWS[4:])
    np.testing.assert_array_equal(first.read(0, 10), ROWS)


@pytest.mark.skipif(sys.platform == "win32", reason="no lock of this kind")
def test_two_runs_at_once_are_refused(tmp_path):
    first = spool(tmp_path)
    first.append(ROWS[:4])
    for resume in (False, True):
        with pytest.raises(LimnerError, match="another run is at work on this picture"):
            spool(tmp_path, resume=resume)
    first.close()
    assert spool(tmp_path, resume=True).rows == 4


def test_a_folder_of_somebody_else_is_left_alone(tmp_path):
    (tmp_path / "a.part").mkdir()
    (tmp_path / "a.part" / "letter.txt").write_text("dear")
    with pytest.raises(LimnerError, match="is in the way"):
        spool(tmp_path)
    assert [path.name for path in (tmp_path / "a.part").iterdir()] == ["letter.txt"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"limner": 99, "rows": 4}'])
def test_a_journal_that_cannot_be_understood_begins_anew(tmp_path, text):
    first = spool(tmp_path)
    first.append(ROWS[:4])
    first.close()
    (tmp_path / "a.part" / "journal.json").write_text(text)
    assert spool(tmp_path, resume=True).rows == 0


def test_lost_rows_are_noticed(tmp_path):
    first = spool(tmp_path)
    first.append(ROWS[:4])
    first.close()
    os.truncate(tmp_path / "a.part" / "rows.raw", 30)
    with pytest.raises(LimnerError, match="has lost rows"):
        spool(tmp_path, resume=True)


def test_a_picture_that_the_disk_cannot_hold_is_refused_before_the_work(tmp_path):
    with pytest.raises(
        LimnerError, match=r"the rows of 1000000x1000000000 pixels take .* GB are free there, so .* GB are missing"
    ):
        spool(tmp_path, shape=(10**9, 10**6, 3))
    assert list(tmp_path.iterdir()) == []
