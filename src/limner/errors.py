"""Errors that a user reads: one line that says what must hold, what came, and the mend."""

import difflib
from collections.abc import Iterable


class LimnerError(ValueError):
    """A refusal at a public door. The command line prints its message and exits with `exit_code`."""

    exit_code = 2


class TrainingStopped(LimnerError):
    """Training cannot go on, for instance because a loss is no longer finite. Nothing that was saved is lost."""

    exit_code = 1


def did_you_mean(word: str, known: Iterable[str], otherwise: str = "name one of them") -> str:
    """A question that names what was meant, where a word is near to some that are known; else another mend.

    >>> did_you_mean("great-wav", ["great-wave", "mosaic"])
    'did you mean great-wave?'
    """
    plain = {one.lower().replace("_", "-"): one for one in known}
    asked = word.lower().replace("_", "-")
    near = difflib.get_close_matches(asked, plain, 3, 0.6)
    best = [one for one in near if _likeness(asked, one) > _likeness(asked, near[0]) - 0.08]
    best = best or [one for one in plain if len(asked) > 2 and asked in one][:3]
    return f"did you mean {' or '.join(plain[one] for one in best)}?" if best else otherwise


def _likeness(one: str, other: str) -> float:
    return difflib.SequenceMatcher(None, other, one).ratio()
