"""The work of `limner models`."""

from typing import Any

from limner.catalog.models import ENTRIES
from limner.catalog.optimized import PICTURE_ENTRIES
from limner.cli.commands.models import Options
from limner.cli.printing import mebibytes, print_json
from limner.cli.work.embedded import embedded_models


def run(options: Options) -> None:
    """Print each system with its presets and its weights."""
    weights = embedded_models()
    described: list[dict[str, Any]] = [
        {
            "name": entry.name,
            "title": entry.title,
            "paper": entry.paper,
            "verbs": [task.command for task in entry.tasks],
            "presets": {name: preset.summary for name, preset in entry.presets.items()},
            "weights": [model for model in weights if model["system"] == entry.name],
        }
        for entry in ENTRIES
    ]
    described += [
        {
            "name": entry.name,
            "title": entry.title,
            "paper": entry.paper,
            "verbs": [task.command for task in entry.tasks],
            "presets": {name: preset.summary for name, preset in entry.presets.items()},
            "weights": None,
        }
        for entry in PICTURE_ENTRIES
    ]
    if options.as_json:
        print_json(described)
        return
    for system in described:
        _print(system)


def _print(system: dict[str, Any]) -> None:
    print(f"{system['name']}: {system['title']}, {system['paper']}")
    print(f"  does      {', '.join(system['verbs'])}")
    for number, (name, summary) in enumerate(system["presets"].items()):
        print(f"  preset    {name}{' (default)' if number == 0 else ''}: {summary}")
    if system["weights"] is None:
        print("  weights   none needed: it optimises one picture")
        return
    for model in system["weights"]:
        print(f"  weights   {model['name']}: {mebibytes(model['bytes'])}, {model['licence'] or 'no licence named'}")
        if model["headline"]:
            print(f"            {model['headline']}")
    if not system["weights"]:
        print(f"  weights   none built in: limner train {system['name']} --data FOLDER")
