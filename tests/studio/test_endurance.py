"""A service under many clients, hostile files and sudden ends: nothing is lost, nothing crashes."""

import asyncio
import json
import os
import random
import signal
import time
from collections import Counter
from pathlib import Path

import httpx
import psutil
import pytest
from tests.studio.conftest import Service, begin, drawing, png, write_models
from tests.studio.test_service import made, wait_for
from tests.studio.test_uploads import bomb


@pytest.mark.timeout(900)
@pytest.mark.parametrize("num_clients", [20, pytest.param(100, marks=pytest.mark.slow)])
def test_many_clients_are_served_or_told_to_wait(fresh, tmp_path: Path, num_clients: int) -> None:
    service: Service = fresh(tmp_path / "data", "--max-waiting", "8")
    service.client.get("/v1/verbs")  # the worker is there

    async def one(client: httpx.AsyncClient, number: int) -> tuple[int, str]:
        for _ in range(2000):
            files = {"picture": (f"{number}.png", png(seed=number))}
            found = await client.post("/v1/upscale", params={"wait": 120}, files=files)
            if found.status_code != 429:
                return found.status_code, found.json()["state"]
            assert found.headers["retry-after"] == "5" and "try again" in found.json()["error"]
            refused["429"] += 1
            await asyncio.sleep(0.2 + random.random())
        raise AssertionError

    async def all_at_once() -> list[tuple[int, str]]:
        limits = httpx.Limits(max_connections=num_clients)
        async with httpx.AsyncClient(base_url=service.address, timeout=120, limits=limits) as client:
            return await asyncio.gather(*(one(client, number) for number in range(num_clients)))

    refused = Counter[str]()
    before = psutil.Process(service.process.pid).memory_info().rss
    assert asyncio.run(all_at_once()) == [(200, "done")] * num_clients
    assert refused["429"] > 0
    jobs = service.client.get("/v1/jobs", params={"limit": 1000}).json()
    assert len(jobs) == num_clients and all(job["state"] == "done" and job["results"] for job in jobs)
    assert {job["inputs"][0]["was"] for job in jobs} == {f"{number}.png" for number in range(num_clients)}
    assert psutil.Process(service.process.pid).memory_info().rss < before + 150 * 2**20
    assert not [path for path in (tmp_path / "data" / "jobs").iterdir() if path.name not in {job["id"] for job in jobs}]


def hostile(number: int) -> bytes:
    """A file that is damaged, cut short, or none."""
    chance = random.Random(number)
    whole = bytearray(
        chance.choice([png(), png(mode="RGBA"), bomb(60_000, 60_000), b"<svg/>", b"GIF89a" + png(), b"BM"])
    )
    for _ in range(chance.randrange(1, 30)):
        whole[chance.randrange(len(whole))] = chance.randrange(256)
    return bytes(whole[: chance.randrange(len(whole)) + 1]) if number % 3 else bytes(whole)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("num_files", [60, pytest.param(1000, marks=pytest.mark.slow)])
def test_hostile_files_crash_nothing(fresh, tmp_path: Path, num_files: int) -> None:
    service: Service = fresh(tmp_path / "data", "--max-waiting", "1000")
    api, seen = service.client, Counter[int]()
    for number in range(num_files):
        name = random.Random(number).choice(["../../x.png", "a\r\nb.png", "\0.png", "a" * 5000, "con.png", "<b>.svg"])
        found = api.post("/v1/upscale", files={"picture": (name, hostile(number))})
        assert found.status_code in (202, 422), found.text
        seen[found.status_code] += 1
        if found.status_code == 422:
            assert set(found.json()) == {"error"} and "\n" not in found.json()["error"]
            assert "Traceback" not in found.text
    assert seen[422] > num_files // 2 and seen[202] > 0
    for job in api.get("/v1/jobs", params={"limit": 1000}).json():
        ended = wait_for(api, job["id"])
        assert ended["state"] in ("done", "failed")
        assert "bug" not in (ended["error"] or ""), ended
    assert made(api, "upscale", {}).json()["state"] == "done"
    assert {path.name for path in tmp_path.iterdir()} == {"data", "data.log"}, "nothing outside its folder is written"
    assert "Traceback" not in (tmp_path / "data.log").read_text()


def test_after_a_sudden_end_finished_results_are_there(fresh, tmp_path: Path) -> None:
    service: Service = fresh(tmp_path / "data")
    api = service.client
    done = made(api, "upscale", {}).json()
    long = {"options": json.dumps({"steps": 5000})}
    runs = api.post("/v1/restore-denoise", files={"picture": png()}, data=long).json()["id"]
    waits = api.post("/v1/restore-denoise", files={"picture": png()}, data=long).json()["id"]
    wait_for(api, runs, "running")
    workers = psutil.Process(service.process.pid).children(recursive=True)
    service.end(signal.SIGKILL)
    assert not psutil.wait_procs(workers, 30)[1], "the worker ends with the service"
    again: Service = fresh(tmp_path / "data")
    assert again.client.get(f"/v1/jobs/{done['id']}").json() == done
    assert len(again.client.get(done["results"][0]["url"]).content) > 100
    states = {job["id"]: job["state"] for job in again.client.get("/v1/jobs").json()}
    assert states == {done["id"]: "done", runs: "interrupted", waits: "interrupted"}
    redone = again.client.post(f"/v1/jobs/{done['id']}/again").json()
    assert wait_for(again.client, redone["id"])["state"] == "done"


def test_a_worker_that_dies_is_started_anew(fresh, tmp_path: Path) -> None:
    service: Service = fresh(tmp_path / "data")
    api = service.client
    job = api.post("/v1/restore-denoise", files={"picture": png()}, data={"options": '{"steps": 5000}'}).json()["id"]
    wait_for(api, job, "running")
    (worker,) = psutil.Process(service.process.pid).children()
    os.kill(worker.pid, signal.SIGKILL)
    ended = wait_for(api, job)
    assert ended["state"] == "failed" and "the worker was ended (SIGKILL)" in ended["error"]
    assert made(api, "upscale", {}).json()["state"] == "done"


def test_a_worker_that_does_not_start_is_said(fresh, tmp_path: Path) -> None:
    broken = tmp_path / "broken" / "torch"
    broken.mkdir(parents=True)
    (broken / "__init__.py").write_text("raise ImportError('damaged')")
    service: Service = fresh(tmp_path / "data", paths=str(broken.parent))
    found = service.client.get("/v1/verbs")
    assert found.status_code == 503 and "does not start" in found.json()["error"]
    assert service.client.get("/health").status_code == 200


def test_limits_of_bytes_pixels_and_seconds_are_kept(fresh, tmp_path: Path) -> None:
    service: Service = fresh(tmp_path / "data", "--max-megabytes", "1", "--max-seconds", "2", "--max-jobs", "2")
    api = service.client
    found = api.post("/v1/upscale", files={"picture": os.urandom(2**21)})
    assert found.status_code == 413 and "at most 1048576 bytes" in found.json()["error"]

    def endless():
        for _ in range(64):
            yield b"x" * 2**16

    assert api.post("/v1/upscale", content=endless(), headers={"content-type": "application/json"}).status_code == 413
    assert api.post("/v1/upscale", files={"picture": bomb()}).status_code == 422
    long = made(api, "restore-denoise", {"steps": 100_000}).json()
    assert long["state"] == "failed" and "longer than the 2 seconds" in long["error"]
    ids = [made(api, "upscale", {}).json()["id"] for _ in range(3)]
    assert [job["id"] for job in api.get("/v1/jobs").json()][:2] == ids[:0:-1]
    assert len(api.get("/v1/jobs").json()) <= 3


def test_a_job_that_takes_too_much_memory_is_ended(fresh, tmp_path: Path) -> None:
    api = fresh(tmp_path / "data", "--max-gigabytes", "1").client
    found = made(api, "generate", {"model": "digits-vae", "count": 10**9}, {}).json()
    assert found["state"] == "failed" and "takes more than the 1.0 GiB of memory" in found["error"], found
    assert made(api, "upscale", {}).json()["state"] == "done"


def test_a_service_for_machines_asks_for_its_key_and_has_no_page(fresh, tmp_path: Path) -> None:
    write_models(tmp_path / "models")
    model = tmp_path / "models" / "facades.safetensors"
    service: Service = fresh(
        tmp_path / "data", "--key", "secret", "--model", str(model), "--host-name", "pictures.example", command="serve"
    )
    api = service.client
    assert api.get("/health").status_code == 200 and api.get("/v1/models").status_code == 401
    api.headers["authorization"] = "Bearer secret"
    assert api.get("/").status_code == 404
    assert api.get("/health", headers={"host": "pictures.example"}).status_code == 200
    assert [one["name"] for one in api.get("/v1/models").json() if one["own"]] == ["facades"]
    drawn = api.post("/v1/draw", params={"model": "facades"}, content=drawing(), headers={"content-type": "image/png"})
    assert drawn.status_code == 200
    refused = api.post("/v1/check", json={"system": "vdsr", "data": "/etc"})
    assert refused.status_code == 422 and "--train-in" in refused.json()["error"]


def test_one_folder_takes_one_service(service: Service, tmp_path: Path) -> None:
    begun = time.monotonic()
    try:
        begin(service.folder)
    except AssertionError:
        assert "another" in (service.folder.parent / "data.log").read_text()
    else:
        raise AssertionError("a second service began")
    assert time.monotonic() - begun < 60
