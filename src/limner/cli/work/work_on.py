"""Where a command's many files are worked on: in this process, or on a cluster."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from limner.cli.options import ComputeOptions
from limner.errors import LimnerError
from limner.files.bucket import BucketPath, is_address
from limner.media.cluster import Need, work_on_cluster
from limner.media.cluster_connection import check_address
from limner.media.many_files import Observer, Worker, work_through
from limner.media.outputs import Job

AnyWorker = TypeVar("AnyWorker", bound=Worker)


def addresses(on: str | None, names: Sequence[Path], output: str | None) -> tuple[list[Path], str | BucketPath | None]:
    """The same names and output, of which those in buckets know their address.

    Raises:
        LimnerError: If one is in a bucket and no cluster is named, or `on` names none.
    """
    if on is not None:
        check_address(on)
    wanted = [*names, *([] if output is None else [Path(output)])]
    if on is None and (found := [name for name in wanted if is_address(name)]):
        raise LimnerError(f"{BucketPath(found[0])}: is in a bucket, which a cluster reads and writes: pass --on ray")
    photos = [BucketPath(name) if is_address(name) else name for name in names]
    is_bucket = output is not None and is_address(Path(output))
    return photos, BucketPath(output) if output is not None and is_bucket else output


def work_on(
    on: str | None,
    jobs: Sequence[Job],
    make: Callable[[], AnyWorker],
    observer: Observer,
    options: ComputeOptions,
    *,
    facts: Callable[[AnyWorker], dict[str, Any]] = lambda worker: {},
    places: Callable[[Job], Sequence[Path]] = lambda job: job.outputs,
    overwrite: bool = False,
) -> dict[str, Any]:
    """Do all jobs.

    Args:
        on: A cluster, as `work_on_cluster` takes it; None for this process.
        jobs: The files.
        make: Makes the worker; a cluster's processes make one each.
        observer: Sees what happens.
        options: How the networks are run.
        facts: What is to be known of the worker.
        places: All that a job writes.
        overwrite: Whether some of it may be there already.

    Returns:
        What is to be known of the worker.
    """
    if on is None:
        worker = make()
        work_through(jobs, worker, observer)
        return facts(worker)
    need = Need(options.threads or 1, gpu=options.device in ("auto", "cuda"))
    return work_on_cluster(on, jobs, make, facts, observer, need=need, places=places, overwrite=overwrite)
