from pathlib import Path

from limner.media.job_queue import TRIES, JobQueue
from limner.media.node_work import Task
from limner.media.outputs import Job


def tasks(number: int) -> list[Task]:
    return [Task(Job(Path(f"{one}.png"), Path(f"out/{one}.png"), None), {}) for one in range(number)]


def test_files_are_given_one_by_one_until_it_is_known_how_long_they_take() -> None:
    queue, given = JobQueue(tasks(1000)), tasks(1000)
    assert [queue.take(2), queue.take(2)] == [given[:1], given[1:2]]
    queue.took(2, 0.5)
    assert queue.take(2) == given[2:10]  # two seconds of work
    queue.took(100, 0.1)
    assert len(queue.take(2)) == 32
    assert len(queue) == 1000 - 42


def test_at_the_end_the_rest_is_shared() -> None:
    queue = JobQueue(tasks(20))
    queue.took(1000, 1.0)
    sizes = []
    while queue:
        sizes.append(len(queue.take(2)))
    assert sizes == [5, 4, 3, 2, 2, 1, 1, 1, 1]


def test_what_comes_back_waits_for_an_idle_process_and_goes_alone() -> None:
    queue = JobQueue(tasks(4))
    queue.took(1000, 1.0)
    lost = queue.take(1)
    assert len(lost) == 2
    assert queue.put_back(lost) == []
    assert [task.tries for task in queue.take(1)] == [0]
    queue.take(1)
    assert queue.take(1, idle=False) == []
    assert queue.take(1) == [lost[0]._replace(tries=1)]
    assert queue.take(1) == [lost[1]._replace(tries=1)]
    assert not queue


def test_what_kills_its_processes_is_given_up() -> None:
    queue = JobQueue(tasks(1))
    for tries in range(1, TRIES):
        assert queue.put_back(queue.take(1)) == []
        assert len(queue) == 1, tries
    (given_up,) = queue.put_back(queue.take(1))
    assert (given_up.tries, len(queue)) == (TRIES, 0)
