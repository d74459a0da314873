"""What `--dry-run` says."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from limner.cli.printing import print_json
from limner.media.outputs import Job


def show_jobs(jobs: Sequence[Job], *, as_json: bool, **facts: Any) -> None:
    """Print what would become of each file."""
    show([(str(job.source), place) for job in jobs for place in job.outputs], as_json=as_json, **facts)


def show(made: Sequence[tuple[str, Path]], *, as_json: bool, **facts: Any) -> None:
    """Print what would be made from what, one a line, or all as JSON with other facts."""
    if as_json:
        print_json(
            {"dry_run": True, "planned": [{"source": one, "output": str(place)} for one, place in made], **facts}
        )
        return
    for one, place in made:
        print(f"{one} -> {place}")
    for name, value in facts.items():
        print(f"{name.replace('_', ' ')}: {value}")
    if not made:
        print("nothing is to be done")
