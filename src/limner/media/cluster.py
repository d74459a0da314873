"""Many files on a Ray cluster: processes that keep their worker are given files until all are done.

These are Ray's actors and not Ray Data, which cannot promise what is asked here. Ray Data works by blocks: whatever of
a block is lost with a node, also the rows of finished ones, is made again, and so files would be written twice; a
block that kills its process is tried without end; and of a block nothing is told before all of it is done. Here each
file is counted: it is written once, told as soon as its call returns, and given up after `TRIES` processes.

Nodes come and go while this runs: there are as many processes as the nodes that are there have places for. Ray tells
nobody of its use.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from limner.errors import LimnerError
from limner.files.bucket import BucketPath, UnreachableError, stamp
from limner.files.lock import BusyError, sweep
from limner.media.cluster_connection import ClusterError, connected, reason_of
from limner.media.job_queue import JobQueue
from limner.media.many_files import Observer, Worker
from limner.media.node_work import Done, NodeWork, Task
from limner.media.outputs import Job, make_folders

_AHEAD = 2  # calls that a process has: one at work, one that copies or waits
_LOOK = 1.0  # seconds between two looks at the nodes
_NO_PLACE = 60.0  # seconds without any node
_FALSE_STARTS = 3  # processes that die before any has begun
_MAY_PASS = (UnreachableError, BusyError)


class Need(NamedTuple):
    """What a process takes of its node.

    Attributes:
        cpus: Cores.
        gpu: Whether a GPU, where the cluster has any.
    """

    cpus: int = 1
    gpu: bool = True


def work_on_cluster(
    address: str,
    jobs: Sequence[Job],
    make: Callable[[], Worker],
    facts: Callable[[Any], dict[str, Any]],
    observer: Observer,
    *,
    need: Need,
    places: Callable[[Job], Sequence[Path]] = lambda job: job.outputs,
    overwrite: bool = False,
) -> dict[str, Any]:
    """Do all jobs on a cluster, in no order.

    Args:
        address: `ray` for the cluster of this machine, or else for one that is made of it for this run; or
            `ray://HOST:PORT` of a cluster's server for clients.
        jobs: Local paths are those of every node; buckets are read and written by the nodes.
        make: Makes the worker in each process; it is sent there.
        facts: What is to be known of a worker.
        observer: Sees what happens, in this thread; of parts of files nothing is told.
        need: Of each process.
        places: All that a job writes.
        overwrite: Whether some of it may be there already.

    Returns:
        What is to be known of the worker; nothing, if there was no job for it.

    Raises:
        LimnerError: If Ray is not installed, or the worker cannot be made.
        ClusterError: If there is no cluster, or it has no place.
    """
    for job in jobs:
        if job.refused:
            observer.file_failed(job, job.refused)
    wanted = [job for job in jobs if not job.refused]
    if not wanted:
        return {}
    make_folders(wanted)
    queue = JobQueue(Task(job, {one: stamp(one) if overwrite else None for one in places(job)}) for job in wanted)
    with connected(address, observer.note) as ray:
        crew = _Crew(ray, make, facts, need, observer)
        try:
            return crew.work(queue)
        finally:
            crew.close()
            for folder in {job.target.parent for job in wanted if not isinstance(job.target, BucketPath)}:
                sweep(folder, again=True)  # of what dead processes have left


@dataclass(eq=False)
class _Process:
    """An actor, and the calls that it has."""

    actor: Any
    beginning: Any
    has_begun: bool = False
    calls: dict[Any, list[Task]] = field(default_factory=dict)

    @property
    def is_open(self) -> bool:
        """Whether it may be given another call: a file that is tried again is the only one of its process."""
        alone = any(task.tries for tasks in self.calls.values() for task in tasks)
        return self.has_begun and len(self.calls) < _AHEAD and not alone


class _Crew:
    """The processes of a run."""

    def __init__(
        self,
        ray: Any,
        make: Callable[[], Worker],
        facts: Callable[[Any], dict[str, Any]],
        need: Need,
        observer: Observer,
    ) -> None:
        self._ray, self._need, self._observer = ray, need, observer
        self._asked = (ray.put(make), ray.put(facts), Path.cwd())
        self._has_gpu = need.gpu and any(node["Resources"].get("GPU") for node in self._nodes())
        self._actor = ray.remote(NodeWork).options(
            num_cpus=need.cpus, num_gpus=int(self._has_gpu), max_concurrency=_AHEAD, max_restarts=0, max_task_retries=0
        )
        self._processes: list[_Process] = []
        self._known: dict[str, Any] | None = None
        self._false_starts, self._seen = 0, time.monotonic()

    def work(self, queue: JobQueue) -> dict[str, Any]:
        """Do all; what is to be known of the worker."""
        looked = 0.0
        while queue or any(one.calls for one in self._processes):
            if time.monotonic() - looked > _LOOK:
                self._hire(len(queue))
                looked = time.monotonic()
            for process in self._processes * _AHEAD:
                self._give(process, queue)
            self._listen(queue)
        return self._known or {}

    def _give(self, process: _Process, queue: JobQueue) -> None:
        """Files for a process that has a hand free."""
        if process.is_open and (tasks := queue.take(len(self._processes), idle=not process.calls)):
            process.calls[process.actor.do.remote(tasks)] = tasks

    def close(self) -> None:
        """End all processes."""
        for process in self._processes:
            self._end(process)

    def _nodes(self) -> list[dict[str, Any]]:
        return [node for node in self._ray.nodes() if node["Alive"]]

    def _num_places(self) -> int:
        """Of processes, on the nodes that are there."""
        resources = [node["Resources"] for node in self._nodes()]
        by_cpu = [int(one.get("CPU", 0)) // self._need.cpus for one in resources]
        if not self._has_gpu:
            return sum(by_cpu)
        return sum(map(min, by_cpu, (int(one.get("GPU", 0)) for one in resources)))

    def _hire(self, num_left: int) -> None:
        """Begin as many processes as there are places for, and files.

        Raises:
            ClusterError: If there has been no place for long.
        """
        places = self._num_places()
        if places:
            self._seen = time.monotonic()
        elif time.monotonic() - self._seen > _NO_PLACE:
            raise ClusterError(
                f"the cluster has no node with {self._need.cpus} CPUs for {_NO_PLACE:.0f} s: add one, or pass fewer "
                "--threads; --resume goes on with what is left"
            )
        for _ in range(min(places, num_left) - len(self._processes)):
            actor = self._actor.remote(*self._asked)
            self._processes.append(_Process(actor, actor.begin.remote()))

    def _listen(self, queue: JobQueue) -> None:
        """Hear what processes have to say, and wait a moment for it."""
        waiting = {one.beginning: one for one in self._processes if not one.has_begun}
        waiting |= {call: one for one in self._processes for call in one.calls}
        if not waiting:
            time.sleep(_LOOK / 4)
            return
        heard, _ = self._ray.wait(list(waiting), num_returns=1, timeout=_LOOK)
        for call in heard:
            process = waiting[call]
            try:
                told = self._ray.get(call)
            except self._ray.exceptions.RayError as error:
                self._lose(process, error, queue)
            else:
                self._hear(process, call, told, queue)

    def _hear(self, process: _Process, call: Any, told: Any, queue: JobQueue) -> None:
        if call == process.beginning:
            if isinstance(told, Exception):
                raise told
            process.has_begun, self._known = True, told
            return
        self._tell(told, process.calls.pop(call), queue)

    def _tell(self, done: Done, tasks: Sequence[Task], queue: JobQueue) -> None:
        """What has become of some files; what another try may mend is put back."""
        for note in done.notes:
            self._observer.note(note)
        for written in done.written:
            self._observer.file_written(written)
        queue.took(len(tasks), done.seconds)
        by_job = {task.job: task for task in tasks}
        for job, error in done.failed:
            is_final = isinstance(error, LimnerError) and not isinstance(error, _MAY_PASS)
            if is_final or queue.put_back([by_job[job]]):
                self._observer.file_failed(job, error)

    def _lose(self, process: _Process, error: Exception, queue: JobQueue) -> None:
        """A process is no more: others get its files.

        Raises:
            ClusterError: If no process lives long enough to begin.
        """
        self._processes.remove(process)
        self._end(process)
        if self._known is None:
            self._false_starts += 1
            if self._false_starts >= _FALSE_STARTS:
                raise ClusterError(
                    f"no process of the cluster could begin ({reason_of(error)}): all nodes need the same Limner"
                )
        if lost := sum(map(len, process.calls.values())):
            files = f"the {lost} files that it had" if lost > 1 else "the file that it had"
            self._observer.note(f"note: a process died ({reason_of(error)}): {files} will be tried again")
        for tasks in process.calls.values():
            for task in queue.put_back(tasks):
                why = f"{task.tries} processes died at work on it ({reason_of(error)})"
                self._observer.file_failed(task.job, ClusterError(f"{task.job.source}: {why}: try it alone"))

    def _end(self, process: _Process) -> None:
        with suppress(Exception):  # it may be gone already
            self._ray.kill(process.actor)
