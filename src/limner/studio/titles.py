"""What fields and their values are called, for people who have never opened a terminal."""

import re
from collections.abc import Iterable

_TITLES = {
    "arithmetic": "Sums",
    "assignments": "Settings by name",
    "batch_size": "Pictures a step",
    "choices": "All versions",
    "compare": "Before and after",
    "contours": "Outlines",
    "count": "How many",
    "crf": "Compression",
    "derive": "Prepare photos",
    "gram": "Style alone",
    "interpolate": "Blend",
    "least_area": "Smallest object",
    "long_term": "Frames to look back",
    "mix": "Mix layers",
    "nearest": "Nearest colours",
    "neuron": "The middle alone",
    "preset": "Version",
    "prior": "Kept natural by",
    "rate": "Pictures a second",
    "sigma": "Strength of the noise",
    "space": "Where it seeks",
    "start": "Begin with",
    "start_from": "Begin with",
    "stroke": "Width of strokes",
    "style_scale": "Size of strokes",
    "to": "Animate to",
    "transforms": "Changes",
    "truncation": "Variety",
    "units": "Parts of the network",
    "validation": "Kept for measuring",
}

_VALUES = {
    "adain": "AdaIN",
    "auto": "Automatic",
    "avif": "AVIF",
    "dip": "A network",
    "fourier": "Frequencies",
    "geojson": "GeoJSON",
    "paper": "As published",
    "released": "By its authors",
    "tv": "Smooth pixels",
    "webp": "WebP",
}
_LONGEST_LETTERS = 3  # of a word that is none, such as png


def title_of(name: str) -> str:
    """Of an option or a file, by its name.

    >>> title_of("keep_colors"), title_of("sigma")
    ('Keep colors', 'Strength of the noise')
    """
    return _TITLES.get(name, name.replace("_", " ").capitalize())


def title_of_value(word: str) -> str:
    """Of one of the few words that an option may be.

    >>> title_of_value("paper"), title_of_value("any-style"), title_of_value("png")
    ('As published', 'Any style', 'PNG')
    """
    plain = word.upper() if len(word) <= _LONGEST_LETTERS else word.replace("-", " ").capitalize()
    return _VALUES.get(word, plain)


def explained(text: str, words: Iterable[str]) -> str:
    """A text that explains words that an option may be, with their titles in their places.

    >>> explained("tv: smooth pixels; dip: seen by a network", ["tv", "dip"])
    'Smooth pixels; A network: seen by a network'
    """
    for word in words:
        title = title_of_value(word)
        begins = rf"(^|[.;] ){re.escape(word)}:"
        text = re.sub(rf"{begins} {title}\b", rf"\1{title}", text, flags=re.IGNORECASE)  # nothing is said twice
        text = re.sub(begins, rf"\1{title}:", text)
    return text
