"""Weights that others publish: fetched when asked for, checked, and kept. Nothing is ever fetched unasked."""

from pathlib import Path
from typing import NamedTuple, Protocol

from limner.errors import LimnerError, did_you_mean

_CHUNK = 2**18  # bytes


class FetchError(LimnerError):
    """A file could not be fetched, or is not the one that was published."""

    exit_code = 1


class Published(NamedTuple):
    """A file of weights that others publish.

    Attributes:
        holds: What it is, for people.
        url: Where it lies.
        size: Bytes.
        sha256: Hexadecimal.
        licence: As its publishers say it.
    """

    holds: str
    url: str
    size: int
    sha256: str
    licence: str

    @property
    def file_name(self) -> str:
        """What it is called in the folder."""
        return self.url.rpartition("/")[2]


PUBLISHED = {
    "vgg16": Published(
        "VGG-16, all layers, of torchvision",
        "https://download.pytorch.org/models/vgg16-397923af.pth",
        553_433_881,
        "397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0",
        "BSD 3-Clause",
    ),
    "vgg19": Published(
        "VGG-19, all layers, of torchvision",
        "https://download.pytorch.org/models/vgg19-dcbb9e9d.pth",
        574_673_361,
        "dcbb9e9dad569fff7a846263a77324fc34978fea2bfb039c012d710e1776ae44",
        "BSD 3-Clause",
    ),
}
"""What can be fetched, by name. `VGG(weights=...)` takes these."""


class Bar(Protocol):
    """Shows how far a download is; pooch calls it."""

    total: int

    def update(self, count: int) -> None:
        """So many bytes more have come."""

    def reset(self) -> None:
        """None have come."""

    def close(self) -> None:
        """There are no more to come."""


def fetched_folder() -> Path:
    """Where fetched weights are kept: this system's usual place for what programs keep, such as ~/.cache/limner."""
    import pooch

    return Path(pooch.os_cache("limner"))


def find_published(name: str) -> Published:
    """What is published under a name.

    Raises:
        LimnerError: If there is nothing.
    """
    if name not in PUBLISHED:
        raise LimnerError(
            f"weights that can be fetched are {', '.join(PUBLISHED)}, got {name!r}: {did_you_mean(name, PUBLISHED)}"
        )
    return PUBLISHED[name]


def fetch(name: str, folder: Path | None = None, *, bar: Bar | None = None) -> Path:
    """The file of weights of that name, fetched unless it is there already, whole and as it was published.

    Args:
        name: One of `PUBLISHED`.
        folder: Where it is kept; None takes `fetched_folder()`.
        bar: Shows how far it is.

    Raises:
        LimnerError: If nothing is published under the name.
        FetchError: If it cannot be fetched, or something else came.
    """
    import pooch

    published = find_published(name)
    folder = fetched_folder() if folder is None else folder
    pooch.get_logger().setLevel("ERROR")  # the library does not print
    downloader = pooch.HTTPDownloader(progressbar=bar or False, chunk_size=_CHUNK)
    try:
        kept = pooch.retrieve(
            published.url, f"sha256:{published.sha256}", published.file_name, folder, downloader=downloader
        )
    except ValueError:
        raise FetchError(
            f"{published.url} gave another file than was published (its SHA-256 differs), which is not kept: "
            f"fetch {name} once more"
        ) from None
    except OSError as error:
        if error.errno is not None:  # of the disk; those of the network are of requests, and have none
            raise
        raise FetchError(
            f"{name} cannot be fetched from {published.url} ({_reason(error)}): connect to the network, or get the "
            "file in another way and pass its path"
        ) from None
    return Path(kept)


def _reason(error: OSError) -> str:
    """What requests says, without its objects' addresses."""
    status = getattr(getattr(error, "response", None), "status_code", None)
    return f"status {status}" if status else "no answer" if "timed out" in str(error).lower() else "no connection"
