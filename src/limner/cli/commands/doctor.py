"""`limner doctor`."""

from itertools import groupby

import typer

from limner.cli.options import Json, print_json


def doctor(as_json: Json = False) -> None:
    """Say what is installed, what pays here, and what is broken.

    The exit code is 1 if something is broken.
    """
    from limner.verbs.diagnose import diagnose

    findings = list(diagnose())
    broken = [finding for finding in findings if finding.is_broken]
    if as_json:
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
