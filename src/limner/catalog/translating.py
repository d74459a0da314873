"""The systems that turn pictures of one kind into another."""

from limner.catalog.entry import Entry

ENTRIES: tuple[Entry, ...] = ()
