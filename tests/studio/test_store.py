"""Jobs outlive the service that kept them."""

import time
from pathlib import Path

from limner.studio.store import Job, Store, new_id


def job(store: Store, state: str = "done", **facts) -> Job:
    made = Job(new_id(), "upscale", {"scale": 2}, state=state, **facts)
    store.add(made)
    (store.place(made.id) / "results").mkdir(parents=True)
    return made


def test_a_job_is_kept_as_it_is(tmp_path: Path) -> None:
    store = Store(tmp_path)
    made = job(store, inputs=[{"name": "ä.png"}], notes=["a", "b"], facts={"x": 1.5})
    made.results, made.seconds, made.error = [{"name": "r.png"}], 1.25, "one line"
    store.save(made)
    store.close()
    assert Store(tmp_path).get(made.id) == made


def test_what_an_older_version_kept_is_said_without_folders(tmp_path: Path) -> None:
    store = Store(tmp_path / "my studio")
    made = job(store, "failed")
    place = store.place(made.id)
    made.facts = [{"photo": f"{place}/inputs/a.png", "files": [f"{place}/results/a_x2.png"], "seconds": 1.5}]
    made.notes, made.error = ["/home/me/models/own.safetensors is used"], f"{place}/inputs/a.png: is damaged"
    store.save(made)  # as it was before answers left folders out
    for found in (store.get(made.id), *store.all(1)):
        assert found.facts == [{"photo": "a.png", "files": ["a_x2.png"], "seconds": 1.5}]
        assert found.notes == ["own.safetensors is used"] and found.error == "a.png: is damaged"


def test_what_was_not_finished_is_interrupted(tmp_path: Path) -> None:
    store = Store(tmp_path)
    kept = {state: job(store, state).id for state in ("waiting", "running", "done", "failed", "cancelled")}
    again = Store(tmp_path)  # the first was never closed, as after kill -9
    states = {state: again.get(one).state for state, one in kept.items()}
    assert states == {
        "waiting": "interrupted", "running": "interrupted", "done": "done", "failed": "failed",
        "cancelled": "cancelled",
    }  # fmt: skip


def test_the_newest_come_first_and_in_parts(tmp_path: Path) -> None:
    store = Store(tmp_path)
    ids = [job(store).id for _ in range(5)]
    assert [one.id for one in store.all(2)] == ids[:2:-1]
    assert [one.id for one in store.all(10, before=ids[3])] == ids[2::-1]
    assert store.all(10, before="unknown") == [] and store.get("unknown") is None


def test_the_oldest_go_but_not_what_waits(tmp_path: Path) -> None:
    store = Store(tmp_path)
    first, *ids = [job(store, state).id for state in ("waiting", "done", "done", "failed")]
    store.keep_newest(1)
    assert [one.id for one in store.all(10)] == [ids[2], first]
    assert not store.place(ids[0]).exists() and store.place(ids[2]).exists()


def test_folders_of_no_job_go_and_others_stay(tmp_path: Path) -> None:
    for name in (new_id(), "holiday"):
        (tmp_path / "jobs" / name).mkdir(parents=True)
    Store(tmp_path)
    assert [path.name for path in (tmp_path / "jobs").iterdir()] == ["holiday"]


def test_the_time_is_that_of_the_world() -> None:
    assert abs(Job("a", "upscale", {}).made - time.time()) < 5
