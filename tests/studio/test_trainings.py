"""Training over HTTP: a folder is looked at, a run begins, is watched, stopped and resumed, and its model is there."""

import asyncio
import errno
import json
import os
import signal
import sys
from pathlib import Path

import httpx
import numpy as np
import pytest
import torch
from PIL import Image
from tests.studio.conftest import COLORS, Service, drawing

from limner.loops.step_report import StepReport
from limner.studio.queue import FullError
from limner.studio.settings import Settings
from limner.studio.training_process import Telling
from limner.studio.trainings import Trainings

TINY = [
    "base_channels=4", "discriminator_channels=4", "num_downs=4", "data.resize=36", "data.patch=32",
    "data.labels=colors",
]  # fmt: skip


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Label pictures beside what they should become."""
    folder = tmp_path_factory.mktemp("doors")
    for number in range(8):
        pixels = np.zeros((32, 64, 3), np.uint8)
        pixels[number : number + 16, :16] = COLORS[1]
        pixels[number : number + 16, 32:48] = (90, 160, 220)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    return folder


def watched(api: httpx.Client, run: str, until=lambda one: False) -> list[dict]:
    """What a run says, up to its end or to what is waited for."""
    found = []
    with api.stream("GET", f"/v1/train/{run}/events") as stream:
        for line in stream.iter_lines():
            if line.startswith("data: "):
                found.append(json.loads(line.removeprefix("data: ")))
                if until(found[-1]):
                    return found
    return found


def test_the_step_that_a_run_stops_at_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """Not the last that a second had passed before: the run goes on from it."""
    telling = Telling()
    for step in (1, 2, 3):
        telling.step(StepReport(step, 0.1, 1.0, 2, {}, {}, torch.nn.Identity()))
    telling.close()
    assert [json.loads(line)["step"] for line in capsys.readouterr().out.splitlines()] == [1, 3]


def test_a_folder_is_looked_at_before(api: httpx.Client, pairs: Path) -> None:
    found = api.post("/v1/check", json={"system": "pix2pix", "data": str(pairs), "options": {"steps": 5}}).json()
    assert found["files"] == 8 and found["steps"] == 5 and found["kept_for_validation"] == 1
    assert found["examples"][0] == "0.png"
    labelled = {"system": "pix2pix", "data": str(pairs), "options": {"assignments": TINY}}
    assert len(api.post("/v1/check", json=labelled).json()["classes"]) == 2


@pytest.mark.parametrize("given", ["none", ["none"]])
def test_one_model_to_begin_with_may_be_given_by_itself(api: httpx.Client, pairs: Path, given: object) -> None:
    options = {"steps": 5, "start_from": given}
    found = api.post("/v1/check", json={"system": "pix2pix", "data": str(pairs), "options": options})
    assert found.status_code == 200 and found.json()["start_from"] == [], found.text


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"system": "pix2pi", "data": "/x"}, "did you mean pix2pix"),
        ({"system": "pix2pix"}, "needs data"),
        ({"system": "pix2pix", "data": "pairs"}, "whole path"),
        ({"system": "pix2pix", "data": "/nowhere at all"}, "is not a folder"),
        ({"system": "pix2pix", "data": "/x", "options": {"output": "/x"}}, "has no option 'output'"),
        ({"system": "pix2pix", "data": "/x", "options": {"steps": 0}}, "at least 1"),
        ({"system": "pix2pix", "data": "/x", "options": {"start_from": "/etc/x.safetensors"}}, "names no files"),
        ({"system": "fast-style", "data": "/x", "options": {"styles": ["/etc/x.png"]}}, "there is no style"),
        ([], "one JSON object"),
    ],
)
def test_what_does_not_fit_is_refused(api: httpx.Client, body, words: str) -> None:
    found = api.post("/v1/check", json=body)
    assert found.status_code == 422 and words in found.json()["error"], found.text


@pytest.mark.parametrize("data", ["/a\0b", "~nobody-of-that-name/x", "/" + "a" * 200_000])
def test_what_is_no_folder_is_refused(api: httpx.Client, data: str) -> None:
    for place in ("check", "train"):
        found = api.post(f"/v1/{place}", json={"system": "pix2pix", "data": data})
        assert found.status_code == 422 and "whole path" in found.json()["error"], found.text


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere names are characters")
def test_names_that_are_no_text_are_shown_all_the_same(api: httpx.Client, tmp_path: Path) -> None:
    for number in range(3):
        Path(os.fsdecode(os.fsencode(tmp_path / "caf") + b"\xe9%d.png" % number)).write_bytes(drawing())
    found = api.post("/v1/check", json={"system": "vdsr", "data": str(tmp_path)})
    assert found.status_code == 200 and found.json()["examples"][0] == "caf?0.png", found.text


def test_data_are_named_as_their_user_named_them_and_nothing_else_is(api: httpx.Client, pairs: Path) -> None:
    (pairs.parent / "mere text").mkdir(exist_ok=True)
    (pairs.parent / "mere text" / "a.png").write_bytes(b"no picture")
    found = api.post("/v1/check", json={"system": "vdsr", "data": str(pairs.parent / "mere text")})
    assert found.status_code == 422 and str(pairs.parent / "mere text") in found.json()["error"], found.text
    body = {"system": "pix2pix", "data": str(pairs), "options": {"steps": 2, "assignments": TINY}}
    run = api.post("/v1/train", json=body).json()["id"]
    watched(api, run)
    about = next(one for one in api.get("/v1/train").json() if one["id"] == run)
    assert about["data"] == str(pairs) and about["state"] == "done"


def test_one_run_begins_and_few_folders_are_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many ask in the same moment."""

    async def ask() -> list:
        trainings, may = Trainings(Settings(folder=tmp_path)), asyncio.Event()

        async def slow(*given) -> bytes:
            await may.wait()
            return b'{"answer": {}}'

        monkeypatch.setattr(trainings, "_go", slow)
        monkeypatch.setattr(trainings, "_looked", slow)
        asked = {"system": "vdsr", "data": "/x", "options": {}}
        waiting = [asyncio.create_task(trainings.begin({}, asked)) for _ in range(3)]
        waiting += [asyncio.create_task(trainings.check({"data": "/x"})) for _ in range(6)]
        await asyncio.sleep(0)
        may.set()
        return await asyncio.gather(*waiting, return_exceptions=True)

    found = ["full" if isinstance(one, FullError) else one for one in asyncio.run(ask())]
    assert found == ["vdsr-x", "full", "full", *[{}] * 4, "full", "full"]


def test_a_run_that_could_not_begin_stops_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def begin() -> None:
        trainings = Trainings(Settings(folder=tmp_path))

        async def full(*given) -> None:
            raise OSError(errno.ENOSPC, "full")

        monkeypatch.setattr(trainings, "_begun", full)
        for _ in range(2):
            with pytest.raises(OSError, match="full"):
                await trainings.begin({}, {"system": "vdsr", "data": "/x", "options": {}})

    asyncio.run(begin())


def test_a_run_is_watched_stopped_resumed_and_used(api: httpx.Client, pairs: Path, service: Service) -> None:
    options = {"steps": 100_000, "batch_size": 2, "assignments": TINY}
    begun = api.post("/v1/train", json={"system": "pix2pix", "data": str(pairs), "options": options})
    assert begun.status_code == 202
    run = begun.json()["id"]
    assert run.startswith("pix2pix-doors")
    other = api.post("/v1/train", json={"system": "pix2pix", "data": str(pairs)})
    assert other.status_code == 429 and "another run" in other.json()["error"]
    seen = watched(api, run, lambda one: one["step"] > 3 and len(one["losses"]["step"]) > 2)
    assert seen[-1]["state"] == "running" and seen[-1]["losses"]["generator/l1"][-1] > 0
    sheet = api.get(seen[-1]["samples"][0]["url"])
    assert sheet.headers["content-type"] == "image/png"
    stopped = api.post(f"/v1/train/{run}/stop").json()
    assert stopped["state"] == "stopped" and stopped["model"] == run and stopped["error"] is None
    more = {"options": {"steps": stopped["step"] + 5}}
    assert api.post(f"/v1/train/{run}/resume", json=more).status_code == 202
    ended = watched(api, run)[-1]
    assert ended["state"] == "done" and ended["step"] == stopped["step"] + 5 and ended["model"] == run
    assert ended["losses"]["step"] == sorted(set(ended["losses"]["step"]))
    assert [one["id"] for one in api.get("/v1/train").json()][:1] == [run]
    model = next(one for one in api.get("/v1/models").json() if one["name"] == run)
    assert [one["color"] for one in model["palette"]] == ["#000000", "#c81e1e"]
    drawn = api.post("/v1/draw", params={"model": run}, content=drawing(), headers={"content-type": "image/png"})
    assert drawn.status_code == 200, drawn.text
    assert api.get(f"/v1/train/{run}/samples/..%2fplan.json").status_code == 404


def test_a_run_that_is_stopped_while_it_loads_is_stopped(api: httpx.Client, pairs: Path) -> None:
    body = {"system": "pix2pix", "data": str(pairs), "options": {"steps": 3, "batch_size": 2, "assignments": TINY}}
    run = api.post("/v1/train", json=body).json()["id"]
    assert api.post(f"/v1/train/{run}/stop").json()["state"] == "stopped"
    assert api.post(f"/v1/train/{run}/resume").status_code == 202
    assert watched(api, run)[-1]["state"] == "done"


def test_a_run_that_fails_says_why(api: httpx.Client, pairs: Path, tmp_path: Path) -> None:
    for path in pairs.iterdir():
        whole = path.read_bytes()
        (tmp_path / path.name).write_bytes(whole[: len(whole) // 2] if path.name == "3.png" else whole)
    run = api.post("/v1/train", json={"system": "pix2pix", "data": str(tmp_path)}).json()["id"]
    ended = watched(api, run)[-1]
    assert ended["state"] == "failed" and "3.png" in ended["error"] and "\n" not in ended["error"]


@pytest.mark.slow
def test_after_a_sudden_end_a_run_is_interrupted(fresh, tmp_path: Path, pairs: Path) -> None:
    service: Service = fresh(tmp_path / "data")
    body = {"system": "pix2pix", "data": str(pairs), "options": {"steps": 100_000, "assignments": TINY}}
    run = service.client.post("/v1/train", json=body).json()["id"]
    watched(service.client, run, lambda one: one["step"] > 0)
    service.end(signal.SIGKILL)
    again: Service = fresh(tmp_path / "data")
    found = again.client.get(f"/v1/train/{run}").json()
    assert found["state"] == "interrupted" and found["step"] > 0
    assert [path.name for path in (tmp_path / "data" / "runs").iterdir()] == [run]
