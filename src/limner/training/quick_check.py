"""What training says of its data before it begins."""

from collections.abc import Mapping
from pathlib import Path

from limner.data.source import DataConfig
from limner.inspection.whole_set import findings_of, quick_survey_of

_TOLD = ("error", "warning")


def quick_lines(data: DataConfig, place: Path, hashes: Mapping[str, str]) -> list[str]:
    """A line for each fault that the heads and the hashes of files show.

    Args:
        data: How they are read.
        place: The folder; of a single file nothing is said.
        hashes: Of all files that are read, by their absolute paths.
    """
    if not place.is_dir():
        return []
    survey = quick_survey_of(place, data, {Path(path): found for path, found in hashes.items()})
    if not survey.seen:  # data that are no pictures, such as idx files
        return []
    return [one.line for one in findings_of(survey) if one.level in _TOLD]
