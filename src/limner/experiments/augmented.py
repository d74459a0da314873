"""Tables of what synthetic pictures are worth beside real ones: with and without, seed by seed."""

from collections.abc import Sequence

from limner.experiments.seeds import column, over_seeds
from limner.measure.report import CASE, METHOD, Column, Row

COLUMNS = (
    CASE,
    METHOD,
    column("Dice", "dice", ".4f"),
    Column("gain in points", lambda row: row.note, is_optional=True),
)


def with_and_without(case: str, alone: Sequence[float], both: Sequence[float]) -> tuple[Row, Row]:
    """Rows of Dice from real pictures alone and from both kinds, with the mean and the deviation of the gain."""
    gains = over_seeds([{"gain": 100 * (more - less)} for less, more in zip(alone, both, strict=True)])
    note = f"{gains['gain']:+.1f} ± {gains['gain_deviation']:.1f}"
    return (
        Row(case, "real alone", over_seeds([{"dice": one} for one in alone])),
        Row(case, "real and synthetic", over_seeds([{"dice": one} for one in both]), note=note),
    )
