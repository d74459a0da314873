"""Jobs: to ask for one, to watch it, to have what it made."""

import asyncio
import shutil
import time
import zipfile
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import FileResponse, JSONResponse, Response, StreamingResponse

from limner.errors import LimnerError, did_you_mean
from limner.studio.lines import line_of
from limner.studio.models import known_now
from limner.studio.queue import ENDED, Queue
from limner.studio.requests import asked
from limner.studio.results import TYPES, preview_in
from limner.studio.store import Job, Store, new_id
from limner.studio.uploads import Sent, by_field, check_styles, keep
from limner.studio.verbs import VERBS, Verb

_LONGEST_WAIT = 300.0  # seconds
_LEAST_SHARE = 0.02  # of a job, before which nothing is said of the time that is left


def router() -> APIRouter:
    """The routes of jobs, and one for each verb."""
    found = APIRouter(prefix="/v1", tags=["jobs"])
    found.get("/jobs")(jobs)
    found.get("/jobs.zip", response_class=StreamingResponse)(jobs_zip)
    found.get("/jobs/{job}")(job)
    found.delete("/jobs/{job}", status_code=204)(remove)
    found.post("/jobs/{job}/cancel")(cancel)
    found.post("/jobs/{job}/again", status_code=202)(again)
    found.get("/jobs/{job}/events", response_class=StreamingResponse)(events)
    found.get("/jobs/{job}/preview", response_class=Response)(preview)
    found.get("/jobs/{job}/files/{name:path}", response_class=FileResponse)(result)
    found.get("/jobs/{job}/inputs/{name}", response_class=FileResponse)(sent_file)
    for verb in VERBS:
        found.post(
            f"/{verb.name}", status_code=202, summary=verb.title, description=verb.description, tags=["verbs"],
            openapi_extra={"requestBody": _body_of(verb)},
        )(_route_of(verb))  # fmt: skip
    found.post("/{verb}", include_in_schema=False)(_no_verb)
    return found


def _route_of(verb: Verb) -> Callable[[Request, float], Awaitable[Response]]:
    async def make(request: Request, wait: float = Query(0.0, ge=0, le=_LONGEST_WAIT)) -> Response:
        queue: Queue = request.app.state.queue
        queue.check_room()
        known = await known_now(queue)
        async with asked(request) as found:
            options = _checked(verb, found.options, known)
            job = Job(new_id(), verb.name, options)
            await asyncio.to_thread(_keep, queue, verb, job, found.sent, [one["name"] for one in known["styles"]])
        return await _accepted(request, queue, job, wait)

    make.__name__ = f"make_{verb.name.replace('-', '_')}"
    return make


def _keep(queue: Queue, verb: Verb, job: Job, sent: list[Sent], styles: list[str]) -> None:
    place = queue.store.place(job.id) / "inputs"
    place.mkdir(parents=True)
    try:
        job.inputs = keep(verb, sent, place, max_pixels=queue.settings.max_pixels, taken=styles)
        by_field(verb, job.inputs, job.options.get("styles", []))
    except BaseException:
        queue.store.remove(job.id)
        raise


async def _accepted(request: Request, queue: Queue, job: Job, wait: float) -> Response:
    try:
        queue.add(job)
    except Exception:
        queue.store.remove(job.id)
        raise
    now = await queue.ended(job.id, wait) if wait else job
    assert now is not None
    wants_picture = "image/" in request.headers.get("accept", "")
    pictures = [one for one in now.results if one["kind"] == "picture"]
    if wait and wants_picture and now.state == "done" and pictures:
        return _file(queue.store.place(job.id) / "results" / pictures[0]["name"], download=False)
    if wait and now.state == "failed" and wants_picture:
        return JSONResponse({"error": now.error}, 422)
    status = 200 if now.state in ENDED else 202
    return JSONResponse(told(now, queue), status, {"location": f"/v1/jobs/{job.id}"})


def _checked(verb: Verb, options: dict[str, Any], known: dict[str, Any]) -> dict[str, Any]:
    verb.parse(options)
    if (model := options.get("model")) is not None:
        names = [one["name"] for one in known["models"] if verb.name in one["verbs"]]
        names += ["auto", "photo"] if verb.name == "upscale" else []
        if model not in names:
            raise LimnerError(f"{verb.name} has no model {model!r}: {did_you_mean(model, names, 'see /v1/models')}")
    check_styles(options.get("styles") or [], [one["name"] for one in known["styles"]])
    return options


async def _no_verb(verb: str) -> Response:
    known = [one.name for one in VERBS]
    raise HTTPException(404, f"there is no verb {verb[:80]!r}: {did_you_mean(verb, known, 'see /v1/verbs')}")


def told(job: Job, queue: Queue) -> dict[str, Any]:
    """A job, as its callers see it."""
    place, now = f"/v1/jobs/{job.id}", time.monotonic()
    elapsed = None if job.begun is None else now - job.begun
    is_running, left = job.state == "running", None
    if is_running and elapsed is not None and job.done >= _LEAST_SHARE:
        left = round(elapsed / job.done * (1 - job.done), 1)
    has_preview = is_running and preview_in(queue.store.place(job.id) / "results") is not None
    waiting = [one.id for one in queue.live.values() if one.state == "waiting"]
    return {
        "id": job.id,
        "verb": job.verb,
        "state": job.state,
        "place": waiting.index(job.id) + 1 if job.id in waiting else None,
        "done": 1.0 if job.state == "done" else round(job.done, 4),
        "left_seconds": left,
        "error": job.error,
        "notes": job.notes,
        "options": job.options,
        "inputs": [{**one, "url": f"{place}/inputs/{quote(one['name'])}"} for one in job.inputs],
        "results": [{**one, "url": f"{place}/files/{quote(one['name'])}"} for one in job.results],
        "facts": job.facts,
        "preview": f"{place}/preview" if has_preview else None,
        "made": datetime.fromtimestamp(job.made, UTC).isoformat(timespec="seconds"),
        "seconds": job.seconds if job.seconds is not None else elapsed and round(elapsed, 1),
    }


def _found(request: Request, job: str) -> tuple[Queue, Job]:
    queue: Queue = request.app.state.queue
    found = queue.get(job)
    if found is None:
        raise HTTPException(404, f"there is no job {job[:40]!r}: see /v1/jobs")
    return queue, found


async def jobs(
    request: Request, limit: int = Query(100, ge=1, le=1000), before: str | None = None
) -> list[dict[str, Any]]:
    """The newest jobs first; `before`: those that are older than that one."""
    queue: Queue = request.app.state.queue
    return [told(one, queue) for one in queue.newest(limit, before)]


async def job(request: Request, job: str) -> dict[str, Any]:
    """A job as it is now."""
    queue, found = _found(request, job)
    return told(found, queue)


async def remove(request: Request, job: str) -> None:
    """Cancel a job that has not ended, and forget it and its files."""
    queue, found = _found(request, job)
    if found.state not in ENDED:
        await queue.cancel(job)
        await queue.ended(job, 30)
    queue.remove(job)


async def cancel(request: Request, job: str) -> dict[str, Any]:
    """Stop a job; what an optimisation has reached is kept."""
    queue, found = _found(request, job)
    await queue.cancel(job)
    return told(await queue.ended(job, 1) or found, queue)


async def again(request: Request, job: str) -> Response:
    """The same again, with other options where the body has some: `{"options": {...}}` replaces single ones."""
    queue, found = _found(request, job)
    queue.check_room()
    verb = next(one for one in VERBS if one.name == found.verb)
    async with asked(request) as more:
        if more.sent:
            raise LimnerError("again takes options alone: send other files to the verb itself")
        options = _checked(verb, {**found.options, **more.options}, await known_now(queue))
    new = Job(new_id(), found.verb, options, inputs=found.inputs)
    await asyncio.to_thread(_copy_inputs, queue.store, found.id, new.id)
    return await _accepted(request, queue, new, 0)


def _copy_inputs(store: Store, old: str, new: str) -> None:
    shutil.copytree(store.place(old) / "inputs", store.place(new) / "inputs")


async def events(request: Request, job: str) -> StreamingResponse:
    """Server-sent events named `job`, each with the job as it is; they end when it ends."""
    queue, _ = _found(request, job)

    async def lines() -> AsyncIterator[str]:
        async for one in queue.changes(job):
            yield f"event: job\ndata: {line_of(told(one, queue))}\n\n"

    return StreamingResponse(lines(), media_type="text/event-stream", headers={"cache-control": "no-store"})


async def preview(request: Request, job: str) -> Response:
    """The picture as it is now."""
    queue, _ = _found(request, job)
    place = preview_in(queue.store.place(job) / "results")
    try:
        picture = place.read_bytes() if place else b""
    except OSError:  # the job has ended since
        picture = b""
    if not picture:
        raise HTTPException(404, "there is no preview: the job is not running, or shows none")
    return Response(picture, media_type="image/png", headers={"cache-control": "no-store"})


async def result(request: Request, job: str, name: str, download: bool = False) -> FileResponse:
    """A file that a job has made; with `download`, to be saved."""
    queue, found = _found(request, job)
    if name not in [one["name"] for one in found.results]:
        raise HTTPException(404, "the job has made no such file: see its results")
    return _file(queue.store.place(job) / "results" / name, download=download)


async def sent_file(request: Request, job: str, name: str) -> FileResponse:
    """A file that a job was given."""
    queue, found = _found(request, job)
    if name not in [one["name"] for one in found.inputs]:
        raise HTTPException(404, "the job was given no such file: see its inputs")
    return _file(queue.store.place(job) / "inputs" / name, download=False)


def _file(path: Path, *, download: bool) -> FileResponse:
    kind = TYPES.get(path.suffix.lower())
    shown = {"cache-control": "private, max-age=31536000, immutable"}
    if not path.is_file():
        raise HTTPException(404, "the file is no longer there")
    if kind is None or download:
        return FileResponse(path, media_type=kind or "application/octet-stream", filename=path.name, headers=shown)
    return FileResponse(path, media_type=kind, headers=shown)


async def jobs_zip(request: Request, id: Annotated[list[str], Query()]) -> StreamingResponse:
    """The results of several jobs in one file."""
    found = [_found(request, one) for one in dict.fromkeys(id)]
    if not found:
        raise LimnerError("name the jobs: jobs.zip?id=...&id=...")
    file = await asyncio.to_thread(_zipped, found)

    def parts() -> Any:
        with file:
            while part := file.read(2**20):
                yield part

    headers = {"content-disposition": 'attachment; filename="limner.zip"', "cache-control": "no-store"}
    return StreamingResponse(parts(), media_type="application/zip", headers=headers)


def _zipped(found: list[tuple[Queue, Job]]) -> Any:
    file: Any = SpooledTemporaryFile(2**24)  # noqa: SIM115  # it is closed when it has been sent
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for queue, job in found:
            for one in job.results:
                path = queue.store.place(job.id) / "results" / one["name"]
                if path.is_file():
                    archive.write(path, f"{job.verb}-{job.id}/{one['name']}")
    file.seek(0)
    return file


def _body_of(verb: Verb) -> dict[str, Any]:
    """What OpenAPI says of a verb's requests."""
    forms, texts = dict[str, Any](), dict[str, Any]()
    for one in verb.inputs:
        binary = {"type": "string", "format": "binary"}
        text = {"type": "string", "contentEncoding": "base64"}
        forms[one.name] = {"type": "array", "items": binary} if one.many else binary
        texts[one.name] = {"oneOf": [text, {"type": "array", "items": text}]} if one.many else text
    required = [one.name for one in verb.inputs if one.required]
    options = verb.schema()
    as_text = {"type": "string", "contentMediaType": "application/json", "contentSchema": options}
    form = {"type": "object", "properties": {**forms, "options": as_text}, "required": required}
    whole = {"type": "object", "properties": {**texts, "options": options}, "required": required}
    return {"content": {"multipart/form-data": {"schema": form}, "application/json": {"schema": whole}}}
