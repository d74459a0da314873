"""What holds of all pages in a real browser: their weight, width, keys, and what is told of them."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect
from tests.studio.browser.conftest import (
    DESK,
    LAPTOP,
    PHONE,
    Opens,
    drop,
    go,
    hash_of,
    pages,
    pixels,
    run_until_done,
    seen,
)
from tests.studio.conftest import Service, png

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

HEAVIEST = 300_000  # bytes of the page without samples


def test_samples_fit_the_page_and_name_their_model(service: Service, opens: Opens) -> None:
    page = opens(service.address, "#/straighten")
    page.click("[aria-label='Sample: A seven']")
    told = service.client.get(f"/v1/jobs/{run_until_done(page)}").json()
    assert told["inputs"][0]["name"] == "seven.webp"
    go(page, service.address, "#/translate")
    page.click("[aria-label='Sample: A face in lines']")
    expect(page.locator("[data-option=model] select")).to_have_value("faces")
    expect(page.locator("[data-option=nearest]")).to_be_hidden()
    told = service.client.get(f"/v1/jobs/{run_until_done(page)}").json()
    assert told["options"] == {"model": "faces"} and told["inputs"][0]["name"] == "drawing.webp"
    other = opens(service.address, "#/translate")
    other.click("[aria-label='Sample: The Urals from space']")
    expect(other.locator("[data-option=model] select")).to_have_value("maps")
    go(page, service.address, "#/segment")
    page.click("[aria-label='Sample: Nuclei of cells']")
    expect(page.locator("[data-option=model] select")).to_have_value("nuclei")


def test_keyboard_alone_paints_and_begins(service: Service, opens: Opens) -> None:
    page = opens(service.address, "#/draw?width=64&height=64")
    page.focus(".easel canvas")
    before = pixels(page, ".easel canvas")
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "ArrowDown", " "):
        page.keyboard.press(key)
    assert not np.array_equal(pixels(page, ".easel canvas"), before)
    go(page, service.address, hash_of("upscale", scale=2))
    drop(page, "#stage", {"small.png": png(12, 8)})
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(".compare .after")
    page.focus(".compare-slider")
    before_cut = page.eval_on_selector(".compare", "(one) => one.style.getPropertyValue('--cut')")
    page.keyboard.press("ArrowRight")
    assert page.eval_on_selector(".compare", "(one) => one.style.getPropertyValue('--cut')") != before_cut


@pytest.mark.parametrize("size", [PHONE, LAPTOP], ids=["phone", "laptop"])
def test_nothing_is_wider_than_the_window(size: tuple[int, int], service: Service, opens: Opens) -> None:
    page = opens(service.address, size=size)
    for name in pages(service):
        go(page, service.address, f"#/{name}")
        page.wait_for_timeout(100)
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0], name
    go(page, service.address, hash_of("upscale", scale=2))
    drop(page, "#stage", {"small.png": png(12, 8)})
    run_until_done(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    wide = page.eval_on_selector(".bar", "(bar) => bar.scrollWidth - bar.clientWidth")
    assert wide <= 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(scheme: str, service: Service, opens: Opens, axe: str) -> None:
    page, found = opens(service.address, color_scheme=scheme, bypass_csp=True), dict[str, Any]()
    for name in pages(service):
        go(page, service.address, f"#/{name}")
        page.wait_for_timeout(100)
        found |= {name: wrong} if (wrong := _violations(page, axe)) else {}
    go(page, service.address, hash_of("upscale", scale=2))
    drop(page, "#stage", {"small.png": png(12, 8)})
    run_until_done(page)
    assert _violations(page, axe) == []
    assert not found, json.dumps(found, indent=1)


def _violations(page: Page, axe: str) -> list[Any]:
    if not page.evaluate("'axe' in window"):
        page.add_script_tag(content=axe)
    found = page.evaluate("axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'] })")
    return [(one["id"], [node["html"][:160] for node in one["nodes"]]) for one in found["violations"]]


def test_page_is_light_and_asks_nobody_else(service: Service, opens: Opens) -> None:
    page = opens(service.address, "#/stylize")
    asked = page.evaluate("performance.getEntriesByType('resource').map((one) => [one.name, one.decodedBodySize])")
    own = [size for name, size in asked if "/page/" in name and "/samples/" not in name]
    assert all(name.startswith(service.address) for name, _ in asked)
    assert len(own) > 10 and sum(own) < HEAVIEST


def test_nothing_jumps_while_a_picture_is_made(service: Service, opens: Opens) -> None:
    page = opens(service.address, hash_of("upscale", scale=2), size=DESK)
    page.evaluate(
        """() => {
            window.shifts = 0;
            new PerformanceObserver((list) => {
                for (const one of list.getEntries()) window.shifts += one.value;
            }).observe({ type: "layout-shift" });
        }"""
    )
    drop(page, "#stage", {"photo.png": png(64, 48)})
    run_until_done(page)
    page.wait_for_timeout(300)
    assert page.evaluate("window.shifts") < 0.02


def test_theme_is_chosen_and_kept(service: Service, opens: Opens) -> None:
    page = opens(service.address, color_scheme="light")
    ground = "getComputedStyle(document.querySelector('#top')).backgroundColor"
    light = page.evaluate(ground)
    page.click("[aria-label='Dark or light']")
    dark = page.evaluate(ground)
    assert dark != light
    page.reload()
    page.wait_for_selector("html[data-ready]", state="attached")
    assert page.evaluate(ground) == dark


def test_state_is_in_the_address(service: Service, opens: Opens) -> None:
    page = opens(service.address, "#/restore-denoise")
    page.check("[data-option=quick] input")
    page.fill("[data-option=seed] input", "7")
    page.dispatch_event("[data-option=seed] input", "change")
    page.reload()
    page.wait_for_selector("[data-option=quick] input")
    assert page.is_checked("[data-option=quick] input") and page.input_value("[data-option=seed] input") == "7"


def test_an_address_that_makes_no_sense_is_passed_over(service: Service, opens: Opens) -> None:
    page = opens(service.address, "#/draw?seed=abc&width=x&direction=up")
    expect(page.get_by_label("Seed", exact=True)).to_have_value("0")
    go(page, service.address, hash_of("upscale", scale="wide", quality=[1], nothing=3))
    page.reload()
    page.wait_for_selector("html[data-ready]", state="attached")
    drop(page, "#stage", {"small.png": png(12, 8)})
    assert service.client.get(f"/v1/jobs/{run_until_done(page)}").json()["options"] == {}
    go(page, service.address, "#/nowhere")
    expect(page.locator("#top h1")).to_have_text("No such page")


def test_page_asks_for_the_key_and_works_with_it(fresh: Callable[..., Service], tmp_path: Any, opens: Opens) -> None:
    studio = fresh(tmp_path / "data", "--key", "open sesame")
    page = opens(studio.address, hash_of("upscale", scale=2), ready=False)
    box = page.get_by_label("Key", exact=True)
    box.fill("sesame")
    page.keyboard.press("Enter")
    expect(page.locator("dialog .error")).to_have_text("That is not the key of this studio.")
    for _ in range(3):  # nothing can be done without it
        page.keyboard.press("Escape")
    expect(page.locator("dialog[open]")).to_have_count(1)
    expect(box).to_be_focused()
    box.fill("open sesame")
    page.keyboard.press("Enter")
    page.wait_for_selector("html[data-ready]", state="attached")
    expect(page.locator("dialog[open]")).to_have_count(0)
    page.wait_for_selector(".drop")
    drop(page, "#stage", {"small.png": png(12, 8)})
    job = run_until_done(page)  # its events and its picture come without a header
    assert seen(page, ".compare .after").shape == (16, 24, 3)
    assert studio.client.get(f"/v1/jobs/{job}").status_code == 401
    page.reload()
    page.wait_for_selector(".compare .after")  # it is asked for once
    assert "sesame" not in json.dumps(page.context.cookies()) + page.evaluate("JSON.stringify(localStorage)")
    page.context.clear_cookies()
    page.click("[data-act=run]")
    page.get_by_label("Key", exact=True).fill("open sesame")
    page.keyboard.press("Enter")  # what was begun without it goes on
    page.wait_for_function("(old) => location.href.includes('job=') && !location.href.includes(old)", arg=job)
    page.wait_for_selector("#stage[data-state=done]")


_SHOWN = "[...document.querySelectorAll('[data-job] img')].filter((one) => one.naturalWidth > 0).length"
"""Of the pictures of jobs, how many are there."""


def test_pictures_that_were_refused_are_there_once_the_key_is(
    fresh: Callable[..., Service], tmp_path: Any, opens: Opens
) -> None:
    studio = fresh(tmp_path / "data", "--key", "sesame")
    shown = {"Authorization": "Bearer sesame"}
    for seed in range(2):
        files, scale = {"picture": png(12, 8, seed=seed)}, {"options": '{"scale": 2}'}
        studio.client.post("/v1/upscale?wait=60", files=files, data=scale, headers=shown)
    page = opens(studio.address, "#/upscale", ready=False)
    page.get_by_label("Key", exact=True).fill("sesame")
    page.keyboard.press("Enter")
    page.wait_for_selector("html[data-ready]", state="attached")
    page.click("[data-page=gallery]")
    page.wait_for_function(f"() => {_SHOWN} === 2")
    page.context.clear_cookies()  # as when the studio was begun again with another key
    page.evaluate("document.querySelectorAll('[data-job] img').forEach((one) => { one.src += '?anew'; })")
    page.wait_for_function(f"() => {_SHOWN} === 0")
    page.evaluate("import('/page/service.js').then((service) => service.jobs()), null")  # asks for the key
    page.get_by_label("Key", exact=True).fill("sesame")
    page.keyboard.press("Enter")
    page.wait_for_function(f"() => {_SHOWN} === 2")
