"""`limner doctor`."""

from dataclasses import dataclass

from limner.cli.options import Json


@dataclass(frozen=True, kw_only=True)
class Options:
    """Say what is installed, what pays here, and what is broken.

    The exit code is 1 if something is broken.

    Examples:
        limner doctor
        limner doctor --json
        limner doctor && limner demo
    """

    as_json: Json = False
