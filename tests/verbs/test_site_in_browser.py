"""Pages of single models in a real browser, served as plain files."""

import functools
import io
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
import torch
from PIL import Image

pytest.importorskip("onnxruntime")
pytest.importorskip("playwright")

from playwright.sync_api import Page, expect
from tests.studio.browser.conftest import PHONE, Opens, browser, opens, pixels, stroke  # noqa: F401

from limner.catalog.models import load
from limner.verbs.export_site import PACKAGE, export_site

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

Serves = Callable[[str], str]


@pytest.fixture(scope="module")
def serves(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serves]:
    """Writes the page of a model, once, and gives its address."""
    folder = tmp_path_factory.mktemp("sites")
    if (
        not shutil.which("npm")
        or subprocess.run(["npm", "pack", PACKAGE, "--silent"], cwd=folder, capture_output=True).returncode
    ):
        pytest.skip("npm reaches no registry here")
    runtime = next(folder.glob("*.tgz"))

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *words: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def serve(model: str) -> str:
        if not (folder / model).exists():
            export_site(model, folder / model, runtime=runtime)
        return f"http://127.0.0.1:{server.server_port}/{model}/"

    yield serve
    server.shutdown()


def made(page: Page) -> np.ndarray:
    """The result, RGB in [0, 1], when the page has made it."""
    expect(page.locator("#state")).to_contain_text("pixels in")
    return pixels(page, "#result")[..., :3] / 255


def made_anew(page: Page, old: np.ndarray) -> np.ndarray:
    """The next result that is another one."""
    for _ in range(600):
        if (found := made(page)).shape != old.shape or not np.array_equal(found, old):
            return found
        page.wait_for_timeout(100)
    raise AssertionError("nothing has changed")


def test_sliders_of_a_latent_make_what_the_model_makes(serves: Serves, opens: Opens) -> None:  # noqa: F811
    page = opens(serves("digits-vae"), ready=False)
    first = made(page)
    with torch.inference_mode():
        expected = load("digits-vae")[0](torch.zeros(1, 10))[0, 0].numpy()
    np.testing.assert_allclose(first[..., 0], expected, atol=1.01 / 255)
    page.locator("#latent-0").fill("2")
    made_anew(page, first)
    page.get_by_role("button", name="Random").click()
    expect(page.locator("#latent-0")).not_to_have_value("2")


def test_a_digit_is_chosen(serves: Serves, opens: Opens) -> None:  # noqa: F811
    page = opens(serves("digits-acgan"), ready=False)
    first = made(page)
    page.locator("#label").select_option("7")
    second = made_anew(page, first)
    with torch.inference_mode():
        expected = load("digits-acgan")[0](torch.zeros(1, 100), torch.tensor([7]))[0, 0].numpy()
    np.testing.assert_allclose(second[..., 0], expected, atol=1.01 / 255)


def test_a_drawing_becomes_a_facade(serves: Serves, opens: Opens) -> None:  # noqa: F811
    page = opens(serves("facades"), ready=False)
    first = made(page)
    page.get_by_role("button", name="window").click()
    for y in (0.3, 0.6):
        stroke(page, ".drawing", (0.2, y), (0.8, y))
    second = made_anew(page, first)
    assert second.shape == (256, 256, 3) and second.std() > 0.05
    assert len(np.unique(pixels(page, ".drawing").reshape(-1, 4), axis=0)) == 2  # two classes, no colour between
    with page.expect_download() as download:
        page.click("#save")
    assert download.value.suggested_filename == "facades.png"


def test_a_photo_is_painted_in_the_style_of_another(serves: Serves, opens: Opens) -> None:  # noqa: F811
    page = opens(serves("any-style"), ready=False)
    expect(page.locator("#state")).to_contain_text("choose a photo")
    page.click("#run")
    expect(page.locator("#state")).to_have_text("Choose a photo first")
    rng = np.random.default_rng(0)
    for number, file in enumerate(page.locator("input[type=file]").all()):
        blocks = rng.integers(0, 256, (4, 6, 3), np.uint8).repeat(40, 0).repeat(40, 1)
        data = io.BytesIO()
        Image.fromarray(blocks).save(data, "PNG")
        file.set_input_files({"name": f"{number}.png", "mimeType": "image/png", "buffer": data.getvalue()})
    assert made(page).shape == (160, 240, 3) and made(page).std() > 0.02
    page.locator("input[type=file]").first.set_input_files(
        {"name": "no.png", "mimeType": "image/png", "buffer": b"no picture"}
    )
    expect(page.locator("#state")).to_contain_text("no.png is no picture")


def test_a_camera_is_painted_frame_by_frame(serves: Serves, opens: Opens) -> None:  # noqa: F811
    page = opens(serves("many-styles"), ready=False, permissions=["camera"])
    page.get_by_role("button", name="Camera").click()
    frames = [made(page)]
    for _ in range(2):
        frames.append(made_anew(page, frames[-1]))
    assert frames[0].shape == (240, 320, 3) and frames[0].std() > 0.02
    page.get_by_role("button", name="Stop the camera").click()
    page.wait_for_timeout(3000)
    still = made(page)
    page.wait_for_timeout(1000)
    assert np.array_equal(made(page), still)


def test_a_style_is_chosen_and_mixed(serves: Serves, opens: Opens) -> None:  # noqa: F811
    page = opens(serves("many-styles"), ready=False)
    blocks = np.random.default_rng(0).integers(0, 256, (4, 6, 3), np.uint8).repeat(40, 0).repeat(40, 1)
    data = io.BytesIO()
    Image.fromarray(blocks).save(data, "PNG")
    page.locator("input[type=file]").set_input_files(
        {"name": "photo.png", "mimeType": "image/png", "buffer": data.getvalue()}
    )
    first = made(page)
    page.locator("#styles").select_option(label="Great wave")
    second = made_anew(page, first)
    assert np.abs(second - first).mean() > 0.02
    page.get_by_text("Mix", exact=True).click()
    page.get_by_label("Mosaic", exact=True).fill("1")
    made_anew(page, second)
    expect(page.locator("#styles")).to_have_value("")
    page.get_by_label("Great wave", exact=True).fill("0")
    expect(page.locator("#styles option:checked")).to_have_text("Mosaic")


@pytest.mark.parametrize("model", ["facades", "digits-acgan", "any-style", "many-styles"])
def test_nothing_is_wider_than_a_phone(model: str, serves: Serves, opens: Opens) -> None:  # noqa: F811
    page = opens(serves(model), ready=False, size=PHONE)
    expect(page.locator("#run")).to_be_enabled()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]


def test_without_its_model_a_page_says_so(serves: Serves, opens: Opens, browser) -> None:  # noqa: F811
    page = browser.new_page()
    page.route("**/model.onnx", lambda route: route.abort())
    page.goto(serves("digits-vae"))
    expect(page.locator("#state")).to_contain_text("The model could not be loaded")
    page.close()
