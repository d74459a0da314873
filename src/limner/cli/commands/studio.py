"""`limner studio` and `limner serve`."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer

from limner.cli.options import Device, Threads, unset

_Host = Annotated[str, typer.Option(metavar="ADDRESS", help="What it listens at; others than this machine need more.")]
_Port = Annotated[int, typer.Option(min=0, max=65535, metavar="N", help="0 takes one that is free.")]
_Folder = Annotated[
    Path | None, unset("FOLDER", "Where jobs and their files are kept. Without it: the usual place for a user's data.")
]
_Models = Annotated[
    list[Path], unset("FILE|FOLDER", "One's own models: weight files, folders of these or of runs.", "--model", "-m")
]
_NoBrowser = Annotated[bool, typer.Option("--no-browser", help="Do not open the page in a browser.")]
_Key = Annotated[
    str | None,
    typer.Option(
        "--key", metavar="TEXT", envvar="LIMNER_KEY", show_default=False, show_envvar=True,
        help="Take only requests that show it: Authorization: Bearer TEXT.",
    ),
]  # fmt: skip
_HostNames = Annotated[
    list[str],
    unset("NAME", "A name by which it may be called, for instance behind a proxy. Repeatable.", "--host-name"),
]
_TrainIn = Annotated[
    list[Path], unset("FOLDER", "Data for training may lie in it; without it nobody trains. Repeatable.", "--train-in")
]
_Megabytes = Annotated[int, typer.Option("--max-megabytes", min=1, metavar="N", help="Of one request.")]
_MaxPixels = Annotated[int, typer.Option("--max-pixels", min=1, metavar="N", help="Of one picture that is sent.")]
_Gigabytes = Annotated[
    float | None,
    unset("N", "Of memory, for one job. Without it: nine tenths of what is free.", "--max-gigabytes", min=1),
]
_MaxWaiting = Annotated[int, typer.Option("--max-waiting", min=1, metavar="N", help="Jobs that may wait.")]
_MaxSeconds = Annotated[float, typer.Option("--max-seconds", min=1, metavar="N", help="Of one job.")]
_MaxJobs = Annotated[
    int, typer.Option("--max-jobs", min=1, metavar="N", help="That are kept; of more the oldest are removed.")
]


@dataclass(frozen=True, kw_only=True)
class Options:
    """Of both."""

    host: _Host = "127.0.0.1"
    port: _Port = 7860
    folder: _Folder = None
    models: _Models = field(default_factory=list)
    device: Device = "auto"
    threads: Threads = None
    max_megabytes: _Megabytes = 200
    max_pixels: _MaxPixels = 50_000_000
    max_gigabytes: _Gigabytes = None
    max_waiting: _MaxWaiting = 64
    max_seconds: _MaxSeconds = 3600.0
    max_jobs: _MaxJobs = 1000
    no_browser: bool = True
    key: _Key = None
    host_names: _HostNames = field(default_factory=list)

    @property
    def opens_browser(self) -> bool:
        """Whether the page is opened."""
        return not self.no_browser

    @property
    def data_places(self) -> list[Path] | None:
        """Where data for training may lie; None: anywhere, for who sees the page may do all that its user may."""
        return None

    @property
    def has_page(self) -> bool:
        """Whether there is a page."""
        return True


@dataclass(frozen=True, kw_only=True)
class StudioOptions(Options):
    """Open a page in the browser for all of this.

    Draw, paint, enlarge, mend, train. Everything stays on this machine. What was made is kept, with all settings.

    Examples:
        limner studio
        limner studio --model runs/facades --port 8000
        limner studio --key secret --host 0.0.0.0 --host-name studio.example.org --no-browser
    """

    no_browser: _NoBrowser = False


@dataclass(frozen=True, kw_only=True)
class ServeOptions(Options):
    """Serve all of this to other programs.

    Over HTTP: /openapi.json says how.

    Examples:
        limner serve --port 8000
        limner serve --key secret --host 0.0.0.0 --host-name pictures.example.org
        limner serve --train-in /data/sets --max-waiting 8
    """

    train_in: _TrainIn = field(default_factory=list)

    @property
    def data_places(self) -> list[Path] | None:
        """What was named."""
        return self.train_in

    @property
    def has_page(self) -> bool:
        """None: it is for machines."""
        return False
