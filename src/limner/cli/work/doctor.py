"""The work of `limner doctor`."""

from itertools import groupby

import typer

from limner.cli.commands.doctor import Options
from limner.cli.printing import print_json
from limner.verbs.diagnose import diagnose


def run(options: Options) -> None:
    """Print what was found.

    Raises:
        typer.Exit: With 1, if something is broken.
    """
    findings = list(diagnose())
    broken = [finding for finding in findings if finding.is_broken]
    if options.as_json:
        print_json({"healthy": not broken, "findings": [finding._asdict() for finding in findings]})
    else:
        width = max(len(finding.name) for finding in findings)
        for topic, group in groupby(findings, key=lambda finding: finding.topic):
            print(topic)
            for finding in group:
                mark = "!" if finding.is_broken else " "
                mend = f"  ->  {finding.mend}" if finding.mend else ""
                print(f"{mark} {finding.name:{width}}  {finding.value}{mend}")
        verdict = "all is well" if not broken else f"{len(broken)} broken (marked !): do what stands behind the arrow"
        print(f"verdict: {verdict}")
    if broken:
        raise typer.Exit(1)
