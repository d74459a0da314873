"""What fields are called, for people who have never opened a terminal."""

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


def title_of(name: str) -> str:
    """Of an option or a file, by its name.

    >>> title_of("keep_colors"), title_of("sigma")
    ('Keep colors', 'Strength of the noise')
    """
    return _TITLES.get(name, name.replace("_", " ").capitalize())
