"""A real browser beside the service of the folder above, and what its tests do with the page."""

import base64
import io
import json
import re
import shutil
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest

pytest.importorskip("playwright", reason="the page is tested with playwright")

from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from tests.studio.conftest import Service

CHROMIUM = "/usr/bin/chromium"
PHONE, LAPTOP, DESK = (390, 844), (1024, 768), (1440, 900)
CAMERA = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]  # a moving picture of its own
SECONDS = 120
OTHERS = ("draw", "gallery", "train", "nowhere")  # pages that are none of a verb
_CUT = ("CONNECTION_REFUSED", "CONNECTION_RESET", "CONNECTION_CLOSED", "EMPTY_RESPONSE", "SOCKET_NOT_CONNECTED")
_CUT_WITHIN = ("CONTENT_LENGTH_MISMATCH", "INCOMPLETE_CHUNKED_ENCODING")
_GONE = tuple(f"net::ERR_{one}" for one in (*_CUT, *_CUT_WITHIN))  # what a service that ends leaves, by when it ends
expect.set_options(timeout=30_000)  # the machine may have other work

Opens = Callable[..., Page]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if not Path(CHROMIUM).exists():
        pytest.skip(f"no {CHROMIUM}: apt install chromium")
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=CAMERA)
        yield found
        found.close()


@pytest.fixture
def opens(browser: Browser) -> Iterator[Opens]:
    """Opens the page of an address as a user of its own; what goes wrong in the page fails the test.

    `ready` waits until the page may be used.
    """
    contexts: list[BrowserContext] = []
    wrong: list[str] = []

    def open_page(
        address: str, place: str = "", *, size: tuple[int, int] = DESK, ready: bool = True, **options: Any
    ) -> Page:
        is_phone = size == PHONE
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]}, is_mobile=is_phone, has_touch=is_phone, **options
        )
        contexts.append(context)
        context.set_default_timeout(SECONDS * 1000)
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda said: wrong.append(said.text) if _is_wrong(said.type, said.text) else None)
        page.goto(f"{address}{place}")
        if ready:
            page.wait_for_selector("html[data-ready]", state="attached")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not wrong


def _is_wrong(kind: str, text: str) -> bool:
    """Whether the console tells of a fault; tests ask for answers such as 422, end services, and read canvases."""
    expected = ("the server responded with a status of", "Canvas2D: Multiple readback", *_GONE)
    return kind in ("error", "warning") and not any(one in text for one in expected)


def go(page: Page, address: str, place: str) -> None:
    """Go on to another page of the studio, and wait until that may be used."""
    page.goto(f"{address}{place}")
    page.wait_for_selector(f"#view[data-page='{place.removeprefix('#/').partition('?')[0]}']", state="attached")
    page.wait_for_selector("html[data-ready]", state="attached")


def drop(page: Page, selector: str, files: dict[str, bytes]) -> None:
    """Drop files on an element."""
    given = [[name, base64.b64encode(data).decode()] for name, data in files.items()]
    page.eval_on_selector(
        selector,
        """(element, files) => {
            const transfer = new DataTransfer();
            for (const [name, text] of files) {
                const bytes = Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
                transfer.items.add(new File([bytes], name, { type: "image/png" }));
            }
            for (const kind of ["dragenter", "dragover", "drop"]) {
                element.dispatchEvent(new DragEvent(kind, { bubbles: true, cancelable: true, dataTransfer: transfer }));
            }
        }""",
        given,
    )


def stroke(page: Page, selector: str, *points: tuple[float, float]) -> None:
    """Draw with the mouse through points, which are shares of an element's sides."""
    box = page.locator(selector).bounding_box()
    assert box is not None
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=5)
    page.mouse.up()


@pytest.fixture(scope="session")
def axe(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The script of axe-core, from npm and kept for the next time; it is larger than the page, so none is kept here."""
    cached = request.config.cache.mkdir("axe") / "axe.min.js" if request.config.cache else None
    if cached and cached.exists():
        return cached.read_text(encoding="utf-8")
    if not shutil.which("npm"):
        pytest.skip("no npm, which fetches axe-core")
    place = tmp_path_factory.mktemp("axe")
    try:
        subprocess.run(["npm", "pack", "axe-core@4"], cwd=place, check=True, capture_output=True, timeout=60)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        pytest.skip("npm could not fetch axe-core")
    with tarfile.open(next(place.glob("axe-core-*.tgz"))) as archive:
        member = archive.extractfile("package/axe.min.js")
        assert member is not None
        text = io.TextIOWrapper(member, encoding="utf-8").read()
    if cached:
        cached.write_text(text, encoding="utf-8")
    return text


def hash_of(page: str, **options: Any) -> str:
    return f"#/{page}" + (f"?options={quote(json.dumps(options))}" if options else "")


def pages(service: Service) -> list[str]:
    """All that there are: those of the verbs, the others, and one that there is not."""
    return [*(verb["name"] for verb in service.client.get("/v1/verbs").json()), *OTHERS]


def pixels(page: Page, selector: str) -> np.ndarray:
    """Of a canvas, as it is shown."""
    values = page.eval_on_selector(
        selector,
        """(canvas) => {
            const image = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
            return [canvas.height, canvas.width, ...image.data];
        }""",
    )
    return np.array(values[2:], np.uint8).reshape(values[0], values[1], 4)


def seen(page: Page, selector: str) -> np.ndarray:
    """The pixels of a picture that the page shows."""
    values = page.eval_on_selector(
        selector,
        """async (image) => {
            await image.decode();
            const canvas = document.createElement("canvas");
            canvas.width = image.naturalWidth;
            canvas.height = image.naturalHeight;
            const context = canvas.getContext("2d");
            context.drawImage(image, 0, 0);
            return [canvas.height, canvas.width, ...context.getImageData(0, 0, canvas.width, canvas.height).data];
        }""",
    )
    return np.array(values[2:], np.uint8).reshape(values[0], values[1], 4)[..., :3]


def job_of(page: Page) -> str:
    """The id of the job that the address names."""
    page.wait_for_url(re.compile("job="))
    found = re.search(r"job=(\w+)", page.url)
    assert found
    return found[1]


def run_until_done(page: Page) -> str:
    page.click("[data-act=run]")
    job = job_of(page)
    page.wait_for_selector("#stage[data-state=done]")
    return job
