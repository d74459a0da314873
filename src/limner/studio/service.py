"""The web application: its addresses, and what they do."""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Callable
from http import HTTPStatus
from importlib.metadata import version
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from limner.cli.errors import FULL
from limner.errors import LimnerError
from limner.studio import jobs_routes, live_routes, told_routes, training_routes
from limner.studio.device import NotReadyError
from limner.studio.guard import BUG, App, Guard, TooLargeError
from limner.studio.key import COOKIE, token_of
from limner.studio.queue import FullError, Queue
from limner.studio.settings import Settings
from limner.studio.store import Store
from limner.studio.trainings import Trainings

PAGE = Path(__file__).parent / "page"
_RETRY = "5"  # seconds
_ERROR = {
    "application/json": {
        "schema": {"type": "object", "properties": {"error": {"type": "string"}}, "required": ["error"]}
    }
}
_LOCAL = ("127.0.0.1", "localhost", "::1")


def service(
    settings: Settings,
    *,
    on_ready: Callable[[], None] = lambda: None,
    on_worker: Callable[[int], None] = lambda resident: None,
) -> App:
    """The application, guarded.

    Args:
        settings: What it is asked to be.
        on_ready: Called when it answers.
        on_worker: Called with the bytes that the worker's process holds, when that can work.
    """

    @contextlib.asynccontextmanager
    async def living(app: FastAPI) -> AsyncIterator[None]:
        app.state.settings = settings
        app.state.store = Store(settings.folder)
        app.state.queue = Queue(settings, app.state.store)
        app.state.trainings = Trainings(settings)
        app.state.live = live_routes.Live()
        on_ready()
        device = app.state.queue.device

        def tell(known: asyncio.Future[Any]) -> None:
            if not known.cancelled() and not known.exception():
                on_worker(device.resident)

        device.known.add_done_callback(tell)
        yield
        await app.state.queue.close()
        await app.state.trainings.close()
        app.state.store.close()

    app = FastAPI(
        title="Limner",
        version=version("limner"),
        description='Makes images from images. Errors are one line: {"error": "..."}.',
        lifespan=living,
        docs_url=None,  # its page comes from another site
        redoc_url=None,
        responses={422: {"description": "Something does not fit.", "content": _ERROR}},
    )
    app.add_exception_handler(LimnerError, _refused)
    app.add_exception_handler(HTTPException, _other)
    app.add_exception_handler(TooLargeError, _too_large)
    app.add_exception_handler(RequestValidationError, _does_not_fit)
    app.add_exception_handler(OSError, _no_room)
    app.add_exception_handler(sqlite3.OperationalError, _no_room)
    app.add_exception_handler(Exception, _bug)
    if settings.page:
        app.include_router(_key_route(settings.key))
    app.include_router(told_routes.router)
    app.include_router(live_routes.router)
    app.include_router(training_routes.router)
    app.include_router(jobs_routes.router())

    @app.get("/health")
    async def health() -> dict[str, str]:
        """Whether the service answers."""
        return {"status": "ok", "version": version("limner")}

    if settings.page:

        @app.get("/", include_in_schema=False)
        async def page() -> Response:
            return FileResponse(PAGE / "index.html", headers={"cache-control": "no-cache"})

        app.mount("/page", _Static(directory=PAGE, check_dir=False))
    return Guard(
        app, hosts={*_LOCAL, *settings.hosts}, key=settings.key, max_bytes=settings.max_bytes,
        has_page=settings.page,
    )  # fmt: skip


def _key_route(key: str | None) -> APIRouter:
    """Who shows the key gets a cookie, with which a page shows it too where it can send no header."""
    router = APIRouter()

    @router.post("/v1/key", status_code=204, include_in_schema=False)
    async def keep() -> Response:
        answer = Response(status_code=204)
        if key is not None:
            answer.set_cookie(COOKIE, token_of(key), httponly=True, samesite="strict")
        return answer

    return router


class _Static(StaticFiles):
    """The files of the page, which a browser asks for again and is told that they are the same."""

    def file_response(self, *arguments: Any, **named: Any) -> Response:
        found = super().file_response(*arguments, **named)
        found.headers.setdefault("cache-control", "no-cache")
        return found


async def _refused(request: Request, error: Exception) -> Response:
    if isinstance(error, FullError):
        return JSONResponse({"error": str(error)}, 429, {"retry-after": _RETRY})
    status = 503 if isinstance(error, NotReadyError) else 422
    return JSONResponse({"error": " ".join(str(error).split())}, status)


async def _does_not_fit(request: Request, error: Exception) -> Response:
    """What stands in the address behind the question mark."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    name, reason, given = first["loc"][-1], first["msg"], str(first.get("input"))[:80]
    return JSONResponse({"error": f"{name}: {reason[:1].lower()}{reason[1:]}, got {given!r}"}, 422)


async def _too_large(request: Request, error: Exception) -> Response:
    return JSONResponse({"error": str(error)}, 413, {"connection": "close"})


async def _no_room(request: Request, error: Exception) -> Response:
    """On a full disk; another error is a bug."""
    if getattr(error, "errno", None) not in FULL and "is full" not in str(error):
        raise error
    line = "there is no space left on the disk: remove jobs, or name another place with --folder"
    return JSONResponse({"error": line}, 507)


async def _bug(request: Request, error: Exception) -> Response:
    return JSONResponse({"error": BUG}, 500)


async def _other(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    by_itself = error.detail == HTTPStatus(error.status_code).phrase  # the framework's words, which name no mend
    line = f"{request.method} {request.url.path[:80]} is no address of this service: see /openapi.json"
    return JSONResponse({"error": line if by_itself else str(error.detail)}, error.status_code, error.headers)
