"""The page of drawings in a real browser."""

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Route, expect
from tests.studio.browser.conftest import (
    PHONE,
    Opens,
    drop,
    pixels,
    seen,
    stroke,
)
from tests.studio.conftest import COLORS, Service, png

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]


def test_drawing_has_only_colours_of_the_palette_and_gives_a_picture(service: Service, opens: Opens) -> None:
    page = opens(service.address, "#/draw?width=64&height=48")
    canvas = ".easel canvas"
    assert pixels(page, canvas).shape == (48, 64, 4)
    stroke(page, canvas, (0.1, 0.2), (0.5, 0.7), (0.9, 0.3))
    page.keyboard.press("l")
    stroke(page, canvas, (0.05, 0.95), (0.95, 0.05))
    page.wait_for_selector(".paper img")
    first = page.get_attribute(".paper img", "src")
    drawn = pixels(page, canvas)
    assert {tuple(one) for one in drawn.reshape(-1, 4)} == {(*color, 255) for color in COLORS}
    page.keyboard.press("g")
    stroke(page, canvas, (0.02, 0.02))
    expect(page.locator(".paper img")).not_to_have_attribute("src", str(first))
    made = seen(page, ".paper img")
    assert made.shape == (48, 64, 3) and made.std() > 0
    page.keyboard.press("Control+z")
    assert np.array_equal(pixels(page, canvas), drawn)
    page.keyboard.press("Control+y")
    assert not np.array_equal(pixels(page, canvas), drawn)
    page.wait_for_timeout(1200)  # the drawing is kept a little after the last stroke
    kept = pixels(page, canvas)
    page.reload()
    page.wait_for_selector(canvas)
    assert np.array_equal(pixels(page, canvas), kept)


def test_drawing_is_saved_and_opened_again(service: Service, opens: Opens, tmp_path: Any) -> None:
    page = opens(service.address, "#/draw?width=40&height=30")
    page.keyboard.press("r")
    stroke(page, ".easel canvas", (0.25, 0.25), (0.74, 0.74))
    drawn = pixels(page, ".easel canvas")
    assert (drawn[..., 0] == COLORS[1][0]).sum() == 20 * 16  # a rectangle from pixel to pixel, both in it
    with page.expect_download() as download:
        page.click("[aria-label='Save the drawing']")
    download.value.save_as(tmp_path / "drawing.png")
    assert np.array_equal(np.asarray(Image.open(tmp_path / "drawing.png").convert("RGB")), drawn[..., :3])
    page.click("[aria-label=Clear]")
    drop(page, "#stage", {"drawing.png": (tmp_path / "drawing.png").read_bytes()})
    expect(page.locator("[aria-label=Undo]")).to_be_enabled()
    page.wait_for_timeout(200)
    assert np.array_equal(pixels(page, ".easel canvas"), drawn)


def test_a_photo_that_is_dropped_on_a_drawing_lies_beneath_it(service: Service, opens: Opens) -> None:
    """Also where it is a PNG, as drawings are: by its colours it is none."""
    page = opens(service.address, "#/draw?width=64&height=48")
    before = pixels(page, ".easel canvas")
    drop(page, "#stage", {"photo.png": png(32, 24)})
    expect(page.locator(".beneath-row")).to_have_count(1)
    assert np.array_equal(pixels(page, ".easel canvas")[..., :3], before[..., :3])


def test_photos_lie_beneath_a_drawing_as_layers(service: Service, opens: Opens) -> None:
    page = opens(service.address, "#/draw?width=64&height=48")
    drop(page, "#stage", {"one.jpg": png(8, 8, seed=1), "two.jpg": png(8, 8, seed=2)})
    rows, images = page.locator(".beneath-row"), page.locator(".beneath img")
    expect(rows).to_have_count(2)
    assert [one.get_attribute("aria-label") for one in rows.all()] == ["one.jpg", "two.jpg"]
    assert float(page.eval_on_selector(".easel canvas", "(one) => getComputedStyle(one).opacity")) < 1
    top = images.nth(1).get_attribute("src")  # the last one is painted on top
    assert rows.nth(0).locator("img").get_attribute("src") == top
    rows.nth(0).locator("input").fill("0.5")
    rows.nth(1).get_by_label("Up").click()
    assert [one.get_attribute("aria-label") for one in rows.all()] == ["two.jpg", "one.jpg"]
    assert images.nth(0).get_attribute("src") == top
    expect(images.nth(0)).to_have_css("opacity", "0.5")
    rows.nth(0).get_by_label("Show or hide").click()
    expect(images.nth(1)).to_be_hidden()
    page.reload()
    expect(rows).to_have_count(2)  # they are kept
    expect(images.nth(1)).to_be_hidden()
    expect(images.nth(0)).to_have_css("opacity", "0.5")
    for _ in range(2):
        rows.nth(0).get_by_label("Take away").click()
    expect(images).to_have_count(0)
    expect(page.locator(".easel canvas")).to_have_css("opacity", "1")


def test_stroke_does_not_wait_for_the_model(service: Service, opens: Opens) -> None:
    page = opens(service.address, "#/draw?width=64&height=64")
    page.route("**/v1/draw", lambda route: None)  # a model that never answers
    before = pixels(page, ".easel canvas")
    stroke(page, ".easel canvas", (0.1, 0.5), (0.9, 0.5))
    assert not np.array_equal(pixels(page, ".easel canvas"), before)
    page.unroute_all(behavior="ignoreErrors")


def test_newest_drawing_wins_over_older_answers(service: Service, opens: Opens) -> None:
    page = opens(service.address, "#/draw?width=32&height=32")
    held: list[Route] = []
    page.route("**/v1/draw", lambda route: held.append(route))
    for number in range(2):
        stroke(page, ".easel canvas", (0.1, 0.3 + 0.3 * number), (0.9, 0.3 + 0.3 * number))
        while len(held) <= number:
            page.wait_for_timeout(20)
    answers = [png(32, 32, seed=number) for number in range(2)]
    held[1].fulfill(body=answers[1], content_type="image/png")
    page.wait_for_selector(".paper img")
    held[0].fulfill(body=answers[0], content_type="image/png")
    page.wait_for_timeout(300)
    newest = np.asarray(Image.open(io.BytesIO(answers[1])).convert("RGB"))
    assert np.array_equal(seen(page, ".paper img"), newest)


@pytest.mark.parametrize(("size", "across"), [((1280, 900), True), (PHONE, False)], ids=["laptop", "phone"])
def test_drawing_and_picture_use_the_room(size: tuple[int, int], across: bool, service: Service, opens: Opens) -> None:
    page = opens(service.address, "#/draw", size=size)
    page.wait_for_selector(".paper")
    page.wait_for_timeout(300)
    canvas, paper = page.locator(".easel").bounding_box(), page.locator(".paper").bounding_box()
    assert canvas and paper
    assert (canvas["y"] == paper["y"]) == across and (canvas["x"] == paper["x"]) != across
    stage = page.locator(".stage > .picture").bounding_box()
    assert stage
    other = min((stage["height"] - 48) / 2, stage["width"] - 32) if across else (stage["width"] - 48) / 2
    assert canvas["width"] > other
