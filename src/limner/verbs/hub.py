"""The Hugging Face Hub, asked through its own library with the user's own token; what it refuses is told in one line.

Its telemetry is off for these calls, and it prints nothing.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from limner.errors import LimnerError

_SECONDS = 30  # that an answer may take
_MOST_WORDS = 200  # characters of what the Hub answers


class NotThereError(LimnerError):
    """The Hub has no such repository, or does not show it."""


class NoConnectionError(LimnerError):
    """The Hub gives no answer."""


class Remote(NamedTuple):
    """What a repository holds.

    Attributes:
        commit: That the revision stands for.
        files: By name their SHA-256, where the Hub knows it.
    """

    commit: str
    files: dict[str, str | None]


def look(repository: str, revision: str | None = None) -> Remote:
    """What a repository holds now.

    Raises:
        NotThereError: There is no such repository, or it is private.
        NoConnectionError: There is no answer.
        LimnerError: The extra is missing, there is no such revision, or the Hub refuses.
    """
    with _library(repository, revision) as hub:
        told = hub.HfApi().model_info(repository, revision=revision, files_metadata=True, timeout=_SECONDS)
        files = {one.rfilename: one.lfs.sha256 if one.lfs else None for one in told.siblings or []}
        return Remote(str(told.sha), files)


def metadata_of(repository: str, commit: str, file: str) -> dict[str, str]:
    """What the head of a .safetensors file says, without the file.

    Raises:
        LimnerError: It is no such file, or the Hub refuses.
    """
    with _library(repository, commit) as hub:
        try:
            told = hub.HfApi().parse_safetensors_file_metadata(repository, file, revision=commit)
        except hub.errors.SafetensorsParsingError:
            raise LimnerError(f"{file} of {repository} is no safetensors file: name another model") from None
        return dict(told.metadata)


def download(repository: str, commit: str, file: str, folder: Path) -> Path:
    """A file of a commit, fetched into a folder.

    Raises:
        NoConnectionError: There is no answer.
        LimnerError: The Hub refuses.
    """
    with _library(repository, commit) as hub:
        return Path(hub.hf_hub_download(repository, file, revision=commit, local_dir=folder))


def check_token() -> None:
    """Refuse to write without the user's own token, before anything is asked.

    Raises:
        LimnerError: The extra is missing, or there is none.
    """
    with _library("", None) as hub:
        if not hub.get_token():
            raise LimnerError("a push needs your own token of huggingface.co, got none: hf auth login, or set HF_TOKEN")


def upload(repository: str, files: Mapping[str, Path | bytes], message: str) -> tuple[str, str]:
    """Write files into a repository, which is made where it is not there; one commit.

    Returns:
        The address of the repository's page, and the commit.

    Raises:
        NoConnectionError: There is no answer.
        LimnerError: The Hub refuses.
    """
    with _library(repository, None) as hub:
        api = hub.HfApi()
        page = api.create_repo(repository, exist_ok=True)
        operations = [
            hub.CommitOperationAdd(path_in_repo=name, path_or_fileobj=content) for name, content in files.items()
        ]
        made = api.create_commit(repository, operations, commit_message=message)
        return str(page), str(made.oid)


@contextmanager
def _library(repository: str, revision: str | None) -> Iterator[Any]:
    """`huggingface_hub`, quiet, whose errors become ours."""
    try:
        import huggingface_hub as hub
        from huggingface_hub import constants, errors, utils
    except ImportError:
        raise LimnerError(
            "the Hugging Face Hub needs the hub extra: pip install '.[hub]' in the folder of Limner"
        ) from None
    speech: Any = utils
    told, level = constants.HF_HUB_DISABLE_TELEMETRY, speech.logging.get_verbosity()
    has_bars = not speech.are_progress_bars_disabled()
    constants.HF_HUB_DISABLE_TELEMETRY = True
    speech.logging.set_verbosity_error()
    speech.disable_progress_bars()
    try:
        yield hub
    except Exception as error:
        if (line := _line(errors, error, repository, revision)) is None:
            raise
        raise line from None
    finally:
        constants.HF_HUB_DISABLE_TELEMETRY = told
        speech.logging.set_verbosity(level)
        if has_bars:
            speech.enable_progress_bars()


def _line(errors: Any, error: Exception, repository: str, revision: str | None) -> LimnerError | None:
    """What a user reads of an error of the library; None if it is not of the Hub."""
    if isinstance(error, errors.GatedRepoError):
        return LimnerError(f"{repository} is open to those alone whom its owner lets in: ask on its page, then log in")
    if isinstance(error, errors.RepositoryNotFoundError):
        return NotThereError(
            f"the Hub shows no model {repository}: check its name; if it is private, hf auth login or set HF_TOKEN"
        )
    if isinstance(error, errors.RevisionNotFoundError):
        return LimnerError(f"{repository} has no revision {revision!r}: name a branch, a tag or a commit of it")
    if isinstance(error, errors.HFValidationError):
        return LimnerError(f"{repository} is no name that the Hub takes ({_words(error)}): check it")
    if isinstance(error, errors.HfHubHTTPError) and error.response.status_code < 500:
        return LimnerError(f"the Hub refuses {repository} ({_words(error)}): check its name and your token's rights")
    no_answer = (errors.HTTPError, errors.OfflineModeIsEnabled, errors.LocalEntryNotFoundError)
    if isinstance(error, no_answer):
        return NoConnectionError(
            f"the Hub gives no answer on {repository} ({type(error).__name__}): connect to the network, or name a "
            "file that is here"
        )
    return None


def _words(error: Exception) -> str:
    return " ".join(str(error).split())[:_MOST_WORDS]
