"""Reports and clean copies."""

import hashlib
import json
import re
from pathlib import Path

import pytest
from tests.inspection.planted import marked, photos, save, scene

import limner
from limner.errors import LimnerError
from limner.inspection.clean_copy import write_clean_copy


def spoilt(root: Path) -> Path:
    marked(root)
    (root / "images" / "03.png").write_bytes(b"")
    (root / "masks" / "05.png").unlink()
    save(root / "images" / "06.png", scene(7))
    (root / "images" / "08.png").rename(root / "images" / "08.jpg")
    (root / "classes.toml").write_text("")
    (root / "images" / "<b>&.png").write_bytes(b"<script>")
    return root


def state(root: Path) -> dict[str, str]:
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in root.rglob("*") if path.is_file()
    }  # fmt: skip


def test_a_clean_copy_has_no_errors_and_the_original_is_as_it_was(tmp_path: Path) -> None:
    root = spoilt(tmp_path / "data")
    before = state(root)
    found = limner.check(root, keep=False)
    assert not found.is_sound
    write_clean_copy(found, tmp_path / "made" / "clean")
    assert state(root) == before
    clean = limner.check(tmp_path / "made" / "clean", keep=False)
    assert clean.is_sound
    assert clean.verdict == "nothing is wrong"
    names = set(state(tmp_path / "made" / "clean"))
    assert "classes.toml" in names
    assert {"images/03.png", "masks/03.png", "images/05.png", "images/08.jpg"}.isdisjoint(names)
    assert {"images/08.png", "masks/08.png", "images/04.png"} <= names
    assert sorted(path.name for path in (tmp_path / "made").iterdir()) == ["clean"]


@pytest.mark.parametrize("where", ["data", "data/clean", ".", "there"])
def test_a_clean_copy_is_not_written_over_anything(tmp_path: Path, where: str) -> None:
    photos(tmp_path / "data")
    (tmp_path / "there").mkdir()
    with pytest.raises(LimnerError, match=r"already there|neither in the data"):
        write_clean_copy(limner.check(tmp_path / "data", keep=False), tmp_path / where)


def test_the_page_needs_nothing_else_and_escapes_names(tmp_path: Path) -> None:
    page = limner.check(spoilt(tmp_path / "data"), keep=False).html()
    assert "<b>&.png" not in page
    assert "&lt;b&gt;&amp;.png" in page
    assert all(one.startswith("data:image/webp;base64,") for one in re.findall(r'src="([^"]*)', page))
    assert not re.findall(r"https?://|<link|<script|@import|url\(", page)
    assert page.count("<img") > 10


def test_json_says_all(tmp_path: Path) -> None:
    told = json.loads(json.dumps(limner.check(spoilt(tmp_path / "data"), keep=False).as_json()))
    kinds = {one["kind"]: one for one in told["findings"]}
    assert told["kind"] == "masks"
    assert not told["sound"]
    assert kinds["empty"]["files"] == [[str(tmp_path / "data" / "images" / "03.png")]]
    assert told["tables"]["Sides"] == {"48 x 48": 19}
