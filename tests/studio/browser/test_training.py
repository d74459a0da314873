"""The page of training in a real browser."""

import json
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import expect
from tests.studio.browser.conftest import Opens
from tests.studio.conftest import Service
from tests.studio.test_trainings import TINY, pairs  # noqa: F401

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]


def test_a_run_is_started_stopped_and_resumed(service: Service, opens: Opens, pairs: Path) -> None:  # noqa: F811
    options = json.dumps({"steps": 100_000, "assignments": TINY})
    page = opens(service.address, f"#/train?system=pix2pix&data={quote(str(pairs))}&options={quote(options)}")
    page.click("text=See what it holds")
    expect(page.locator(".check-list")).to_contain_text("Kept for validation")
    page.click("text=Start training")
    sheet = page.locator(".sheets.newest img")
    expect(sheet).to_be_visible()
    expect(page.locator(".curves svg").first).to_be_visible()
    page.evaluate("document.querySelector('.sheets.newest img').dataset.same = 'yes'")
    told = page.locator(".train-head .facts")
    before = told.inner_text()
    expect(told).not_to_have_text(before)
    expect(page.locator("img[data-same=yes]")).to_have_count(1)  # what is shown already stays, so that nothing moves
    page.reload()
    page.click("[data-act=stop]")
    expect(page.locator(".run-list [aria-current=true]")).to_contain_text("Stopped")
    page.click("[data-act=resume]")
    expect(page.locator(".run-list [aria-current=true]")).to_contain_text("Training")
    page.click("[data-act=stop]")
    expect(page.locator(".run-list [aria-current=true]")).to_contain_text("Stopped")
    page.click("text=Use it")
    page.wait_for_selector("#view[data-page=draw]", state="attached")
