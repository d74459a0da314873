import json
from collections.abc import Callable, Iterator

import pytest

from limner.verbs.diagnose import Finding


@pytest.fixture
def findings(monkeypatch: pytest.MonkeyPatch) -> list[Finding]:
    """What the doctor will find."""
    found = [Finding("software", "Python", "3.11"), Finding("extras", "web", "lacks fastapi", "pip install it")]
    monkeypatch.setattr("limner.cli.work.doctor.diagnose", lambda: iterate(found))
    return found


def iterate(found: list[Finding]) -> Iterator[Finding]:
    yield from found


def test_what_is_not_installed_is_not_broken(limner: Callable, findings: list[Finding]) -> None:
    done = limner("doctor")
    assert done.code == 0
    assert done.out.splitlines() == [
        "software",
        "  Python  3.11",
        "extras",
        "  web     lacks fastapi  ->  pip install it",
        "verdict: all is well",
    ]


def test_what_is_broken_is_marked(limner: Callable, findings: list[Finding]) -> None:
    findings.append(Finding("weights", "vdsr", "is cut short", "install again", is_broken=True))
    done = limner("doctor")
    assert done.code == 1
    assert "! vdsr    is cut short  ->  install again" in done.out.splitlines()
    assert done.out.splitlines()[-1].startswith("verdict: 1 broken")
    as_json = limner("doctor", "--json")
    assert as_json.code == 1
    assert json.loads(as_json.out)["healthy"] is False
