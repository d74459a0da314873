"""`limner weights`."""

from pathlib import Path
from typing import Annotated

import typer

from limner.cli.options import Json, mebibytes, print_json

app = typer.Typer(
    help="Fetch weights that others publish, for --features.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

_Name = Annotated[str, typer.Argument(metavar="NAME", help="See limner weights list.")]
_To = Annotated[
    Path | None,
    typer.Option(metavar="FOLDER", help="Without it: this system's folder for what is kept.", show_default=False),
]


@app.command("fetch")
def fetch_weights(name: _Name, to: _To = None) -> None:
    """Fetch a file of weights and print its path.

    It is checked, and kept for the next time. Limner fetches nothing unasked.
    """
    from limner.cli.work.weights import ByteProgress
    from limner.features.fetch import fetch, find_published

    with ByteProgress(find_published(name).file_name) as progress:
        path = fetch(name, to, bar=progress)
    print(path)


@app.command("list")
def list_weights(as_json: Json = False) -> None:
    """List what can be fetched, and what is there."""
    from limner.features.fetch import PUBLISHED, fetched_folder

    folder = fetched_folder()
    described = [
        {"name": name, **published._asdict(), "path": _kept(folder / published.file_name, published.size)}
        for name, published in PUBLISHED.items()
    ]
    if as_json:
        print_json(described)
        return
    for name, published in PUBLISHED.items():
        kept = _kept(folder / published.file_name, published.size)
        print(f"{name}: {published.holds}, {mebibytes(published.size)}, {published.licence}")
        print(f"  {kept or f'not here: limner weights fetch {name}'}")


def _kept(path: Path, size: int) -> Path | None:
    """The path, if the whole file is there; whether it is the right one, fetching finds out."""
    return path if path.is_file() and path.stat().st_size == size else None
