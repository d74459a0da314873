"""Where the reports of benchmarks lie, and how one is written."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from limner.processor import Machine

RESULTS = Path(__file__).parents[1] / "results"


def of_class(name: str, machine: Machine) -> str:
    """The name of a report whose figures hold for one class of processor alone, as training-avx2."""
    return f"{name}-{machine.processor_class.lower().replace(' ', '-')}"


def publish(name: str, found: dict[str, Any], lines: Iterable[str], folder: Path = RESULTS) -> None:
    """Write the figures as `<name>.json` and the report as `<name>.md`, and print the report."""
    text = "\n".join(lines) + "\n"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    (folder / f"{name}.md").write_text(text, encoding="utf-8")
    print(text)


def made_by(found: dict[str, Any]) -> str:
    """The line on the machine and the command, of a report whose figures hold both."""
    return f"{Machine(**found['machine']).setting}. Made by `{found['command']}`."
