"""Errors that a user reads: one line that says what must hold, what came, and the mend."""


class LimnerError(ValueError):
    """A refusal at a public door. The command line prints its message and exits with `exit_code`."""

    exit_code = 2


class TrainingStopped(LimnerError):
    """Training cannot go on, for instance because a loss is no longer finite. Nothing that was saved is lost."""

    exit_code = 1
