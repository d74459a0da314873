"""`limner info`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from limner.cli.options import Json, print_json


def info(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE|FOLDER", help="A picture, a .safetensors weight file, or the folder of a run."),
    ],
    as_json: Json = False,
) -> None:
    """Say what a picture, a weight file or a training run is."""
    from limner.cli.work.info import facts_of

    facts = facts_of(file)
    if as_json:
        print_json(facts)
        return
    for line in lines(facts):
        print(line)


def lines(facts: dict[str, Any], indent: str = "") -> list[str]:
    """Facts as a person reads them, one a line.

    >>> lines({"size": 3, "alpha": False, "card": {"steps": 5}})
    ['size: 3', 'alpha: no', 'card:', '  steps: 5']
    """
    result = []
    for name, value in facts.items():
        if isinstance(value, dict) and value:
            result += [f"{indent}{name}:", *lines(value, indent + "  ")]
        else:
            text = {True: "yes", False: "no"}[value] if isinstance(value, bool) else value
            result.append(f"{indent}{name}: {text}")
    return result
