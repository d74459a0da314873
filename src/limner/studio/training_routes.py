"""Training: to have a folder looked at, to start a run, to watch, stop and resume it."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import FileResponse, StreamingResponse

from limner.errors import LimnerError, did_you_mean
from limner.studio.lines import line_of
from limner.studio.models import known_now
from limner.studio.requests import read_json
from limner.studio.trainings import TRAIN, Trainings
from limner.studio.uploads import check_styles

router = APIRouter(prefix="/v1", tags=["training"])
_BODY = {
    "requestBody": {
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "system": {"type": "string", "description": "Of /v1/systems."},
                        "data": {"type": "string", "description": "A folder of this machine, with its whole path."},
                        "options": TRAIN.schema(),
                    },
                    "required": ["system", "data"],
                }
            }
        }
    }
}


@router.get("/train/schema")
async def schema() -> dict[str, Any]:
    """JSON schema of the options of training."""
    return TRAIN.schema()


@router.post("/check", openapi_extra=_BODY)
async def check(request: Request) -> dict[str, Any]:
    """What a folder holds, and how a system would be trained on it."""
    options, _ = await _asked(request)
    return await _trainings(request).check(options)


@router.post("/train", status_code=202, openapi_extra=_BODY)
async def begin(request: Request) -> dict[str, Any]:
    """Start a run."""
    options, asked = await _asked(request)
    return _told(_trainings(request), await _trainings(request).begin(options, asked))


@router.get("/train")
async def runs(request: Request) -> list[dict[str, Any]]:
    """All runs, the newest first."""
    return [_dated(one) for one in _trainings(request).all()]


@router.get("/train/{run}")
async def run(request: Request, run: str) -> dict[str, Any]:
    """A run as it is now: losses so far, sample sheets."""
    return _told(_trainings(request), run)


@router.get("/train/{run}/events", response_class=StreamingResponse)
async def events(request: Request, run: str) -> StreamingResponse:
    """Server-sent events named `train`, each with the run as it is; they end when it is trained no longer."""
    trainings = _trainings(request)
    _told(trainings, run)

    async def lines() -> AsyncIterator[str]:
        async for one in trainings.changes(run):
            yield f"event: train\ndata: {line_of(_dated(one))}\n\n"

    return StreamingResponse(lines(), media_type="text/event-stream", headers={"cache-control": "no-store"})


@router.get("/train/{run}/samples/{name}", response_class=FileResponse)
async def sample(request: Request, run: str, name: str) -> FileResponse:
    """A sample sheet."""
    _told(_trainings(request), run)
    found = _trainings(request).sample(run, name)
    if found is None:
        raise HTTPException(404, "the run has no such sample sheet")
    return FileResponse(found, media_type="image/png")


@router.post("/train/{run}/stop")
async def stop(request: Request, run: str) -> dict[str, Any]:
    """Save all and end; `resume` goes on exactly."""
    _told(_trainings(request), run)
    await _trainings(request).stop(run)
    return _told(_trainings(request), run)


@router.post("/train/{run}/resume", status_code=202)
async def resume(request: Request, run: str) -> dict[str, Any]:
    """Go on; `{"options": {"minutes": 30}}` or `steps` makes it longer."""
    _told(_trainings(request), run)
    has_body = request.headers.get("content-length", "0") != "0" or "transfer-encoding" in request.headers
    given = (await read_json(request)).get("options") or {} if has_body else {}
    await _trainings(request).resume(run, given)
    return _told(_trainings(request), run)


def _trainings(request: Request) -> Trainings:
    found: Trainings = request.app.state.trainings
    return found


def _told(trainings: Trainings, run: str) -> dict[str, Any]:
    try:
        return _dated(trainings.told(run))
    except KeyError:
        raise HTTPException(404, f"there is no run {run[:40]!r}: see /v1/train") from None


def _dated(about: dict[str, Any]) -> dict[str, Any]:
    return {**about, "made": datetime.fromtimestamp(about["made"], UTC).isoformat(timespec="seconds")}


async def _asked(request: Request) -> tuple[dict[str, Any], dict[str, Any]]:
    """Options of the command, and what was asked for as it was."""
    body = await read_json(request)
    system, data, given = body.get("system"), body.get("data"), body.get("options") or {}
    known = await known_now(request.app.state.queue)
    names = [one["name"] for one in known["systems"]]
    if system not in names:
        raise LimnerError(
            f"there is no system {str(system)[:80]!r}: {did_you_mean(str(system), names, 'see /v1/systems')}"
        )
    if not isinstance(data, str) or not data.strip() or not isinstance(given, dict):
        raise LimnerError("training needs data, a folder of this machine with its whole path")
    check_styles(given.get("styles") or [], [one["name"] for one in known["styles"]])
    options = _trainings(request).options(str(system), data, given)
    return options, {"system": system, "data": data, "options": given}
