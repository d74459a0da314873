"""The pages of verbs in a real browser: options, masks, latents, what is missing."""

import io

import numpy as np
import pytest
from PIL import Image, ImageSequence
from playwright.sync_api import Page, expect
from tests.studio.browser.conftest import (
    SECONDS,
    Opens,
    drop,
    go,
    hash_of,
    pixels,
    run_until_done,
    seen,
    stroke,
)
from tests.studio.conftest import Service, png

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]


def test_what_the_bar_holds_stays_when_the_view_changes(service: Service, opens: Opens) -> None:
    page = opens(service.address, hash_of("upscale", scale=2))
    drop(page, "#stage", {"small.png": png(12, 8)})
    run_until_done(page)
    before = page.locator("#stage .bar").inner_text()
    assert "Other picture" in before
    page.click(".view-beside")
    page.wait_for_selector(".rooms.two")
    assert page.locator("#stage .bar").inner_text() == before


def test_error_is_shown_at_the_option_that_it_is_about(service: Service, opens: Opens) -> None:
    page = opens(service.address, "#/restore-denoise")
    page.route(
        "**/v1/restore-denoise",
        lambda route: route.fulfill(status=422, json={"error": "steps must be from 1 to any, got 0"}),
    )
    drop(page, "#stage", {"cat.png": png()})
    page.click("[data-act=run]")
    expect(page.locator("[data-option=steps] .error")).to_have_text("Steps must be from 1 to any, got 0")
    expect(page.locator("[data-option=steps]")).to_be_visible()  # the fold that it is in has opened


def test_picture_stays_when_its_job_has_failed(service: Service, opens: Opens) -> None:
    page = opens(service.address, hash_of("upscale", scale=99))
    drop(page, "#stage", {"cat.png": png(48, 32)})
    page.click("[data-act=run]")
    expect(page.locator("[data-option=scale] .error")).to_contain_text("Scale must be above 1")
    page.wait_for_function(  # it is drawn anew, and is nowhere for a moment
        """() => {
            const shown = document.querySelector(".picture .layer")?.getBoundingClientRect();
            return shown && shown.width > 400 && (shown.width / shown.height).toFixed(2) === "1.50";
        }"""
    )


def test_hostile_file_is_refused_in_one_line(service: Service, opens: Opens) -> None:
    page = opens(service.address, "#/upscale")
    drop(page, "#stage", {"<img src=x onerror=alert(1)>.png": b"<svg onload=alert(1)>"})
    page.click("[data-act=run]")
    said = page.locator(".panel-foot .error")
    expect(said).to_be_visible()
    assert "\n" not in said.inner_text() and "Traceback" not in said.inner_text()


def test_mask_is_painted_for_filling_in(service: Service, opens: Opens) -> None:
    page = opens(service.address, hash_of("restore-inpaint", steps=2))
    drop(page, "#stage", {"photo.png": png(48, 32)})
    page.wait_for_selector(".easel canvas")
    page.click("[data-act=run]")
    expect(page.locator(".panel-foot .error")).to_contain_text("Paint over what is missing")
    page.keyboard.press("r")
    stroke(page, ".easel canvas", (0.0, 0.0), (0.5, 0.5))
    job = run_until_done(page)
    told = service.client.get(f"/v1/jobs/{job}").json()
    sent = next(one for one in told["inputs"] if one["field"] == "mask")
    mask = np.asarray(Image.open(io.BytesIO(service.client.get(sent["url"]).content)).convert("L"))
    assert mask.shape == (32, 48) and set(np.unique(mask)) == {0, 255}
    assert mask[0, 0] == 255 and mask[-1, -1] == 0


def test_classes_of_a_segmentation_are_shown_and_hidden(service: Service, opens: Opens) -> None:
    page = opens(service.address, hash_of("segment", model="bright"))
    half = np.zeros((32, 48, 3), np.uint8)
    half[:, :24] = 255
    file = io.BytesIO()
    Image.fromarray(half).save(file, "PNG")
    drop(page, "#stage", {"half.png": file.getvalue()})
    page.click("[data-act=run]")
    page.wait_for_selector(".class-toggle")
    shown = pixels(page, ".overlay")[..., 3]
    assert (shown == 255).all() and page.locator(".class-toggle").count() == 2
    page.locator(".class-toggle input").first.uncheck()
    share = float(page.locator(".class-toggle small").first.inner_text().split()[0]) / 100
    assert np.isclose((pixels(page, ".overlay")[..., 3] == 0).mean(), share, atol=0.01)


def test_sliders_of_a_latent_change_the_picture(service: Service, opens: Opens) -> None:
    page = opens(service.address, hash_of("generate", model="digits-acgan"))
    page.wait_for_selector(".single img")
    first = seen(page, ".single img")
    assert first.shape == (32, 32, 3) and first.std() > 0
    page.focus("[data-latent='0']")
    page.keyboard.press("Home")
    page.wait_for_function("(old) => document.querySelector('.single img').src !== old", arg=_source(page))
    assert not np.array_equal(seen(page, ".single img"), first)
    page.click("[aria-label='Back to what the seed gives']")
    expect(page.locator("[data-latent='0']")).not_to_have_value("-3")
    page.wait_for_timeout(300)
    assert np.array_equal(seen(page, ".single img"), first)
    page.select_option(".bar select", "7")
    page.wait_for_function("(old) => document.querySelector('.single img').src !== old", arg=_source(page))


def _source(page: Page) -> str:
    return str(page.get_attribute(".single img", "src"))


def test_generating_offers_what_a_model_can(service: Service, opens: Opens) -> None:
    page = opens(service.address, hash_of("generate", model="digits-vae"))
    option = "[data-option={}]".format
    page.wait_for_selector(".single img")
    expect(page.locator(option("truncation"))).to_be_visible()
    for name in ("classes", "mix", "direction", "morph", "views"):
        expect(page.locator(option(name))).to_be_hidden()
    page.select_option(f"{option('model')} select", "styled")
    page.click("text=More settings")
    for name in ("mix", "direction", "noise_draws", "arithmetic", "interpolate"):
        expect(page.locator(option(name))).to_be_visible()
    page.locator(f"{option('truncation')} input[type=range]").fill("0.5")
    for place, seed in enumerate(("1", "2")):
        page.locator(f"{option('interpolate')} input").nth(place).fill(seed)
    page.locator(f"{option('frames')} input").fill("5")
    page.keyboard.press("Tab")
    told = service.client.get(f"/v1/jobs/{run_until_done(page)}").json()
    assert told["options"] == {"model": "styled", "truncation": "0.5", "interpolate": ["1", "2"], "frames": 5}
    animation = Image.open(io.BytesIO(service.client.get(told["results"][0]["url"]).content))
    assert (animation.format, animation.size, len([*ImageSequence.Iterator(animation)])) == ("GIF", (16, 16), 5)
    page.click("[aria-label='Back to the sliders']")
    page.wait_for_selector("[data-latent='5']")


def test_chairs_are_chosen_by_their_names_and_views(service: Service, opens: Opens) -> None:
    page = opens(service.address, hash_of("generate", model="chairs"))
    for name in ("sofa", "oak_chair"):
        page.select_option("[data-option=classes] select", name)
        page.click("[aria-label='Add the class']")
    expect(page.locator("[data-option=classes] input")).to_have_value("sofa; oak_chair")
    page.click("[data-option=views] .chip >> nth=0")
    expect(page.locator(".slot")).to_be_hidden()  # no photo has a latent there
    told = service.client.get(f"/v1/jobs/{run_until_done(page)}").json()
    assert told["options"] == {"model": "chairs", "classes": ["sofa", "oak_chair"], "views": ["20,30"]}
    page.select_option("[data-option=model] select", "digits-acgan")
    assert page.locator("[data-option=classes] select option").all_text_contents() == [*map(str, range(10))]
    expect(page.locator("[data-option=classes] input")).to_have_value("")  # it knows no sofas
    expect(page.locator("[data-option=views]")).to_be_hidden()


def test_what_is_being_typed_counts_and_what_failed_stays_said(service: Service, opens: Opens) -> None:
    page = opens(service.address, hash_of("generate", model="digits-acgan", classes=["3"]))
    page.fill("[data-option=classes] input", "sofa")
    page.keyboard.press("Control+Enter")
    told = page.locator(".error, .problem", has_text="sofa").first
    expect(told).to_be_visible()
    page.wait_for_selector(".single img")
    page.wait_for_timeout(1500)  # the latent is sampled again
    expect(told).to_be_visible()


def test_what_is_missing_is_said_where_it_belongs(service: Service, opens: Opens) -> None:
    page = opens(service.address, "#/imagine")
    page.click("[data-act=run]")
    expect(page.locator("[data-option=units] .error")).to_contain_text("Parts of the network is missing")
    go(page, service.address, "#/morph")
    drop(page, "#stage", {"first.png": png()})
    page.click("[data-act=run]")
    expect(page.locator("[data-option=second] .error")).to_contain_text("Second is missing")
    go(page, service.address, "#/stylize")
    drop(page, "#stage", {"photo.png": png()})
    page.click("[data-act=run]")
    expect(page.locator(".panel-foot .error")).to_contain_text("Choose a style first")
    go(page, service.address, hash_of("generate", model="chairs", classes=["sofa"], morph=["sofa", "stool"]))
    page.wait_for_selector("text=Or try")
    page.click("[data-act=run]")
    said = page.locator("[data-option=morph] .error")
    expect(said).to_have_text(
        "Morph names both objects, got Classes too: leave one of them out", timeout=SECONDS * 1000
    )


def test_what_does_not_lie_on_its_picture_lies_beside_it(service: Service, opens: Opens) -> None:
    page = opens(service.address, "#/straighten")
    page.click("[aria-label='Sample: A two']")
    run_until_done(page)
    expect(page.locator(".rooms.two .single")).to_have_count(2)
    expect(page.locator(".compare")).to_have_count(0)
