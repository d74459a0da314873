"""The page in a real browser: what its users do, and what they must never meet."""

import io
import json
import re
import signal
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest
from PIL import Image, ImageSequence
from playwright.sync_api import Page, Route, expect
from tests.studio.browser.conftest import DESK, LAPTOP, PHONE, SECONDS, Opens, drop, go, stroke
from tests.studio.conftest import COLORS, Service, png

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

OTHERS = ("draw", "gallery", "train", "nowhere")
HEAVIEST = 300_000  # bytes of the page without samples


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


def test_photo_is_stylized_by_drag_and_drop_and_stays_after_a_reload(service: Service, opens: Opens) -> None:
    page = opens(service.address, "#/stylize")
    drop(page, "#stage", {"cat.png": png(40, 24)})
    page.click("[data-style=great-wave]")
    job = run_until_done(page)
    shown = seen(page, ".compare .after")
    told = service.client.get(f"/v1/jobs/{job}").json()
    assert told["options"] == {"styles": ["great-wave"]}
    assert shown.shape == (24, 40, 3)
    made = np.asarray(Image.open(io.BytesIO(service.client.get(told["results"][0]["url"]).content)).convert("RGB"))
    assert np.array_equal(shown, made)
    page.reload()
    page.wait_for_selector(".compare .after")
    assert np.array_equal(seen(page, ".compare .after"), made)
    expect(page.locator("[data-style=great-wave]")).to_have_attribute("aria-pressed", "true")
    with page.expect_download() as download:
        page.click(".bar a[download]")
    assert download.value.suggested_filename == "cat_great-wave.png"


def test_own_style_is_dropped_and_mixed_by_sliders(service: Service, opens: Opens) -> None:
    page = opens(service.address, hash_of("stylize", method="any-style"))
    drop(page, "#stage", {"cat.png": png(40, 24)})
    page.check("#mix-styles")
    page.click("[data-style=mosaic]")
    drop(page, ".styles", {"mine.png": png(32, 32, seed=3)})
    page.locator(".weight input").first.fill("0.25")
    job = run_until_done(page)
    told = service.client.get(f"/v1/jobs/{job}").json()
    assert told["options"]["styles"] == ["mosaic:0.25", "@1:1"]
    assert [(one["field"], one["was"]) for one in told["inputs"]] == [("picture", "cat.png"), ("style", "mine.png")]


def test_a_style_is_learnt_shown_and_painted_with(service: Service, opens: Opens) -> None:
    page = opens(service.address, hash_of("learn-style", minutes=0.01, size=64))
    drop(page, "#stage", {"A Painting.png": png(96, 96, seed=7)})
    run_until_done(page)
    shown = seen(page, "#stage .room img")
    assert shown.shape[1] > 2 * shown.shape[0]  # the painting, and photos as they are painted
    page.click("text=Paint with it")
    page.wait_for_selector("[data-style=a-painting][aria-pressed=true]", state="attached")
    drop(page, "#stage", {"cat.png": png(40, 24)})
    told = service.client.get(f"/v1/jobs/{run_until_done(page)}").json()
    assert told["options"] == {"styles": ["a-painting"]} and told["state"] == "done"


def test_what_the_bar_holds_stays_when_the_view_changes(service: Service, opens: Opens) -> None:
    page = opens(service.address, hash_of("upscale", scale=2))
    drop(page, "#stage", {"small.png": png(12, 8)})
    run_until_done(page)
    before = page.locator("#stage .bar").inner_text()
    assert "Other picture" in before
    page.click(".view-beside")
    page.wait_for_selector(".rooms.two")
    assert page.locator("#stage .bar").inner_text() == before


def test_job_is_opened_with_all_its_files(service: Service, opens: Opens) -> None:
    page = opens(service.address, hash_of("morph", frames=2))
    drop(page, "#stage", {"first.png": png(32, 24)})
    drop(page, ".slot", {"second.png": png(32, 24, seed=2)})
    job = run_until_done(page)
    again = opens(service.address, f"#/morph?job={job}")
    expect(again.locator(".slot small")).to_have_text("second.png")
    again.click("[data-act=run]")
    again.wait_for_url(lambda address: job not in address)
    again.wait_for_selector("#stage[data-state=done]")
    told = service.client.get(f"/v1/jobs/{job_of(again)}").json()
    assert [one["was"] for one in told["inputs"]] == ["first.png", "second.png"]


def test_job_is_cancelled(service: Service, opens: Opens) -> None:
    page = opens(service.address, hash_of("restore-denoise", steps=100_000))
    drop(page, "#stage", {"cat.png": png(64, 64)})
    page.click("[data-act=run]")
    job = job_of(page)
    expect(page.locator(".progress")).to_be_visible()
    page.click("[data-act=cancel]")
    expect(page.locator(".problem")).to_contain_text("Cancelled")
    assert service.client.get(f"/v1/jobs/{job}").json()["state"] == "cancelled"
    expect(page.locator(".problem button")).to_have_text("Try again")


def test_gallery_is_there_after_a_kill_and_a_restart(
    fresh: Callable[..., Service], tmp_path: Any, opens: Opens
) -> None:
    first = fresh(tmp_path / "data")
    page = opens(first.address, hash_of("upscale", scale=2))
    drop(page, "#stage", {"small.png": png(12, 8)})
    job = run_until_done(page)
    go(page, first.address, hash_of("restore-denoise", steps=100_000))
    drop(page, "#stage", {"cat.png": png(64, 64)})
    page.click("[data-act=run]")
    lost = job_of(page)
    page.wait_for_selector(".progress")
    page.close()
    first.end(signal.SIGKILL)
    page = opens(fresh(tmp_path / "data").address, "#/gallery")
    expect(page.locator(f"[data-job='{job}']")).to_have_attribute("data-state", "done")
    expect(page.locator(f"[data-job='{lost}']")).to_contain_text("Interrupted")
    page.click(f"[data-job='{job}'] .card-open")
    assert "small.png" in page.inner_text(".panel") and "24 × 16" in page.inner_text(".panel")
    page.click("text=Make again")
    page.wait_for_selector(".compare .after")
    assert job_of(page) != job
    assert page.input_value("[data-option=scale] input") == "2"


def test_gallery_shows_older_jobs_when_asked(service: Service, opens: Opens) -> None:
    page = opens(service.address)
    facts = {"verb": "imagine", "state": "done", "done": 1, "options": {}, "inputs": [], "results": [], "notes": []}
    names = [f"job{number:03}" for number in range(130)]

    def listed(route: Route) -> None:
        before = re.search(r"before=(\w+)", route.request.url)
        first = names.index(before[1]) + 1 if before else 0
        route.fulfill(json=[{**facts, "id": one, "made": "2026-01-02T03:04:05+00:00"} for one in names[first:][:100]])

    page.route(re.compile(r"/v1/jobs(\?.*)?$"), listed)
    go(page, service.address, "#/gallery")
    expect(page.locator("[data-job]")).to_have_count(100)
    page.click("[data-act=older]")
    expect(page.locator("[data-job]")).to_have_count(130)
    assert [one.get_attribute("data-job") for one in page.query_selector_all("[data-job]")] == names


def test_two_users_at_once_see_their_own_pictures(service: Service, opens: Opens) -> None:
    pages = [opens(service.address, hash_of("upscale", scale=scale)) for scale in (2, 3)]
    for seed, page in enumerate(pages):
        drop(page, "#stage", {f"{seed}.png": png(16, 12, seed=seed)})
    for page in pages:
        page.click("[data-act=run]")
    for scale, page in zip((2, 3), pages, strict=True):
        page.wait_for_selector(".compare .after")
        assert seen(page, ".compare .after").shape == (12 * scale, 16 * scale, 3)
        assert service.client.get(f"/v1/jobs/{job_of(page)}").json()["options"] == {"scale": scale}


def test_many_files_are_one_job_with_a_result_for_each(service: Service, opens: Opens) -> None:
    page = opens(service.address, hash_of("upscale", scale=2))
    drop(page, "#stage", {f"photo {number}.png": png(10 + number, 8, seed=number) for number in range(12)})
    expect(page.locator(".strip img")).to_have_count(12)
    job = run_until_done(page)
    assert len(service.client.get(f"/v1/jobs/{job}").json()["results"]) == 12
    for number in (1, 9, 11):  # their names sort otherwise than they were sent
        page.locator(".strip button").nth(number).click()
        expect(page.locator(".strip button").nth(number)).to_have_attribute("aria-current", "true")
        before, after = seen(page, ".compare .before"), seen(page, ".compare .after")
        assert after.shape[1] == 2 * before.shape[1]
    go(page, service.address, "#/gallery")
    page.check(f"[data-job='{job}'] input")
    with page.expect_download() as download:
        page.click("text=Zip")
    assert download.value.suggested_filename == "limner.zip"


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


def test_a_studio_that_has_gone_is_said_wherever_one_is(
    fresh: Callable[..., Service], tmp_path: Any, opens: Opens
) -> None:
    studio = fresh(tmp_path / "data")
    page = opens(studio.address, "#/upscale")
    drop(page, "#stage", {"small.png": png(12, 8)})
    studio.end()
    page.click("[data-act=run]")
    expect(page.locator(".panel-foot .error")).to_contain_text("does not answer")
    page.click("[data-page=train]")  # whose part of the page was not loaded yet
    expect(page.locator("#stage")).to_contain_text("does not answer")


def test_a_studio_that_goes_while_it_works_is_said_and_comes_back(
    fresh: Callable[..., Service], tmp_path: Any, opens: Opens
) -> None:
    studio = fresh(tmp_path / "data")
    page = opens(studio.address, hash_of("restore-denoise", steps=100_000))
    drop(page, "#stage", {"cat.png": png(64, 64)})
    page.click("[data-act=run]")
    page.wait_for_selector(".progress")
    studio.end(signal.SIGKILL)
    expect(page.locator("#top .running")).to_have_text("The studio does not answer")
    fresh(tmp_path / "data", "--port", studio.address.rstrip("/").rpartition(":")[2])
    expect(page.locator(".problem")).to_contain_text("ended before this was done")
    expect(page.locator("#top .running")).to_be_hidden()


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
    page.click("[aria-label='Back to the latent of the seed']")
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


def test_what_is_missing_is_said_where_it_belongs(service: Service, opens: Opens) -> None:
    page = opens(service.address, "#/imagine")
    page.click("[data-act=run]")
    expect(page.locator("[data-option=units] .error")).to_contain_text("Units is missing")
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


def test_page_asks_for_the_key_and_works_with_it(fresh: Callable[..., Service], tmp_path: Any, opens: Opens) -> None:
    studio = fresh(tmp_path / "data", "--key", "open sesame")
    page = opens(studio.address, hash_of("upscale", scale=2), ready=False)
    box = page.get_by_label("Key", exact=True)
    box.fill("sesame")
    page.keyboard.press("Enter")
    expect(page.locator("dialog .error")).to_have_text("That is not the key of this studio.")
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
