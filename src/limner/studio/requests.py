"""What a request asks for: files and options, of a form or of JSON."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from fastapi import HTTPException, Request
from pydantic_core import from_json
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException

from limner.errors import LimnerError
from limner.studio.uploads import MOST_FILES, Sent, clean_name, decoded

_MOST_TEXT = 2**20  # bytes of a field of a form that is no file
_MOST_JSON = 32 * 2**20  # bytes of a body in JSON, which is held in memory; files of a form are not
_AT_ONCE = asyncio.Semaphore(4)  # bodies in JSON
_MARK = b"\xef\xbb\xbf"  # that some programs write before UTF-8
_SECONDS = 60.0  # that a body in JSON may take


@dataclass
class Asked:
    """Files by the names of inputs, and options."""

    sent: list[Sent]
    options: dict[str, Any]


@asynccontextmanager
async def asked(request: Request) -> AsyncIterator[Asked]:
    """Read a request; what it sent is closed when the context ends.

    Raises:
        LimnerError: If it is neither a form nor JSON, or is damaged.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        yield _of_json(await read_json(request))
    elif kind in ("multipart/form-data", "application/x-www-form-urlencoded"):
        try:
            form = await request.form(max_files=MOST_FILES, max_fields=50, max_part_size=_MOST_TEXT)
        except (MultiPartException, ValueError) as error:
            raise LimnerError(f"the form cannot be read ({_reason(error)}): send multipart/form-data") from None
        except Exception as error:  # starlette wraps what its parser says
            if type(error).__name__ == "HTTPException":
                raise LimnerError(f"the form cannot be read ({_reason(error)}): send multipart/form-data") from None
            raise
        try:
            yield _of_form(form.multi_items())
        finally:
            await form.close()
    elif kind == "" and not await request.body():
        yield Asked([], {})
    else:
        raise LimnerError(f"send multipart/form-data or application/json, got {kind[:80] or 'neither'!r}")


def _reason(error: Exception) -> str:
    return " ".join(str(getattr(error, "detail", error)).split())[:200]


async def read_json(request: Request) -> dict[str, Any]:
    """The body, one JSON object.

    Raises:
        LimnerError: If it is none.
    """
    if int(request.headers.get("content-length") or 0) > _MOST_JSON:
        raise HTTPException(413, f"a body in JSON may have at most {_MOST_JSON} bytes: send larger files as a form")
    try:
        async with _AT_ONCE, asyncio.timeout(_SECONDS):
            found = read_text(await _body(request))
    except TimeoutError:
        raise HTTPException(408, f"the body took longer than {_SECONDS:g} seconds: send it anew") from None
    except ValueError:
        raise LimnerError("the body is no JSON: check it") from None
    if not isinstance(found, dict):
        raise LimnerError("the body must be one JSON object with the files in base64 and options")
    return found


def read_text(text: str | bytes) -> Any:
    """What JSON says, without what could not be said again: NaN, and halves of characters.

    >>> read_text('{"seed": 3}')
    {'seed': 3}

    Raises:
        ValueError: If it is no JSON, or says such things.
    """
    return from_json(text.removeprefix(_MARK) if isinstance(text, bytes) else text, allow_inf_nan=False)


async def _body(request: Request) -> bytes:
    found = bytearray()
    async for part in request.stream():
        found += part
        if len(found) > _MOST_JSON:
            raise HTTPException(413, f"a body in JSON may have at most {_MOST_JSON} bytes: send larger files as a form")
    return bytes(found)


def _of_json(body: Mapping[str, Any]) -> Asked:
    sent = [
        Sent(name, "", BytesIO(decoded(name, text)))
        for name, value in body.items()
        if name != "options"
        for text in (value if isinstance(value, list) else [value])
    ]
    return Asked(sent, _options(body.get("options")))


def _of_form(items: list[tuple[str, Any]]) -> Asked:
    sent, options = [], dict[str, Any]()
    for name, value in items:
        if isinstance(value, UploadFile):
            sent.append(Sent(name, clean_name(value.filename), value.file))
        elif name == "options":
            try:
                options = _options(read_text(value) if value.strip() else {})
            except ValueError as error:
                if isinstance(error, LimnerError):
                    raise
                raise LimnerError("options must be a JSON object, and are no JSON: check them") from None
        else:
            raise LimnerError(f"the field {clean_name(name)!r} is no file: put options as JSON into the field options")
    return Asked(sent, options)


def _options(value: Any) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise LimnerError("options must be a JSON object")
    return value
