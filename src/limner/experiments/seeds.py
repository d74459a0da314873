"""What trainings with several seeds have come to: the mean of each figure, and its deviation."""

import statistics
from collections.abc import Mapping, Sequence

from limner.measure.report import Column


def over_seeds(results: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Of each figure the mean, and its deviation as `<figure>_deviation`.

    >>> over_seeds([{"dice": 0.5}, {"dice": 0.7}])["dice"]
    0.6
    """
    figures: dict[str, float] = {}
    for key in results[0]:
        values = [one[key] for one in results]
        figures |= {key: statistics.mean(values), f"{key}_deviation": statistics.stdev(values)}
    return figures


def column(heading: str, name: str, form: str) -> Column:
    """A mean and its deviation."""
    return Column(heading, lambda row: f"{row.figures[name]:{form}} ± {row.figures[f'{name}_deviation']:{form}}")
