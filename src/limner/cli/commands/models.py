"""`limner models`."""

from dataclasses import dataclass

from limner.cli.options import Json


@dataclass(frozen=True, kw_only=True)
class Options:
    """List the systems and the weights that are built in."""

    as_json: Json = False
