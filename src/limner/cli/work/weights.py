"""The work of `limner weights`."""

from pathlib import Path

from limner.cli.commands.weights import FetchOptions, ListOptions
from limner.cli.printing import mebibytes, print_json, print_line
from limner.cli.progress import Bars
from limner.cli.work.dry_run import show
from limner.features.fetch import PUBLISHED, fetch, fetched_folder, find_published


def fetch_weights(options: FetchOptions) -> None:
    """Fetch one file, and print its path.

    Raises:
        LimnerError: If there is none of this name, or it cannot be fetched.
    """
    published = find_published(options.name)
    if options.dry_run:
        place = (options.output or fetched_folder()) / published.file_name
        show([(published.url, place)], as_json=options.as_json, bytes=published.size)
        return
    with ByteBar(published.file_name) as progress:
        path = fetch(options.name, options.output, bar=progress)
    if options.as_json:
        print_json({"name": options.name, "output": str(path), **published._asdict()})
    else:
        print_line(str(path))


def list_weights(options: ListOptions) -> None:
    """Print what can be fetched, and what is there."""
    folder = fetched_folder()
    described = [
        {"name": name, **published._asdict(), "path": _kept(folder / published.file_name, published.size)}
        for name, published in PUBLISHED.items()
    ]
    if options.as_json:
        print_json(described)
        return
    for name, published in PUBLISHED.items():
        kept = _kept(folder / published.file_name, published.size)
        print(f"{name}: {published.holds}, {mebibytes(published.size)}, {published.licence}")
        print_line(f"  {kept or f'not here: limner weights fetch {name}'}")


def _kept(path: Path, size: int) -> Path | None:
    """The path, if the whole file is there; whether it is the right one, fetching finds out."""
    return path if path.is_file() and path.stat().st_size == size else None


class ByteBar(Bars):
    """One bar over the bytes of a download, as pooch drives it."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._task = self.bars.add_task(name, total=None)

    @property
    def total(self) -> int:
        """Bytes that are to come; 0 if that is not known."""
        return int(self.bars.tasks[0].total or 0)

    @total.setter
    def total(self, size: int) -> None:
        self.bars.update(self._task, total=size or None)

    def update(self, count: int) -> None:
        """So many bytes more have come."""
        self.bars.advance(self._task, count)

    def reset(self) -> None:
        """Begin again."""
        self.bars.update(self._task, completed=0)

    def close(self) -> None:
        """All have come; the bar goes away with the context."""
