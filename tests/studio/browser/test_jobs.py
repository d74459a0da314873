"""Jobs in a real browser: begun, followed, cancelled, kept, and made again."""

import io
import re
import signal
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Route, expect
from tests.studio.browser.conftest import (
    Opens,
    drop,
    go,
    hash_of,
    job_of,
    run_until_done,
    seen,
)
from tests.studio.conftest import Service, png

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]


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
