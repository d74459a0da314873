"""The systems that make pictures from chance."""

from limner.catalog.entry import Entry

ENTRIES: tuple[Entry, ...] = ()
