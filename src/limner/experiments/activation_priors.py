"""The same channels and classes imagined under three priors (Olah et al. 2017; Ulyanov et al. 2018).

`python -m limner.experiments.activation_priors --output sheet.png`
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from limner.experiments.command import begin, finish, image_of, run_program, tell
from limner.experiments.options import Output, Seed, Size, Steps, Threads
from limner.loops.priors import Prior
from limner.media.contact_sheet import Panel
from limner.verbs.imagine import find_subject, imagine_subject, preset

UNITS = ("class:goldfish", "class:espresso", "relu4_1:100", "relu3_3:20")
_Units = Annotated[
    tuple[str, str, str, str], typer.Option("--units", help="Four, as limner imagine takes them.", metavar="A B C D")
]
PRIORS: dict[Prior, str] = {"tv": "total variation", "fourier": "Fourier", "dip": "deep image prior"}


def sheet(units: Sequence[str] = UNITS, *, size: int, steps: int | None = None, seed: int = 0) -> list[Panel]:
    """The panels: a row for each prior, with all units."""
    panels, subjects = [], [find_subject(unit) for unit in units]
    for prior, name in PRIORS.items():
        for subject in subjects:
            tell(f"{subject.label} under {name}")
            config = preset(prior, is_class=subject.is_class).with_steps(steps)
            result = imagine_subject(subject, (size, size), config, seed=seed)
            panels.append(Panel(f"{subject.label}, {name}", image_of(result)))
    return panels


def main(
    output: Output = Path("activation_priors.png"),
    units: _Units = UNITS,
    size: Size = 256,
    steps: Steps = None,
    seed: Seed = 0,
    threads: Threads = None,
) -> None:
    """Show what units of networks look for, under three priors."""
    begin(threads)
    finish(output, sheet(units, size=size, steps=steps, seed=seed), len(units))


if __name__ == "__main__":
    run_program(main)
