"""Palettes as GIMP, Krita, Inkscape and Aseprite read them: .gpl."""

from collections.abc import Mapping

Color = tuple[int, int, int]


def gimp_palette(name: str, colors: Mapping[str, Color]) -> str:
    r"""The text of a palette.

    Args:
        name: Of the palette.
        colors: R, G and B in 0..255, by their names.

    >>> gimp_palette("flags", {"red": (255, 0, 0)}).splitlines()
    ['GIMP Palette', 'Name: flags', 'Columns: 1', '#', '255   0   0\tred']
    """
    lines = [f"{red:3} {green:3} {blue:3}\t{title}" for title, (red, green, blue) in colors.items()]
    head = ("GIMP Palette", f"Name: {name}", f"Columns: {min(16, len(colors))}", "#")
    return "\n".join([*head, *lines]) + "\n"
