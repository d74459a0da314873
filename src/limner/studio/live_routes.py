"""The pictures that follow a drawing, or the sliders of a latent."""

import asyncio
import base64
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from limner.errors import LimnerError, did_you_mean
from limner.studio.models import known_now
from limner.studio.queue import FullError, Queue
from limner.studio.requests import asked, read_json

router = APIRouter(prefix="/v1", tags=["live"])

_MOST_WAITING = 16  # drawings of different sessions


class StaleError(Exception):
    """A newer drawing of the same session has come."""


class Live:
    """One drawing at a time; of those of one session that wait, the newest."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._waiting: dict[str, asyncio.Event] = {}
        self._thumbnails = asyncio.Lock()

    async def draw(self, session: str, ask: Any) -> dict[str, Any]:
        """Have a drawing translated when its turn comes.

        Raises:
            StaleError: If a newer one of the same session came before that.
            FullError: If too many sessions wait.
        """
        if (older := self._waiting.get(session)) is not None:
            older.set()
        elif len(self._waiting) >= _MOST_WAITING:
            raise FullError(f"{_MOST_WAITING} drawings wait already: try again in a second")
        replaced = self._waiting[session] = asyncio.Event()
        try:
            async with self._turn:
                if replaced.is_set():
                    raise StaleError
                if self._waiting.get(session) is replaced:
                    del self._waiting[session]
                found: dict[str, Any] = await ask()
                return found
        finally:
            if self._waiting.get(session) is replaced:
                del self._waiting[session]

    async def thumbnail(self, style: str, queue: Queue) -> Path:
        """A small picture of a style that comes with Limner, kept for the next time; all are made at once."""
        folder = queue.settings.folder / "thumbnails"
        async with self._thumbnails:
            if not (folder / f"{style}.webp").exists():
                await queue.device.ask("thumbnails", folder=str(folder))
        return folder / f"{style}.webp"


@router.post(
    "/draw",
    response_class=Response,
    responses={200: {"content": {"image/png": {}}}, 409: {"description": "a newer drawing has come"}},
    openapi_extra={"requestBody": {"content": {"multipart/form-data": {}, "application/json": {}, "image/png": {}}}},
)
async def draw(request: Request) -> Response:
    """What a model that translates makes of a drawing, at once.

    A form, or JSON with base64: `picture`, perhaps `style_photo`, and `options` with `model`, `seed` and `direction`;
    or the bytes of a picture with these in the address. `X-Session` names a canvas: of its drawings only the newest
    is made, an older one that still waits is answered with 409.
    """
    options, files = await _asked(request)
    unknown = set(options) - {"model", "seed", "direction"}
    if unknown:
        raise LimnerError(f"draw takes model, seed and direction, got {min(unknown)[:80]!r}: leave it out")
    order = {**_order(options, await known_now(request.app.state.queue)), **files}
    made = await _in_turn(request, "draw", order)
    return Response(base64.b64decode(made["png"]), media_type="image/png", headers={"cache-control": "no-store"})


class Sample(BaseModel):
    """What a picture is made of by a model that generates."""

    model_config = ConfigDict(extra="forbid")
    model: str
    seed: int = Field(0, ge=0, lt=2**63)
    label: int | None = Field(None, ge=0, lt=2**31)
    truncation: float | None = Field(None, gt=0, le=100)
    latent: dict[Annotated[str, Field(pattern=r"^[0-9]{1,6}$")], Annotated[float, Field(ge=-100, le=100)]] = Field(
        default_factory=dict, max_length=1024
    )


@router.post(
    "/sample",
    openapi_extra={"requestBody": {"content": {"application/json": {"schema": Sample.model_json_schema()}}}},
)
async def sample(request: Request) -> dict[str, Any]:
    """The picture of one latent, at once: that of `seed`, with single numbers of it changed by `latent`.

    `X-Session` names a page, as that of `/v1/draw` names a canvas.
    """
    try:
        given = Sample.model_validate(await read_json(request))
    except ValidationError as error:
        first = error.errors()[0]
        raise LimnerError(f"{'.'.join(map(str, first['loc']))}: {first['msg'].lower()}: see /openapi.json") from None
    path = _path_of(given.model, "generate", await known_now(request.app.state.queue))
    order = {**given.model_dump(exclude={"model"}), "model": path, "name": given.model}
    return await _in_turn(request, "sample", order)


async def _in_turn(request: Request, what: str, order: dict[str, Any]) -> dict[str, Any]:
    """Have the worker do it when its turn has come, and is not another's of the same session by then."""
    session = f"{what} {request.headers.get('x-session', request.client.host if request.client else '')[:100]}"
    try:
        found: dict[str, Any] = await request.app.state.live.draw(
            session, lambda: request.app.state.queue.device.ask(what, **order)
        )
    except StaleError:
        raise HTTPException(409, "a newer drawing has come") from None
    return found


async def _asked(request: Request) -> tuple[dict[str, Any], dict[str, str]]:
    """Options, and files in base64."""
    if request.headers.get("content-type", "").startswith("image/"):
        options: dict[str, Any] = dict(request.query_params)
        return options, {"picture": base64.b64encode(await request.body()).decode()}
    async with asked(request) as found:
        files = {one.field: one.file.read() for one in found.sent}
    if "picture" not in files:
        raise LimnerError("draw needs a picture: send it in the field picture")
    texts = {"picture": files["picture"]} | ({"style": files["style_photo"]} if "style_photo" in files else {})
    return found.options, {name: base64.b64encode(data).decode() for name, data in texts.items()}


def _order(options: dict[str, Any], known: dict[str, Any]) -> dict[str, Any]:
    path, direction = _path_of(options.get("model"), "translate", known), options.get("direction")
    try:
        seed = TypeAdapter(int).validate_python(options.get("seed") or 0)
    except ValidationError:
        seed = -1
    if not 0 <= seed < 2**63:
        raise LimnerError(f"seed must be a whole number of at least 0, got {str(options.get('seed'))[:80]!r}")
    if direction is not None and not isinstance(direction, str):
        raise LimnerError("direction must be a text such as AB")
    return {"model": path, "seed": seed, "direction": direction}


def _path_of(name: Any, verb: str, known: dict[str, Any]) -> str:
    """The weight file of a model that a verb can use."""
    models: dict[str, str] = {one["name"]: one["path"] for one in known["models"] if verb in one["verbs"]}
    if not isinstance(name, str) or name not in models:
        mend = did_you_mean(str(name), models, "see /v1/models")
        raise LimnerError(f"this needs a model that can {verb}, got {str(name)[:80]!r}: {mend}")
    return models[name]
